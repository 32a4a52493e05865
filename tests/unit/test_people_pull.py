# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller fetches what the pages recorded, from the real application over TLS, and believes none of it."""

import json
import re
import socket
import ssl
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import yaml

from facility.people.entries import RegisterError
from facility.people.inventory import register_of, wishes_of_register
from facility.people.pull import PullError, Source, moved, pull
from tests.certificates import certificate
from tests.people_facts import facility
from tests.register_site import ADMINISTRATOR, PEOPLE, TODAY, TOKEN


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Secure(WSGIServer):
    """Shakes hands in the thread that serves, and survives a client that does not like its certificate."""

    def handle_error(self, *_):
        pass


@pytest.fixture
def answering(tmp_path, monkeypatch):
    """Serve a WSGI application on localhost over TLS; give its address and its certificate."""
    monkeypatch.setattr("facility.people.pull.today_in", lambda _policy: TODAY)
    monkeypatch.setattr("facility.people.inventory.today_in", lambda _policy: TODAY)
    pem = certificate(tmp_path, "server", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    servers = []

    def serve(application):
        server = make_server("localhost", 0, application, server_class=Secure, handler_class=Quiet)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return Source(f"https://localhost:{server.server_port}/export", TOKEN, str(pem))

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def pages(answering, site):
    """The application itself."""
    from facility.register.wsgi import application

    return answering(application)


@pytest.fixture
def folder(tmp_path):
    """A register's folder: IT administrators, and a seed that the export replaces."""
    made = tmp_path / "register"
    made.mkdir()
    old = {**PEOPLE[2], "login": "seeded", "mail": "seeded@example.org"}
    (made / "people.yml").write_text(yaml.safe_dump({"people": [ADMINISTRATOR, old, *PEOPLE[:2]]}))
    return made


def text(source, body, tag='"1-x"'):
    def application(_environ, start):
        start("200 OK", [("Content-Type", "application/jsonl"), ("ETag", tag)])
        return [body if isinstance(body, bytes) else body.encode()]

    return application


def test_the_export_says_who_there_is_and_people_yml_who_administers(pages, folder):
    pulled = pull(pages, folder, facility())
    assert (pulled.changed, pulled.facts) == (True, len(PEOPLE))
    logins = [person["login"] for person in register_of(folder, facility())["people"]]
    assert logins == ["aadler", "bbaer", "ccosta", "root1", "stefan", "thomas"]
    wishes = wishes_of_register(folder, facility())
    assert "seeded" not in wishes and wishes["root1"]["untouched"]
    assert (folder / "export.jsonl").stat().st_mode & 0o777 == 0o600


def test_nothing_is_fetched_or_written_while_nothing_moved(pages, folder):
    pull(pages, folder, facility())
    before = (folder / "export.jsonl").stat().st_mtime_ns
    assert not moved(folder)
    assert pull(pages, folder, facility()).changed is False
    assert (folder / "export.jsonl").stat().st_mtime_ns == before
    from facility.register.ledger import Change, make

    make("stefan", Change("test", [{"fact": "block", "person": "aadler", "from": "2026-06-15", "reason": "leave"}]))
    assert moved(folder)
    assert pull(pages, folder, facility(), write=False).changed is True
    assert (folder / "export.jsonl").stat().st_mtime_ns == before
    assert pull(pages, folder, facility()).changed is True
    assert wishes_of_register(folder, facility())["aadler"]["directory"]["enabled"] is False


def test_a_made_up_or_broken_export_is_refused_and_the_one_before_stays(pages, answering, folder):
    from facility.register import exchange

    pull(pages, folder, facility())
    kept = (folder / "export.jsonl").read_text()
    good = exchange.written_out()
    lines = good.splitlines(keepends=True)
    for broken, words in (
        ("", "is missing"), (good[:-30], "cut off"), ("".join(lines[:2] + lines[3:]), "isn't as it was written"),
        (good.replace("Adler", "Bdler"), "isn't as it was written"), ("<html>Bad gateway</html>\n", "is no JSON"),
        (b"\xff\xfe\x00", "is no UTF-8"), (good + good, "isn't as it was written"),
    ):  # fmt: skip
        with pytest.raises(RegisterError) as caught:
            pull(answering(text(pages, broken)), folder, facility())
        assert words in str(caught.value), broken[:40]
        assert (folder / "export.jsonl").read_text() == kept


def test_whoever_has_taken_the_register_s_host_makes_no_administrator_and_touches_none(pages, answering, folder):
    """Well written as a whole: only the rules stand against it."""
    from facility.people.fact_fields import KIND_OF_NAME, fact_of
    from facility.people.facts import Facts
    from facility.people.interchange import written
    from facility.register import store

    pull(pages, folder, facility())
    kept = (folder / "export.jsonl").read_text()
    recorded = {"id": "evil", "recorded_by": "stefan", "recorded_at": "2026-06-15"}
    person = {"given_name": "E", "family_name": "Vil", "mail": "evil@example.org"}
    for kind, entry in (
        ("person", {**person, "login": "evil", "kind": "it_admin"}),
        ("person", {**person, "login": "root1", "kind": "staff"}),
        ("person", {**person, "login": "administrator", "kind": "staff"}),
        ("person", {**person, "login": "evil", "kind": "staff", "recorded_by": "evil2"}),
        ("block", {"person": "root1", "from": "2026-06-15", "reason": "misuse"}),
        ("exception", {"person": "root1", "requirement": "safety", "from": "2026-06-15", "until": "2026-06-16",
                       "reason": "x", "granted_by": "stefan"}),
    ):  # fmt: skip
        fact = fact_of(KIND_OF_NAME[kind], {**recorded, **entry})
        forged = written(Facts(tuple(sorted([*store.everything(), fact], key=lambda one: one.id))))
        with pytest.raises(RegisterError):
            pull(answering(text(pages, forged)), folder, facility())
        assert (folder / "export.jsonl").read_text() == kept


def test_a_host_that_is_away_refuses_or_is_somebody_else_is_said_with_the_cure(pages, answering, folder, tmp_path):
    def status(line):
        def application(_environ, start):
            start(line, [("Location", "https://localhost/elsewhere")])
            return [b""]

        return answering(application)

    other = tmp_path / "other"
    other.mkdir()
    stranger = certificate(other, "stranger", "localhost")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = nobody.getsockname()[1]
    for source, words in (
        (Source(pages.url, "wrong", pages.ca_file), "refuses the token"),
        (Source(pages.url, TOKEN, str(stranger)), "certificate isn't believed"),
        (Source(pages.url.replace("https", "http"), TOKEN), "only https"),
        (Source(f"https://localhost:{closed}/export", TOKEN, pages.ca_file), "doesn't answer"),
        (status("502 Bad Gateway"), "answers 502"), (status("302 Found"), "answers 302"),
    ):  # fmt: skip
        with pytest.raises(PullError) as caught:
            pull(source, folder, facility())
        assert words in str(caught.value) and TOKEN not in str(caught.value)
        assert not (folder / "export.jsonl").exists()


def test_the_module_says_what_it_did(pages, folder, run_module):
    arguments = {"url": pages.url, "token": TOKEN, "ca_file": pages.ca_file, "path": str(folder),
                 "facility": json.loads(json.dumps(facility()))}  # fmt: skip
    assert run_module("people_export", arguments, check=True)["changed"] is True
    assert not (folder / "export.jsonl").exists()
    assert run_module("people_export", arguments) == run_module("people_export", arguments) | {"changed": True}
    failed = run_module("people_export", {**arguments, "token": "wrong"})
    assert failed["failed"] and "refuses the token" in failed["msg"]


def test_staff_see_which_systems_follow_and_why_one_does_not(pages, folder, run_module):
    from facility.register.ledger import Change, make
    from tests.register_site import logged_in

    def shown(login):
        text = logged_in("stefan", staff=True).get(f"/people/{login}/").content.decode()
        found = re.search(r'<p class="follows">(.*?)</p>', text, re.DOTALL)
        return re.findall(r'<span class="(\w+)">(\w+)', found[1]) if found else []

    told = {"path": str(folder), "systems": ["directory", "PPMS"]}
    assert "no export was ever fetched" in run_module("people_applied", told)["msg"]
    pull(pages, folder, facility())
    assert shown("aadler") == []
    assert run_module("people_applied", told)["changed"] is False
    assert shown("aadler") == [("yes", "PPMS"), ("yes", "directory")]
    make("stefan", Change("test", [{"fact": "block", "person": "aadler", "from": "2026-06-15", "reason": "leave"}]))
    assert shown("aadler") == [("waits", "PPMS"), ("waits", "directory")]
    assert shown("bbaer") == [("yes", "PPMS"), ("yes", "directory")]
    pull(pages, folder, facility())
    run_module("people_applied", told, check=True)
    assert shown("aadler") == [("waits", "PPMS"), ("waits", "directory")]
    run_module("people_applied", {**told, "faults": [{"system": "PPMS", "message": "<b>it is away</b>"}]})
    assert shown("aadler") == [("error", "PPMS"), ("yes", "directory")]
    page = logged_in("stefan", staff=True).get("/people/aadler/").content.decode()
    assert "&lt;b&gt;it is away" in page
    run_module("people_applied", told)
    assert shown("aadler") == [("yes", "PPMS"), ("yes", "directory")]


def test_nobody_but_the_controller_tells_and_nonsense_is_no_report(pages, folder):
    import requests

    from facility.register import audit
    from facility.register.models import Applied

    number, chain = audit.head()
    good = {"tag": f'"{number}-{chain[:32]}"', "systems": {"directory": ""}}
    address = pages.url.replace("export", "applied")

    def post(body, token=TOKEN):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(address, data=body, headers=headers, verify=pages.ca_file, timeout=30).status_code

    assert post(json.dumps(good), "wrong") == 403
    for body in ("", "[]", "{}", '{"tag": 1, "systems": {}}', '{"tag": "1-", "systems": []}', b"\xff"):
        assert post(body) == 400, body
    assert post(json.dumps({**good, "tag": f'"{number}-{"0" * 32}"'})) == 409
    assert post(json.dumps({**good, "systems": {str(n): "" for n in range(21)}})) == 409
    assert Applied.objects.count() == 0
    assert post(json.dumps(good)) == 204

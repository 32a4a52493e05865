# SPDX-License-Identifier: GPL-3.0-or-later
"""PPMS's interface with all its odd answers: the real client against the stand-in, over TLS."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.ppms import answers
from facility.ppms.answers import User
from facility.ppms.pumapi import Access, Ppms, PpmsError
from testbed.standins.ppms.ppms_standin.facility import Facility
from testbed.standins.ppms.ppms_standin.server import Server

KEY = "the-key-0123"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return folder


@pytest.fixture
def server(tmp_path, certificate):
    facility = Facility(tmp_path / "facility.json")
    now = datetime.now(UTC)
    with facility.changed() as data:
        data["groups"] = {"neuro": {"unitlogin": "neuro", "unitname": "Neuro"}}
        data["systems"] = {"11": {"name": "Confocal, big", "code": "c0de11"}, "12": {"name": "STED", "code": "c0de12"}}
        data["users"]["jmueller"] = {
            "login": "jmueller", "lname": "Müller & Söhne", "fname": "Jörg", "email": "j@example.org",
            "unitlogin": "neuro", "active": True, "userid": 7,
        }  # fmt: skip
        data["rights"] = {"11": {"jmueller": "A"}}
        data["bookings"] = [
            {"system": "11", "login": "jmueller", "session": "901", "start": (now - timedelta(hours=1)).isoformat(),
             "end": (now + timedelta(minutes=30, seconds=30)).isoformat()},
        ]  # fmt: skip
    server = Server(("127.0.0.1", 0), facility, KEY, tmp_path / "fault")
    server.with_tls(certificate / "cert.pem", certificate / "key.pem")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def connection(server, certificate):
    url = f"https://localhost:{server.server_address[1]}/example/pumapi/"
    return {"url": url, "api_key": KEY, "ca_file": str(certificate / "cert.pem")}


@pytest.fixture
def ppms(connection):
    return Ppms(Access(connection["url"], KEY, connection["ca_file"]))


PERSON = {"login": "aadler", "given_name": "Änne", "family_name": "Adler", "mail": "a@example.org", "group": "neuro"}


def test_a_person_is_read_with_umlauts_and_signs(ppms):
    assert ppms.user("jmueller") == User("jmueller", "Müller & Söhne", "Jörg", "j@example.org", "neuro", True)


def test_an_unknown_person_is_nobody(ppms):
    assert ppms.user("nobody1") is None
    assert ppms.people(["jmueller", "nobody1"]).keys() == {"jmueller"}


def test_a_good_key_is_told_from_a_bad_one(ppms, connection):
    ppms.check_key()
    with pytest.raises(PpmsError, match="the key is wrong"):
        Ppms(Access(connection["url"], "wrong", connection["ca_file"])).check_key()


def test_instruments_bookings_and_rights_are_read(ppms):
    assert [(system.number, system.name, system.active) for system in ppms.systems] == [
        (11, "Confocal, big", True),
        (12, "STED", True),
    ]
    assert ppms.rights(11) == {"jmueller": "A"}
    now = ppms.booking(11)
    assert (now.login, now.minutes, now.session) == ("jmueller", 30, "901")
    assert ppms.booking(12) is None
    assert ppms.next_booking(11) is None
    sheet = ppms.running_sheet(1, (datetime.now(UTC) - timedelta(hours=1)).date().isoformat())
    assert [line.person for line in sheet] == ["Jörg Müller & Söhne"]


def test_people_are_made_changed_and_left_alone(run_module, connection, ppms):
    arguments = {**connection, "users": [PERSON]}
    looked = run_module("ppms_user", arguments, check=True)
    assert ppms.user("aadler") is None
    done = run_module("ppms_user", arguments)
    assert looked["diff"] == done["diff"]
    assert (looked["created"], done["created"]) == (["aadler"], ["aadler"])
    assert ppms.user("aadler").given_name == "Änne"
    again = run_module("ppms_user", arguments)
    assert not again["changed"]
    left = run_module("ppms_user", {**connection, "users": [{"login": "aadler", "active": False}]})
    assert left["updated"] == ["aadler"]
    person = ppms.user("aadler")
    assert not person.active
    assert person.group == "neuro", "what was not named stays"


def test_somebody_who_is_not_there_and_should_not_be_is_not_made(run_module, connection, ppms):
    assert not run_module("ppms_user", {**connection, "users": [{"login": "gone", "active": False}]})["changed"]
    assert ppms.user("gone") is None


def test_a_misspelt_group_makes_no_group_and_changes_nobody(run_module, connection, ppms, server):
    users = [PERSON, {**PERSON, "login": "bbauer", "group": "nuero"}]
    result = run_module("ppms_user", {**connection, "users": users})
    assert result["failed"]
    assert "no group nuero" in result["msg"]
    assert ppms.user("aadler") is None
    assert list(server.facility.data["groups"]) == ["neuro"]
    assert "incomplete" not in result["msg"]


def test_somebody_new_without_a_name_is_refused(run_module, connection):
    result = run_module("ppms_user", {**connection, "users": [{"login": "aadler", "group": "neuro"}]})
    assert "new people need" in result["msg"]


def test_rights_are_given_and_confirmed(run_module, connection, ppms):
    arguments = {**connection, "rights": [{"system_id": 11, "right": "D", "logins": ["jmueller"]}]}
    assert run_module("ppms_right", arguments, check=True)["changed"]
    assert ppms.rights(11) == {"jmueller": "A"}
    assert run_module("ppms_right", arguments)["changed"]
    assert ppms.rights(11) == {"jmueller": "D"}
    assert not run_module("ppms_right", arguments)["changed"]


def rights_of(*wanted, **options):
    return {
        "rights": [{"system_id": system, "right": kind, "logins": [login]} for system, login, kind in wanted],
        **options,
    }


def test_a_superuser_stays_one_and_an_administrator_s_second_line_hides_nothing(run_module, connection, ppms, server):
    server.facility.data["rights"]["11"]["jmueller"] = "S"
    assert ppms.rights(11) == {"jmueller": "S"}
    wanted = rights_of((11, "JMueller", "D"), (12, "jmueller", "A"), keep_superusers=True, most_removed=0)
    done = run_module("ppms_right", {**connection, **wanted})
    assert done["kept_superusers"] == ["JMueller"]
    assert "S" not in done["diff"]["after"]
    assert (ppms.rights(11), ppms.rights(12)) == ({"jmueller": "S"}, {"jmueller": "A"})
    again = run_module("ppms_right", {**connection, **wanted})
    assert (again["changed"], again["unchanged"]) == (False, 2)
    run_module("ppms_right", {**connection, **rights_of((11, "jmueller", "D"))})
    assert ppms.rights(11) == {"jmueller": "D"}


def test_a_run_that_would_take_rights_from_too_many_changes_nothing_and_names_them(
    run_module, connection, ppms, server
):
    for login in ("ada", "bob", "eve"):
        server.facility.data["users"][login] = {**server.facility.data["users"]["jmueller"], "login": login}
    server.facility.data["rights"] = {"11": {"ada": "A", "bob": "N"}, "12": {"ada": "A"}}
    closing = [(11, "ada", "D"), (12, "ada", "D"), (11, "bob", "D")]
    # Who has no right yet loses none, and who comes to more loses none either.
    wanted = rights_of(*closing, (12, "bob", "D"), (11, "eve", "A"))
    for check in (True, False):
        refused = run_module("ppms_right", {**connection, **wanted, "most_removed": 1}, check=check)
        assert "2 would lose something, and one run may take from 1 at most" in refused["msg"]
        assert "(ada: A on instrument 11, A on instrument 12; bob: N on instrument 11): nothing was" in refused["msg"]
    assert ppms.rights(11) == {"ada": "A", "bob": "N"}
    assert run_module("ppms_right", {**connection, **wanted, "most_removed": 2})["changed"]
    assert ppms.rights(11) == {"ada": "D", "bob": "D", "eve": "A"}
    assert not run_module("ppms_right", {**connection, **wanted, "most_removed": 0})["changed"]


def test_what_closes_is_set_before_what_opens(run_module, connection, server, monkeypatch):
    order = []
    monkeypatch.setattr(Ppms, "set_right", lambda _, system, login, kind: order.append((system, login, kind)))
    run_module("ppms_right", {**connection, **rights_of((12, "jmueller", "A"), (11, "jmueller", "D"))})
    assert order == [(11, "jmueller", "D"), (12, "jmueller", "A")]


def test_people_whom_ppms_does_not_know_are_refused_or_left_out(run_module, connection, ppms):
    wanted = rights_of((11, "jmueller", "D"), (11, "who", "A"), (11, "gone", "D"))
    refused = run_module("ppms_right", {**connection, **wanted})
    assert "doesn't know who: make the person first" in refused["msg"]
    assert ppms.rights(11) == {"jmueller": "A"}
    done = run_module("ppms_right", {**connection, **wanted, "unknown_people": "ignore"})
    assert done["ignored"] == ["who"]
    assert ppms.rights(11) == {"jmueller": "D"}


def test_check_mode_shows_the_rights_of_somebody_whom_the_run_would_make(run_module, connection, ppms):
    made = run_module("ppms_user", {**connection, "users": [PERSON]}, check=True)["created"]
    wanted = rights_of((11, "aadler", "A"), (12, "aadler", "D"), new_people=made)
    looked = run_module("ppms_right", {**connection, **wanted}, check=True)
    run_module("ppms_user", {**connection, "users": [PERSON]})
    done = run_module("ppms_right", {**connection, **wanted})
    assert looked["diff"] == done["diff"]
    assert ppms.rights(12) == {"aadler": "D"}


def test_people_whom_ppms_has_stay_as_they_are_where_that_is_asked_for(run_module, connection, ppms):
    other = {**PERSON, "login": "JMueller", "group": "nobody-s"}
    made = run_module("ppms_user", {**connection, "users": [other, PERSON], "existing": "keep"})
    assert (made["created"], made["updated"], made["unchanged"]) == (["aadler"], [], 1)
    assert ppms.user("jmueller").mail == "j@example.org"


def test_an_unknown_instrument_and_an_unknown_person_are_told(run_module, connection):
    strange = run_module(
        "ppms_right", {**connection, "rights": [{"system_id": 99, "right": "A", "logins": ["jmueller"]}]}
    )
    assert "no instrument 99: it has 11, 12" in strange["msg"]
    nobody = run_module("ppms_right", {**connection, "rights": [{"system_id": 11, "right": "A", "logins": ["who"]}]})
    assert "make the person first" in nobody["msg"]


def test_nobody_has_two_rights_of_one_instrument(run_module, connection, ppms):
    both = run_module("ppms_right", {**connection, **rights_of((11, "jmueller", "A"), (11, "JMueller", "D"))})
    assert "jmueller on instrument 11: has one right, and is named more than once" in both["msg"]
    assert ppms.rights(11) == {"jmueller": "A"}


def test_done_is_not_believed(run_module, connection, server, monkeypatch):
    # What PPMS answers to a kind of right that it doesn't know: "done", and nothing is.
    monkeypatch.setattr("testbed.standins.ppms.ppms_standin.pumapi.RIGHTS", frozenset())
    result = run_module(
        "ppms_right", {**connection, "rights": [{"system_id": 11, "right": "N", "logins": ["jmueller"]}]}
    )
    assert "said done" in result["msg"]


def test_the_info_modules_tell_what_there_is(run_module, connection):
    info = run_module("ppms_info", {**connection, "logins": ["jmueller", "who"], "rights_of": [11]})
    assert [system["name"] for system in info["systems"]] == ["Confocal, big", "STED"]
    assert list(info["people"]) == ["jmueller"]
    assert info["rights"] == {"11": {"jmueller": "A"}}
    bookings = run_module("ppms_booking_info", {**connection, "system_ids": [11, 12]})["bookings"]
    assert bookings["11"]["now"]["login"] == "jmueller"
    assert bookings["12"] == {"now": None, "next": None}
    assert "is no day" in run_module("ppms_booking_info", {**connection, "system_ids": [11], "day": "today"})["msg"]


@pytest.mark.parametrize(
    ("fault", "told"), [("500", "status 500"), ("error", "database is locked"), ("off", "reached")]
)
def test_ppms_in_trouble_is_told_and_the_key_is_not(run_module, connection, server, fault, told):
    server.fault_file.write_text(fault)
    result = run_module("ppms_info", connection)
    assert told in result["msg"]
    assert KEY not in str(result)


def test_a_slow_ppms_does_not_hold_up_the_night(ppms, server, monkeypatch):
    monkeypatch.setattr("testbed.standins.ppms.ppms_standin.server.SLOW_SECONDS", 3)
    monkeypatch.setattr("facility.ppms.pumapi.SECONDS", 0.5)
    server.fault_file.write_text("slow")
    with pytest.raises(PpmsError, match="no answer within"):
        ppms.check_key()


def test_an_unknown_authority_and_plain_http_are_refused(connection):
    with pytest.raises(PpmsError, match="certificate is not trusted"):
        Ppms(Access(connection["url"], KEY)).check_key()
    with pytest.raises(PpmsError, match="only https"):
        Ppms(Access(connection["url"].replace("https", "http"), KEY))


def test_an_instrument_s_code_opens_its_own_bookings_only(server):
    from testbed.standins.ppms.ppms_standin.pumapi import answer

    now = datetime.now(UTC)
    own = answer(server.facility, {"action": "getbooking", "id": "11", "code": "c0de11"}, KEY, now)
    assert own.body.startswith("jmueller\r\n")
    for form in (
        {"action": "getusers", "id": "11", "code": "c0de11"},
        {"action": "getbooking", "id": "12", "code": "c0de11"},
    ):
        assert answer(server.facility, form, KEY, now).body == "error: request not authorized"


@given(st.text(max_size=300))
def test_whatever_ppms_answers_ends_in_data_or_in_an_error_of_ours(text):
    for parse in (answers.user, answers.systems, answers.rights, answers.booking, answers.sheet, answers.logins):
        with contextlib.suppress(answers.AnswerError):
            parse(answers.checked(text))


def test_reports_of_one_person_make_one_session_and_a_gap_ends_it(tmp_path):
    facility = Facility(tmp_path / "f.json")
    with facility.changed() as data:
        data["systems"] = {"11": {"name": "C", "code": "c"}}
        data["users"] = {"a": {"login": "a"}, "b": {"login": "b"}}
    start = datetime(2026, 3, 29, 0, 58, tzinfo=UTC)
    for minute in (0, 1, 2, 10, 11):
        assert facility.report("11", "c", "a", 1, start + timedelta(minutes=minute))
    facility.report("11", "c", "b", 1, start + timedelta(minutes=12))
    found = facility.sessions(start + timedelta(minutes=13))
    assert [(entry["login"], entry["minutes"], entry["open"]) for entry in found] == [
        ("a", 3, False),
        ("a", 2, False),
        ("b", 1, True),
    ]
    assert not facility.report("11", "wrong", "a", 1, start)
    assert not facility.report("11", "c", "stranger", 1, start)

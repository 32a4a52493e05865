# SPDX-License-Identifier: GPL-3.0-or-later
"""The register's pages, as staff, researchers and strangers meet them."""

import ast
import re
from datetime import date

import pytest

from tests.register_site import TOKEN, logged_in, proofs_folder

SESSION = {
    "id": "s1", "about": "requirement:safety", "date": "2026-06-15", "by": "thomas", "form": "oral", "state": "held",
    "person": ["aadler", "bbaer"], "result-aadler": "attended", "result-bbaer": "failed",
}  # fmt: skip


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def door(answer, title):
    """The cells of a door's row on a person's page."""
    row = re.search(rf'<th scope="row">{title}</th>(.*?)</tr>', answer.content.decode(), re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row.group(1)))


def facts():
    from facility.register.models import Entry

    return Entry.objects.count()


def test_a_briefing_is_previewed_recorded_and_opens_doors(browser):
    page = browser.get("/people/aadler/")
    assert "shut" in door(page, "Drive X") and "safety briefing: never recorded" in door(page, "Drive X")
    assert 'href="/sessions/new/?about=requirement:safety&amp;person=aadler"' in page.content.decode()
    before = facts()
    preview = browser.post("/sessions/new/", {**SESSION, "step": "preview"})
    assert "Änne Adler : Drive X shut → open" in text(preview)
    assert "Bo Bär : no door opens or shuts" in text(preview)
    assert "Costa" not in text(preview)
    assert facts() == before
    made = browser.post("/sessions/new/", {**SESSION, "step": "make"}, follow=True)
    assert "Recorded." in text(made)
    assert facts() == before + 3
    assert "open 2026-08-25" in door(browser.get("/people/aadler/"), "Drive X")
    assert "failed" in text(browser.get("/people/bbaer/"))


def test_what_was_just_recorded_is_taken_back_with_one_click(browser):
    made = browser.post("/sessions/new/", {**SESSION, "step": "make"}, follow=True)
    undo = re.search(r'action="(/acts/\d+/undo/)"', made.content.decode()).group(1)
    assert "Revoked." in text(browser.post(undo, follow=True))
    assert "shut" in door(browser.get("/people/aadler/"), "Drive X")
    assert "can't be taken back" in text(logged_in("thomas", staff=True).post(undo, follow=True)).replace("&#x27;", "'")


def test_a_form_that_makes_no_sense_keeps_what_was_typed_and_says_why(browser):
    before = facts()
    answer = browser.post("/sessions/new/", {**SESSION, "date": "2026-06-16", "step": "make"})
    assert answer.status_code == 422
    assert "is after recorded_at 2026-06-15" in text(answer)
    assert 'value="2026-06-16"' in answer.content.decode() and 'value="failed" selected' in answer.content.decode()
    assert "Say what it is about." in text(browser.post("/sessions/new/", {**SESSION, "about": "x", "step": "make"}))
    nobody = {**SESSION, "person": [], "step": "make"}
    assert "Name at least one person." in text(browser.post("/sessions/new/", nobody))
    crowd = {**SESSION, "person": [], "logins": " ".join(f"p{n}" for n in range(201)), "step": "make"}
    assert "too many people" in text(browser.post("/sessions/new/", crowd))
    assert facts() == before


def test_a_form_sent_twice_is_recorded_once(browser):
    browser.post("/sessions/new/", {**SESSION, "step": "make"})
    before = facts()
    assert browser.post("/sessions/new/", {**SESSION, "step": "make"}).status_code == 409
    assert facts() == before


def test_a_planned_session_gives_nothing_until_it_took_place(browser):
    browser.post("/sessions/new/", {**SESSION, "state": "planned", "step": "make"})
    assert "shut" in door(browser.get("/people/aadler/"), "Drive X")
    assert "(planned)" in text(browser.get("/people/aadler/"))
    listed = browser.get("/sessions/").content.decode()
    assert 'href="/sessions/s1/held/"' in listed
    done = {"id": "s2", "date": "2026-06-15", "form": "oral", "result-aadler": "attended", "result-bbaer": "absent"}
    assert "Drive X shut → open" in text(browser.post("/sessions/s1/held/", {**done, "step": "preview"}))
    browser.post("/sessions/s1/held/", {**done, "step": "make"})
    assert "open" in door(browser.get("/people/aadler/"), "Drive X")
    assert "shut" in door(browser.get("/people/bbaer/"), "Drive X")
    assert "/sessions/s1/held/" not in browser.get("/sessions/").content.decode()
    assert browser.get("/sessions/s1/held/").status_code == 404


def test_a_new_person_is_recorded_and_one_with_the_same_name_is_shown_first(browser):
    new = {"login": "DDadler", "given_name": "Dora", "family_name": "Adler", "mail": "dora@example.org",
           "kind": "researcher", "research_group": "neuro", "valid_until": "2027-01-31"}  # fmt: skip
    preview = browser.post("/new-person/", {**new, "step": "preview"})
    assert "Is it one of these? Adler, Änne (aadler)" in text(preview)
    assert "Wiki shut → open" in text(preview)
    browser.post("/new-person/", {**new, "step": "make"})
    assert "Adler, Dora" in text(browser.get("/people/?q=dora adl"))
    refused = browser.post("/new-person/", {**new, "mail": "other@example.org", "step": "make"})
    assert refused.status_code == 422


def test_extending_keeps_the_history_and_two_at_once_lose_nothing(browser):
    form = {"given_name": "Änne", "family_name": "Adler", "mail": "aadler@example.org", "kind": "researcher",
            "research_group": "neuro", "valid_until": "2028-06-30", "reason": "a longer contract"}  # fmt: skip
    opened = browser.get("/people/aadler/change/").content.decode()
    base = re.search(r'name="base" value="([^"]+)"', opened).group(1)
    browser.post("/people/aadler/change/", {**form, "base": base, "step": "make"})
    page = text(browser.get("/people/aadler/"))
    assert "account until 2028-06-30" in page and "a longer contract" in page
    other = logged_in("thomas", staff=True)
    late = {**form, "mail": "new@example.org", "valid_until": "2027-12-31", "base": base, "step": "make"}
    refused = other.post("/people/aadler/change/", late)
    assert refused.status_code == 409
    assert "valid_until: 2028-06-30 → 2027-12-31" in text(refused)
    again = re.search(r'name="base" value="([^"]+)"', refused.content.decode()).group(1)
    other.post("/people/aadler/change/", {**late, "base": again})
    other.post("/people/aadler/change/", {**late, "base": again, "step": "make"})
    assert "account until 2027-12-31" in text(browser.get("/people/aadler/"))


def test_a_leave_shuts_a_door_and_an_exception_opens_one(browser):
    exception = {"about": "requirement:safety", "from": "2026-06-15", "until": "2026-06-20", "reason": "ill trainer"}
    browser.post("/people/aadler/exception/", {**exception, "step": "make"})
    assert "an exception holds until 2026-06-20" in door(browser.get("/people/aadler/"), "Drive X")
    too_long = browser.post("/people/aadler/exception/", {**exception, "until": "2026-12-31", "step": "make"})
    assert "longer than 30 days" in text(too_long)
    browser.post("/people/aadler/block/", {"about": "", "from": "2026-06-15", "reason": "leave", "step": "make"})
    assert "blocked" in door(browser.get("/people/aadler/"), "Wiki")


def test_a_fact_is_revoked_with_a_reason_only(browser):
    browser.post("/sessions/new/", {**SESSION, "step": "make"})
    browser.post("/facts/s1-1/revoke/", {"person": "aadler", "reason": ""})
    assert "open" in door(browser.get("/people/aadler/"), "Drive X")
    browser.post("/facts/s1-1/revoke/", {"person": "aadler", "reason": "she was ill"})
    page = browser.get("/people/aadler/")
    assert "shut" in door(page, "Drive X") and "she was ill" in text(page)


def test_what_runs_out_and_who_may_what_are_lists(browser):
    browser.post("/sessions/new/", {**SESSION, "date": "2026-05-01", "step": "make"})
    assert "2026-07-01 Adler, Änne safety briefing" in text(browser.get("/expiring/?days=30"))
    assert "Adler" not in text(browser.get("/expiring/?days=14"))
    matrix = text(browser.get("/matrix/?group=neuro"))
    assert re.search(r"Adler, Änne open open shut shut", matrix)
    assert "Stein" not in matrix
    for strange in ("page=0", "page=-1", "page=99999999999", "page=x", "group='", "days=-1"):
        assert browser.get(f"/matrix/?{strange}").status_code == 200
        assert browser.get(f"/expiring/?{strange}").status_code == 200


def test_a_day_that_passes_changes_lists_without_anybody_doing_anything(browser, monkeypatch):
    from datetime import date

    browser.post("/sessions/new/", {**SESSION, "step": "make"})
    assert re.search(r"Adler, Änne open open", text(browser.get("/matrix/")))
    monkeypatch.setattr("facility.register.policy_file.today_in", lambda _policy: date(2026, 9, 1))
    assert re.search(r"Adler, Änne open shut", text(browser.get("/matrix/")))


def test_people_are_found_by_any_part_and_nothing_typed_is_code(browser):
    assert "Bär, Bo" in text(browser.get("/people/?q=BÄR"))
    assert browser.get("/suggest?q=cos").json() == {"people": [{"login": "ccosta", "name": "Costa, Cam"}]}
    answer = browser.get("/people/?q=<script>alert(1)</script>")
    assert "<script>alert" not in answer.content.decode()
    assert "Nobody was found." in text(answer)


def test_everybody_sees_the_own_doors_and_nothing_of_others(site):
    mine = logged_in("bbaer").get("/me/")
    assert "never recorded" in door(mine, "Drive X")
    assert "Adler" not in text(mine) and "Record" not in text(mine)
    assert "Nothing is recorded" in text(logged_in("stranger").get("/me/"))


# A calendar's address is its own password: tests/unit/test_register_calendar.py.
PUBLIC = {"log-in", "log-out", "export", "applied", "feed", "choose-password", "forgotten"}
EVERYBODY = {"start", "me", "change-password"}


def addresses():
    from facility.register.urls import urlpatterns

    values = {"login": "aadler", "session_id": "s1", "fact": "s1-1", "number": "1", "document": "d1", "token": "t1"}
    for one in urlpatterns:
        yield one.name, "/" + re.sub(r"<\w+:(\w+)>", lambda found: values[found.group(1)], str(one.pattern))


@pytest.mark.usefixtures("site")
def test_a_researcher_and_a_stranger_get_no_page_of_the_staff():
    from django.test import Client

    before = facts()
    for name, address in addresses():
        for method in ("get", "post", "put", "delete", "patch", "head"):
            researcher = getattr(logged_in("aadler"), method)(address)
            stranger = getattr(Client(), method)(address)
            if name not in PUBLIC | EVERYBODY:
                assert researcher.status_code in {403, 405}, (name, method)
            if name not in PUBLIC:
                assert stranger.status_code in {302, 405}, (name, method)
                assert stranger.status_code == 405 or stranger["Location"].startswith("/log-in/"), (name, method)
    assert facts() == before


@pytest.mark.usefixtures("site")
def test_a_change_without_the_csrf_token_is_refused():
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    user, _ = User.objects.get_or_create(username="stefan", defaults={"is_staff": True})
    client.force_login(user)
    assert client.post("/sessions/new/", {**SESSION, "step": "make"}).status_code == 403


def test_pages_run_no_inline_script_and_are_kept_by_no_proxy(browser):
    answer = browser.get("/people/aadler/")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store" and answer["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", answer.content.decode())


def test_the_export_is_for_the_controller_and_says_when_nothing_moved(browser):
    from django.test import Client

    from facility.register import exchange

    for shown in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}, {"Authorization": TOKEN}):
        assert Client().get("/export", headers=shown).status_code == 403
        assert browser.get("/export", headers=shown).status_code == 403
    asked = {"Authorization": f"Bearer {TOKEN}"}
    first = Client().get("/export", headers=asked)
    assert first.content.decode() == exchange.written_out()
    assert Client().get("/export", headers={**asked, "If-None-Match": first["ETag"]}).status_code == 304
    browser.post("/sessions/new/", {**SESSION, "step": "make"})
    second = Client().get("/export", headers={**asked, "If-None-Match": first["ETag"]})
    assert second.status_code == 200 and second["ETag"] != first["ETag"]


PDF = b"%PDF-1.7\n" + b"x" * 5000
S2 = {"id": "s2", "about": "requirement:s2", "date": "2026-06-15", "by": "thomas", "form": "oral", "state": "held",
      "person": ["aadler"]}  # fmt: skip


def sent(content, name="list.pdf"):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content)


def test_a_proof_is_kept_with_the_preview_and_recorded_with_the_session(browser):
    import hashlib

    from django.core.management import call_command

    assert "has no proof, which s2 requires" in text(browser.post("/sessions/new/", {**S2, "step": "make"}))
    preview = browser.post("/sessions/new/", {**S2, "step": "preview", "proof": sent(PDF)})
    assert "kept: pdf" in text(preview)
    ticket = re.search(r'name="ticket" value="([^"]+)"', preview.content.decode()).group(1)
    browser.post("/sessions/new/", {**S2, "step": "make", "ticket": ticket})
    file = proofs_folder() / hashlib.sha256(PDF).hexdigest()
    assert file.read_bytes() == PDF and file.stat().st_mode & 0o777 == 0o600
    served = browser.get("/proofs/s2-proof")
    assert b"".join(served.streaming_content) == PDF
    assert served["Content-Disposition"].startswith("attachment") and "sandbox" in served["Content-Security-Policy"]
    assert served["X-Content-Type-Options"] == "nosniff"
    call_command("audit")
    file.write_bytes(b"%PDF-forged")
    with pytest.raises(Exception, match="its file was changed"):
        call_command("audit")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MZ\x90 a program", "is no PDF, JPEG or PNG"),
        (b"<html><script>alert(1)</script>", "is no PDF, JPEG or PNG"),
        (b"", "is an empty file"),
        (b"%PDF-" + b"x" * 20_000_000, "larger than 20 MB"),
    ],
)
def test_a_proof_that_is_none_is_refused_and_nothing_of_it_stays(browser, content, words):
    form = {"requirement": "paper", "issued_on": "2026-06-01", "step": "make", "proof": sent(content, "scan.pdf")}
    before = facts()
    answer = browser.post("/people/aadler/document/", form)
    assert answer.status_code == 422 and words in text(answer)
    assert facts() == before
    assert not proofs_folder().exists() or list(proofs_folder().iterdir()) == []


def test_a_document_opens_what_demands_it_and_a_made_up_ticket_is_none(browser):
    form = {"requirement": "paper", "issued_on": "2026-06-01", "step": "make"}
    forged = browser.post("/people/aadler/document/", {**form, "ticket": "eyJzaGEyNTYiOiIuLi8uLi9rZXkifQ:x:y"})
    assert forged.status_code == 422
    browser.post("/people/aadler/document/", {**form, "proof": sent(b"\x89PNG\r\n\x1a\n" + b"x" * 50)})
    assert "document for Formblatt Z" in text(browser.get("/people/aadler/"))
    assert "Formblatt Z: never" not in text(browser.get("/people/aadler/"))


def test_proofs_that_belong_to_nothing_are_deleted_a_day_later(browser):
    import os
    import time

    from facility.register import proofs

    browser.post("/sessions/new/", {**S2, "step": "preview", "proof": sent(PDF)})
    assert proofs.delete_unused() == 0
    for file in proofs_folder().iterdir():
        os.utime(file, (time.time() - 100_000,) * 2)
    assert proofs.delete_unused() == 1


def test_pages_and_mails_speak_german_to_who_asks_for_it(browser):
    german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
    page = browser.get("/people/aadler/", headers=german)
    assert '<html lang="de">' in page.content.decode()
    assert "safety briefing: nie eingetragen" in door(page, "Laufwerk X")
    assert "shut" in door(browser.get("/people/aadler/", headers={"Accept-Language": "fr"}), "Drive X")


def test_every_word_is_translated_and_keeps_what_is_put_into_it():
    from facility.register.management.commands.compile_words import _SOURCES

    words = re.sub(r'"\n"', "", (_SOURCES / "de/LC_MESSAGES/django.po").read_text())
    assert "fuzzy" not in words
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', words, re.MULTILINE)
    assert len(pairs) > 130
    for ours, theirs in pairs:
        assert theirs, ours
        assert sorted(re.findall(r"%\(\w+\)s", ours)) == sorted(re.findall(r"%\(\w+\)s", theirs)), ours
    used = set()
    for file in _SOURCES.parent.rglob("*.html"):
        used |= set(re.findall(r"{% translate [\"']([^\"']+)[\"'] %}", file.read_text()))
        for block in re.findall(r"{% blocktranslate[^%]*%}(.+?){% endblocktranslate %}", file.read_text()):
            used.add(re.sub(r"{{ (\w+) }}", r"%(\1)s", block.split("{% plural %}")[0]))
    for file in _SOURCES.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                used |= {repr(one.value)[1:-1] for one in node.args if isinstance(one, ast.Constant)}
    assert used - set(re.findall(r'^msgid "(.+)"$', words, re.MULTILINE)) == set()


@pytest.mark.usefixtures("empty_site")
def test_a_proof_from_before_the_pages_is_known_by_its_sum_and_no_fault():
    from django.core.management import call_command

    from facility.people.facts import Facts
    from facility.people.interchange import written
    from facility.register import exchange
    from tests.people_facts import colleagues, paper, person

    exchange.read_in(written(Facts.of([*colleagues(), person(), paper(date(2026, 5, 1))])), "seed")
    call_command("audit")
    page = logged_in("sabine", staff=True).get("/people/anna/").content.decode()
    assert "document for Formblatt Z" in page and "/proofs/" not in page

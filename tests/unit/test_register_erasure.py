# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is held about a person comes as one archive, and goes without a trace; the audit still verifies."""

import io
import json
import zipfile

import pytest

from facility.people.entries import RegisterError
from tests.register_site import database, logged_in, proofs_folder

PDF = b"%PDF-1.7 signed by Aenne Adler"
TRACES = (b"aadler", "Änne".encode(), b"\\u00c4nne", b"Formblatt of Adler", b"signed by Aenne")


@pytest.fixture
def adler(browser):
    """Änne Adler has been briefed with Bo Bär, has filed a paper, was reminded, has logged in, and has left."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from facility.register.models import Sent

    session = {"id": "s1", "about": "requirement:safety", "date": "2026-06-01", "by": "thomas", "form": "oral",
               "state": "held", "person": ["aadler", "bbaer"], "step": "make"}  # fmt: skip
    assert browser.post("/sessions/new/", session).status_code == 302
    paper = {"id": "d1", "requirement": "paper", "issued_on": "2026-06-01", "step": "make"}
    sent = {**paper, "proof": SimpleUploadedFile("form.pdf", PDF)}
    assert browser.post("/people/aadler/document/", sent).status_code == 302
    assert browser.post("/facts/s1-1/revoke/", {"person": "aadler", "reason": "Formblatt of Adler"}).status_code == 302
    Sent.objects.create(login="aadler", what="safety", due="2026-08-25", stage=30)
    assert logged_in("aadler").get("/me/").status_code == 200
    page = browser.get("/people/aadler/change/").content.decode()
    base = page.split('name="base" value="')[1].split('"')[0]
    leaving = {"given_name": "Änne", "family_name": "Adler", "mail": "aadler@example.org", "kind": "researcher",
               "research_group": "neuro", "valid_until": "2026-06-14", "reason": "left", "base": base}  # fmt: skip
    assert browser.post("/people/aadler/change/", {**leaving, "step": "make"}).status_code == 302
    return browser


def test_the_archive_has_facts_acts_reminders_and_proofs(adler):
    from facility.register import erasure

    with zipfile.ZipFile(io.BytesIO(erasure.archive("aadler"))) as packed:
        held = json.loads(packed.read("aadler.json"))
        assert packed.read("proofs/d1.pdf") == PDF
    assert {one["fact"] for one in held["facts"]} == {"person", "attendance", "document"}
    assert len([one for one in held["facts"] if one["fact"] == "person"]) == 2
    assert [one["id"] for one in held["sessions"]] == ["s1"]
    assert {one["act"] for one in held["acts"]} >= {"document", "revoke", "change person"}
    assert held["reminders"][0][:2] == ["safety", "2026-08-25"]
    assert "bbaer" not in json.dumps([held["facts"], held["reminders"]])
    with pytest.raises(RegisterError, match="nothing is held"):
        erasure.archive("nobody")


def test_after_an_erasure_no_byte_of_the_person_is_left_and_the_audit_verifies(adler):
    from django.core.management import call_command

    from facility.register import exchange

    call_command("erase_person", "aadler", confirm="aadler")
    call_command("audit")
    assert "aadler" not in exchange.written_out()
    # The application still has the database open, as gunicorn has: its log on the disk is looked through as well.
    for file in [*database().parent.glob("register.sqlite3*"), *proofs_folder().iterdir()]:
        for trace in TRACES:
            assert trace not in file.read_bytes(), (file.name, trace)


def test_others_keep_what_was_recorded_with_the_person(adler):
    from facility.register import erasure

    before = adler.get("/people/bbaer/").content
    erasure.erase("aadler", "stefan")
    again = logged_in("stefan", staff=True).get("/people/bbaer/").content
    assert before.count(b"safety briefing") == again.count(b"safety briefing") > 0
    assert logged_in("stefan", staff=True).get("/people/aadler/").status_code == 404


def test_an_erased_login_is_never_given_again(adler):
    from facility.register import erasure
    from facility.register.ledger import Change, make

    erasure.erase("aadler", "stefan")
    again = {"fact": "person", "login": "aadler", "given_name": "Anton", "family_name": "Adler", "kind": "researcher",
             "mail": "anton@example.org", "research_group": "neuro", "valid_until": "2027-01-01"}  # fmt: skip
    with pytest.raises(RegisterError, match="was somebody's who was erased"):
        make("stefan", Change("new person", [again]))


@pytest.mark.usefixtures("adler")
def test_who_is_still_open_did_something_or_is_nobody_is_not_erased():
    from django.core.management import CommandError, call_command

    from facility.register import erasure
    from facility.register.models import Entry

    before = Entry.objects.count()
    for login, words in (("bbaer", "is still open"), ("nobody", "nothing is held"), ("stefan", "still open")):
        with pytest.raises(RegisterError, match=words):
            erasure.erase(login, "stefan")
    with pytest.raises(CommandError, match="add --confirm aadler"):
        call_command("erase_person", "aadler")
    assert Entry.objects.count() == before


def test_a_staff_member_whose_facts_about_others_still_count_is_kept(adler):
    from facility.register import erasure

    gone = {"given_name": "Thomas", "family_name": "Thoma", "mail": "t@example.org", "kind": "staff",
            "valid_until": "2026-06-14", "reason": "left", "step": "make"}  # fmt: skip
    page = adler.get("/people/thomas/change/").content.decode()
    base = page.split('name="base" value="')[1].split('"')[0]
    assert adler.post("/people/thomas/change/", {**gone, "base": base}).status_code == 302
    with pytest.raises(RegisterError, match="1 facts about others"):
        erasure.erase("thomas", "stefan")


def test_who_was_erased_stays_so_when_an_older_database_is_restored(adler, tmp_path):
    import shutil

    from django.core.management import call_command
    from django.db import connections

    from facility.register import erasure
    from facility.register.models import Entry

    def put(source, target):
        connections.close_all()
        for file in database().parent.glob("register.sqlite3-*"):
            file.unlink()
        shutil.copy(source, target)

    put(database(), tmp_path / "of-the-night")
    erasure.erase("aadler", "root")
    put(database(), tmp_path / "of-today")
    put(tmp_path / "of-the-night", database())
    assert Entry.objects.filter(login="aadler").exists()
    # Whose account was still open at that time is erased all the same.
    assert erasure.erase_again(tmp_path / "of-today", "root") == ["aadler"]
    assert not Entry.objects.filter(login="aadler").exists()
    assert erasure.was_erased("aadler")
    assert erasure.erase_again(tmp_path / "of-today", "root") == []
    call_command("audit")
    connections.close_all()
    for trace in TRACES:
        assert trace not in b"".join(file.read_bytes() for file in database().parent.glob("register.sqlite3*"))


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_what_is_no_register_erases_nobody(adler, tmp_path, content):
    from facility.register import erasure

    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(RegisterError, match="is no register's database"):
        erasure.erase_again(tmp_path / "file", "root")

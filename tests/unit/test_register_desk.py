# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `facility` on the register's host: it shows first, records when asked to, by the same rules."""

import json
import zipfile

import pytest
from typer.testing import CliRunner


@pytest.fixture
def desk(site, monkeypatch):
    """Run the command; give its exit code and what it says."""
    from facility.people import cli
    from facility.register import desk

    monkeypatch.setattr(cli, "_read", desk._inventory)

    def run(*arguments):
        done = CliRunner().invoke(desk.app, list(arguments))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def facts():
    from facility.register.models import Entry

    return Entry.objects.count()


BY = ("--by", "stefan")


def test_a_briefing_is_shown_first_and_recorded_when_asked_to(desk):
    before = facts()
    code, said = desk("session", "record", "safety", "aadler", "bbaer", *BY)
    assert code == 0 and "aadler: share denied -> allowed" in said and "Nothing was recorded" in said
    assert facts() == before
    code, said = desk("session", "record", "safety", "aadler", "bbaer", *BY, "--record", "--json")
    assert json.loads(said)["recorded"] is True and facts() == before + 3
    code, said = desk("access", "aadler", "share", "--on", "2026-06-15", "--json")
    assert json.loads(said)["doors"]["share"]["state"] == "allowed"


def test_somebody_comes_goes_on_leave_comes_back_is_extended_and_leaves_for_good(desk, tmp_path):
    new = ("--given-name", "Dora", "--family-name", "Neu", "--mail", "d@example.org", "--group", "neuro")
    assert desk("person", "add", "dneu", *new, "--until", "2027-01-31", *BY, "--record")[0] == 0
    assert "dneu" in desk("person", "show", "dneu")[1]
    assert "wiki allowed -> denied" in desk("person", "leave", "dneu", "--until", "2026-08-01", *BY, "--record")[1]
    assert "wiki denied -> allowed" in desk("person", "return", "dneu", "--reason", "back early", *BY, "--record")[1]
    code, said = desk("person", "return", "dneu", "--reason", "again", *BY, "--record")
    assert code == 2 and "is on no leave" in said
    assert desk("person", "extend", "dneu", "--until", "2026-06-14", "--reason", "left", *BY, "--record")[0] == 0
    archive = tmp_path / "dneu.zip"
    assert desk("person", "export", "dneu", str(archive))[0] == 0
    assert zipfile.ZipFile(archive).namelist() == ["dneu.json"]
    assert desk("person", "erase", "dneu", *BY) == (2, "nothing was erased: add --confirm dneu if you mean it\n")
    assert desk("person", "erase", "dneu", "--confirm", "dneu", *BY)[0] == 0
    assert desk("person", "show", "dneu")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("session", "record", "safty", "aadler", *BY), 2, 'did you mean "safety"?'),
        (("session", "record", "safety", "nobody", *BY, "--record"), 1, 'person "nobody" doesn\'t exist'),
        (("session", "record", "safety", "aadler", "--by", "bbaer", "--record"), 1, "is no member of the staff"),
        (("session", "record", "safety", "aadler", *BY, "--date", "2026-06-16", "--record"), 1, "state: planned"),
        (("person", "extend", "nobody", "--until", "2027-01-01", "--reason", "x", *BY), 2, "doesn't exist"),
        (("person", "extend", "aadler", "--until", "soon", "--reason", "x", *BY, "--record"), 1, "valid_until"),
        (("person", "leave", "aadler", "--reason", "tired", *BY, "--record"), 1, "reason"),
        (("person", "export", "nobody", "/tmp/none.zip"), 1, "nothing is held"),
        (("import", "/nowhere.csv", *BY), 1, "can't be read"),
        (("session", "record", "safety", "aadler"), 2, "--by"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_recorded(desk, arguments, code, words):
    before = facts()
    ended, said = desk(*arguments)
    assert ended == code and words in " ".join(said.split()), said
    assert facts() == before


def test_a_list_is_imported_as_a_whole_and_the_export_fills_an_empty_register(desk, tmp_path):
    from facility.people.interchange import read_lines
    from facility.register import ledger

    people = tmp_path / "people.csv"
    header = "login;given_name;family_name;mail;research_group;valid_until\n"
    people.write_text(header + "jneu;Jo;Neu;j@example.org;neuro;31.1.2027\n")
    assert desk("import", str(people), *BY, "--record")[0] == 0
    people.write_text(header + "kneu;Ka;Neu;j@example.org;nuero;31.1.2027\n")
    code, said = desk("import", str(people), *BY, "--record", "--json")
    assert code == 1 and any("line 2" in problem for problem in json.loads(said)["problems"])
    file = tmp_path / "export.jsonl"
    assert desk("export", str(file))[0] == 0
    assert desk("export")[1] == file.read_text()
    rules = ledger.policy()
    assert "jneu" in read_lines(file.read_text(), rules.policy, rules.administrators).known().people


def test_codes_are_printed_for_several_at_once_or_for_nobody(desk, monkeypatch):
    from dataclasses import replace

    from django.conf import settings

    told = replace(settings.FACILITY, password_unit="OU=R,DC=x", address="https://register1/")
    monkeypatch.setattr(settings, "FACILITY", told)
    code, said = desk("person", "invite", "aadler", "thomas", *BY)
    assert code == 1 and "thomas is of the staff" in said
    from facility.register.models import Code

    assert not Code.objects.exists()
    code, said = desk("person", "invite", "aadler", "bbaer", *BY)
    assert code == 0 and said.count("https://register1/password/#") == 2
    assert desk("person", "invite", "aadler", *BY, "--mail")[0] == 2
    assert set(json.loads(desk("person", "invite", "ccosta", *BY, "--json")[1])["people"]) == {"ccosta"}

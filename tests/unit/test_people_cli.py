# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `facility` as staff use it on the example, and what it says to who mistypes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from facility.people.cli import app

ON = ["--on", "2026-11-30"]


@pytest.fixture
def example(repository, tmp_path_factory):
    """The example as it is in git: a facility that runs from this checkout has fetched its register's export."""
    folder = tmp_path_factory.mktemp("example")
    for part in ("register", "group_vars"):
        fetched = shutil.ignore_patterns("export.jsonl", ".export*", ".followed*", "vault.yml")
        shutil.copytree(repository / "inventories" / "example" / part, folder / part, ignore=fetched)
    return folder


@pytest.fixture
def ask(example):
    """Run a command on the example; give exit code, output and errors."""

    def run(*arguments, inventory=example):
        done = CliRunner().invoke(app, [*arguments, "--inventory", str(inventory)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def site(example, tmp_path):
    """A copy of the example that a test may spoil."""
    for part in ("register", "group_vars"):
        shutil.copytree(example / part, tmp_path / part)
    return tmp_path


def test_why_she_can_not_use_the_instrument_since_when_and_who_can_cure_it(ask):
    code, output, _ = ask("access", "bbergstroem", "sted", *ON)
    assert code == 0
    for words in ("denied", "safety-briefing: expired since 2026-09-30", "be trained on STED microscope (tthoma)"):
        assert words in output


def test_a_door_is_named_in_full_or_an_instrument_for_its_log_on(ask):
    for door, found in (("wiki", "wiki"), ("sted", "log-on:sted"), ("ppms:sted", "ppms:sted")):
        code, output, _ = ask("access", "aadler", door, *ON, "--json")
        assert (code, list(json.loads(output)["doors"])) == (0, [found])


def test_json_has_all_doors_with_dates_as_text_and_says_the_day(ask):
    _, output, _ = ask("access", "aadler", *ON, "--json")
    found = json.loads(output)
    assert (found["on"], found["login"], found["untouched"]) == ("2026-11-30", "aadler", False)
    assert found["doors"]["share"] == {"state": "allowed", "until": "2027-03-31", "closes": "2027-03-31", "reasons": []}
    assert len(found["doors"]) == 3 + 6 + 6
    assert found["doors"]["log-on:sted"]["reasons"][0] == {
        "code": "never", "requirement": "s1-briefing", "since": None, "until": None,
        "cure": "take part in the yearly briefing for S1 (genetic engineering)", "who": ["staff"],
    }  # fmt: skip


def test_could_she_on_that_day_and_what_was_known_then(ask):
    now = json.loads(ask("access", "aadler", "confocal-2", "--on", "2026-10-02", "--json")[1])
    later = json.loads(ask("access", "aadler", "confocal-2", "--on", "2026-10-05", "--json")[1])
    known = json.loads(
        ask("access", "aadler", "confocal-2", "--on", "2026-10-05", "--known-on", "2026-10-04", "--json")[1]
    )
    states = [found["doors"]["log-on:confocal-2"]["state"] for found in (now, later, known)]
    assert states == ["denied", "allowed", "denied"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["access", "adler"], 'login "adler" doesn\'t exist: did you mean "aadler"?'),
        (["person", "show", "adler"], 'login "adler" doesn\'t exist: did you mean "aadler"?'),
        (["access", "aadler", "confocal1"], 'door "confocal1" doesn\'t exist: did you mean "confocal-1"?'),
        (["access", "aadler", "--on", "3.5.2026"], "is no date: write a day like 2026-12-31"),
        (["access", "aadler", "--on", "2026-02-30"], "is no date: write a day like 2026-12-31"),
        (["expiring", "--days", "-5"], "should be greater than or equal to 0"),
    ],
)
def test_who_mistypes_is_told_what_was_meant_and_the_exit_code_is_two(ask, arguments, words):
    code, output, errors = ask(*arguments)
    assert code == 2
    assert output == ""
    assert words in " ".join(errors.replace("│", " ").split())


def test_it_administrators_are_untouched(ask):
    code, output, _ = ask("access", "iivanova", "wiki")
    assert code == 0
    assert "nothing is decided or changed" in output
    assert json.loads(ask("access", "iivanova", "--json")[1])["untouched"] is True


def test_a_person_is_shown_with_what_is_recorded_and_by_whom(ask):
    code, output, _ = ask("person", "show", "aadler")
    assert code == 0
    for words in ("Anna Adler (aadler)", "research group neuro", "mmarechal", "of safety-briefing", "Next change"):
        assert words in output
    found = json.loads(ask("person", "show", "aadler", "--json")[1])
    assert found["person"]["mail"] == "anna.adler@neuro.example.org"
    assert {fact["fact"] for fact in found["facts"]} == {"person", "attendance", "document", "use"}
    assert found["decision"]["login"] == "aadler"


def test_what_runs_out_is_listed_with_the_earliest_first(ask):
    code, output, _ = ask("expiring", "--days", "14", *ON)
    assert code == 0
    assert "2026-12-11" in output
    found = json.loads(ask("expiring", "--days", "365", *ON, "--json")[1])
    assert [row["until"] for row in found] == sorted(row["until"] for row in found)
    assert found[0] == {"until": "2026-12-11", "login": "eerdogan", "what": "laser-safety", "state": "exception"}
    assert {"until": "2027-02-28", "login": "mmueller", "what": "account", "state": "allowed"} in found
    assert "Nothing runs out up to 2026-12-01." in ask("expiring", "--days", "1", *ON)[1]


def test_check_counts_what_is_good_and_names_all_that_is_not(ask, site):
    assert ask("check")[0] == 0
    assert json.loads(ask("check", "--json")[1])["facts"]["sessions"] == 7
    file = site / "register/facts/2026.yml"
    file.write_text(file.read_text().replace("by: tthoma", "by: rrossi").replace("person: ccosta", "person: ccoste"))
    code, output, errors = ask("check", inventory=site)
    assert (code, output) == (1, "")
    assert 'by "rrossi" may not train on confocal-1: tthoma, sstein may' in errors
    assert 'person "ccoste" doesn\'t exist: did you mean "ccosta"?' in errors
    assert len(json.loads(ask("check", "--json", inventory=site)[1])["problems"]) == len(errors.splitlines())


def test_with_problems_nothing_is_answered(ask, site):
    (site / "register/facts/2027.yml").write_text("sessions: [\n")
    assert ask("access", "aadler", inventory=site)[:2] == (1, "")


def test_a_folder_that_is_no_inventory_is_named(ask, tmp_path):
    code, _, errors = ask("check", inventory=tmp_path)
    assert code == 1
    assert "group_vars/all/facility.yml: there is no such file" in errors


def test_a_name_in_square_brackets_is_shown_as_it_is(ask, site):
    file = site / "register/people.yml"
    file.write_text(file.read_text().replace("family_name: Adler", 'family_name: "[red]Adler[/red]"'))
    assert "Anna [red]Adler[/red] (aadler)" in ask("person", "show", "aadler", inventory=site)[1]


def test_nothing_is_written(ask, site):
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    for arguments in (["check"], ["access", "aadler"], ["person", "show", "aadler"], ["expiring"]):
        assert ask(*arguments, inventory=site)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


def test_it_runs_as_a_module(repository):
    done = subprocess.run(
        [sys.executable, "-m", "facility.people", "access", "adler"], cwd=repository, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": "src"}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'login "adler" doesn\'t exist: did you mean "aadler"?\n'

# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of who was in which session opens doors as the form does, as a whole or not at all, and never counts twice."""

import io
import json
import re

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from facility.people.entries import RegisterError
from facility.register import tables

HEADER = ["login", "about", "date", "by", "result", "form"]
LINES = [
    ["aadler", "safety", "2026-06-10", "thomas", "attended", ""],
    ["bbaer", "Safety Briefing", "10.6.2026", "Thomas", "failed", "oral"],
    ["aadler", "lamp", "2026-06-11", "thomas", "attended", ""],
]


def csv(*lines, header=HEADER, delimiter=";"):
    return "".join(delimiter.join(line) + "\r\n" for line in (header, *lines))


def sent(text):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("list.csv", text if isinstance(text, bytes) else text.encode())


def send(browser, text, step="make"):
    return browser.post("/new-sessions/", {"step": step, "file": sent(text)})


def facts(kind):
    from facility.register.models import Entry

    return Entry.objects.filter(kind=kind).count()


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("&quot;", '"')


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_dialect_of_excel_and_german_words_give_the_same_lines(delimiter, encoding):
    german = ["Anmeldename", "Thema", "Datum", "Durch", "Ergebnis", "Form"]
    line = ["BBaer", "safety", "3.6.2026", "Thomas", "Nicht  bestanden", "mündlich"]
    read = tables.rows(csv(line, header=german, delimiter=delimiter).encode(encoding), tables.SESSIONS)
    assert read == [(2, dict(zip(HEADER, ["bbaer", "safety", "2026-06-03", "thomas", "failed", "oral"], strict=True)))]


def test_lines_of_the_same_session_become_one_previewed_and_recorded_as_a_whole(browser):
    preview = send(browser, csv(*LINES), "preview")
    assert "Änne Adler : Drive X shut → open" in text(preview)
    assert facts("session") == facts("attendance") == 0
    table = re.search(r'name="table" value="([^"]+)"', preview.content.decode())[1]
    assert browser.post("/new-sessions/", {"step": "make", "table": table}).status_code == 302
    assert (facts("session"), facts("attendance")) == (2, 3)
    assert "failed" in text(browser.get("/people/bbaer/"))


def test_a_workbook_is_read_with_its_own_days(browser):
    from datetime import date

    book = Workbook()
    for line in (HEADER[:5], ["aadler", "safety", date(2026, 6, 10), "thomas", "attended"]):
        book.active.append(line)
    packed = io.BytesIO()
    book.save(packed)
    assert send(browser, packed.getvalue()).status_code == 302
    assert facts("attendance") == 1


def test_the_same_list_sent_again_is_refused_line_by_line(browser):
    assert send(browser, csv(*LINES)).status_code == 302
    again = send(browser, csv(*LINES))
    assert again.status_code == 422
    for line in ('line 2: "aadler" is recorded', 'line 3: "bbaer" is recorded', 'line 4: "aadler" is recorded'):
        assert line in text(again)
    assert facts("attendance") == 3
    later = ["ccosta", "safety", "2026-06-10", "thomas", "attended", ""]
    assert send(browser, csv(later)).status_code == 302


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["aadler", "safty", "2026-06-10", "thomas", "attended", ""], 'line 3, about: "safty" doesn\'t exist: did you'),
        (["aadler", "", "2026-06-10", "thomas", "attended", ""], 'line 3, about: "" doesn\'t exist'),
        (["nobody", "safety", "2026-06-10", "thomas", "attended", ""], 'line 3: person "nobody" doesn\'t exist'),
        (["", "safety", "2026-06-10", "thomas", "attended", ""], "line 3: person"),
        (["aadler", "safety", "2026-06-16", "thomas", "attended", ""], "line 3: date 2026-06-16 is after"),
        (["aadler", "safety", "6/10/2026", "thomas", "attended", ""], "line 3: date"),
        (["aadler", "safety", "2026-06-10", "bbaer", "attended", ""], 'line 3: by "bbaer" is no member of the staff'),
        (["aadler", "lamp", "2026-06-10", "stefan", "attended", ""], 'line 3: by "stefan" may not train on lamp'),
        (["aadler", "safety", "2026-06-10", "thomas", "", ""], "line 3: result is missing"),
        (["aadler", "safety", "2026-06-10", "thomas", "yes", ""], "line 3: result"),
        (["aadler", "laser", "2026-06-10", "thomas", "attended", ""], 'line 3: result "attended" doesn\'t do'),
        (["aadler", "s2", "2026-06-10", "thomas", "attended", ""], "line 3: has no proof, which s2 requires"),
        (["aadler", "paper", "2026-06-10", "thomas", "attended", ""], "line 3: paper is met by a document"),
        (["ccosta", "safety", "2026-06-10", "thomas", "failed", ""], 'line 3: says of "ccosta" what line 2 says'),
        (["aadler", "safety", "=TODAY()", "thomas", "attended", ""], 'line 3, date: "=TODAY()" is a formula'),
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_named_and_nothing_of_the_list_is_recorded(browser, line, words):
    good = ["ccosta", "safety", "2026-06-10", "thomas", "attended", ""]
    answer = send(browser, csv(good, line))
    assert answer.status_code == 422
    assert words in text(answer).replace("&#x27;", "'")
    assert facts("session") == facts("attendance") == 0


def test_all_that_makes_no_sense_is_given_as_a_file(browser):
    page = send(browser, csv(["nobody", *LINES[0][1:]], ["ccosta", "safty", *LINES[0][2:]])).content.decode()
    problems = re.search(r'name="all_problems" hidden>([^<]+)<', page)[1]
    saved = browser.post("/new-sessions/", {"step": "problems", "all_problems": problems})
    assert saved["Content-Disposition"].startswith("attachment") and b"line 3, about" in saved.content


@pytest.mark.usefixtures("site")
def test_a_name_of_a_requirement_and_an_instrument_is_never_guessed(monkeypatch):
    from facility.people import policy as policies
    from facility.register import session_lists
    from tests.register_site import policy

    described = policy()
    described["requirements"].append({"name": "lamp", "title": "laser lamps"})
    both = policies.validated(described)
    monkeypatch.setattr("facility.register.ledger.policy", lambda: type("Rules", (), {"policy": both}))
    row = dict(zip(HEADER, LINES[2], strict=True))
    with pytest.raises(RegisterError, match="may be requirement:lamp or instrument:lamp: write which"):
        session_lists.change([(2, row)])
    change = session_lists.change([(2, {**row, "about": "instrument:lamp"})])
    assert change.new[0]["instrument"] == "lamp"


def test_more_people_than_one_session_may_have_are_refused(browser, monkeypatch):
    monkeypatch.setattr("facility.register.ledger.people_at_once", lambda: 1)
    assert "line 2: These are too many people" in text(send(browser, csv(*LINES)))


def test_the_command_shows_first_and_records_when_asked_to(site, tmp_path, monkeypatch):
    from facility.people import cli
    from facility.register import desk

    monkeypatch.setattr(cli, "_read", desk._inventory)
    file = tmp_path / "sessions.csv"
    file.write_text(csv(*LINES))
    command = ["import", str(file), "--sessions", "--by", "stefan"]
    shown = CliRunner().invoke(desk.app, command)
    assert "aadler: share denied -> allowed" in shown.output and "Nothing was recorded" in shown.output
    assert facts("attendance") == 0
    done = CliRunner().invoke(desk.app, [*command, "--record", "--json"])
    assert json.loads(done.output)["recorded"] is True and facts("attendance") == 3
    refused = CliRunner().invoke(desk.app, [*command, "--record", "--json"])
    assert refused.exit_code == 1
    assert any(problem.startswith("line 2: ") for problem in json.loads(refused.output)["problems"])

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger and a researcher find in the pages in which staff record facts about people."""

from __future__ import annotations

import pytest

from tests.attacks.web import ELSEWHERE

STAFFS = [
    "/people/",
    "/people/bbergstroem/",
    "/people/bbergstroem/change/",
    "/people/bbergstroem/invite/",
    "/people/sstein/invite/",
    "/people/bbergstroem/exception/",
    "/people/bbergstroem/block/",
    "/people/bbergstroem/document/",
    "/suggest?q=b",
    "/new-person/",
    "/new-people/",
    "/sessions/",
    "/sessions/new/",
    "/sessions/safety-2026/held/",
    "/expiring/",
    "/matrix/",
    "/facts/safety-2026/revoke/",
    "/acts/1/undo/",
    "/export",
    "/applied",
    "/proofs/attack.pdf",
    "/proofs/..%2fdb.sqlite3",
]
HIDDEN = [
    "/admin/",
    "/.git/config",
    "/static/../../etc/passwd",
    "/static/..%2f..%2fetc/passwd",
    "/static/",
    "/db.sqlite3",
    "/settings.py",
    "/etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/__debug__/",
    "/media/",
]
FORM = "/log-in/"


@pytest.fixture
def stranger(visit):
    return visit("register1")


def log_in(visitor, login, password, page=FORM):
    return visitor.send(page, {**visitor.hidden(page), "username": login, "password": password})


@pytest.fixture(scope="module")
def thief(visit, facility):
    visitor = visit("register1")
    assert log_in(visitor, "aadler", facility.password_of("aadler")).status_code == 302
    assert visitor.open("/me/").status_code == 200
    return visitor


def tells_of_others(facility, text):
    return [login for login in facility.logins if login != "aadler" and login in text]


@pytest.mark.parametrize("path", [*STAFFS, "/me/", "/password/change/"])
def test_a_stranger_is_sent_to_the_form(stranger, facility, path):
    answer = stranger.open(path)
    assert answer.status_code in {302, 400, 403, 404, 405}
    assert answer.headers.get("Location", FORM).startswith(FORM)
    assert tells_of_others(facility, answer.text) == []


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_for_browsers_is_not_served(stranger, path):
    answer = stranger.open(path)
    assert answer.status_code in {400, 403, 404}
    assert "root:x:" not in answer.text


@pytest.mark.parametrize("path", STAFFS)
def test_a_researcher_reads_nothing_of_others(thief, facility, path):
    answer = thief.open(path)
    assert answer.status_code in {302, 400, 403, 404, 405}
    assert tells_of_others(facility, answer.text) == []


@pytest.mark.parametrize("path", [path for path in STAFFS if path.endswith("/") and "proofs" not in path])
def test_a_researcher_records_nothing(thief, path):
    answer = thief.send(path, {**thief.hidden("/me/"), "reason": "attack"})
    assert answer.status_code in {403, 404, 405}


def test_a_form_from_another_site_logs_nobody_in(stranger, facility):
    form = {**stranger.hidden(FORM), "username": "aadler", "password": facility.password_of("aadler")}
    assert stranger.send(FORM, form, {"Referer": ELSEWHERE, "Origin": ELSEWHERE[:-1]}).status_code == 403
    assert stranger.open("/me/").status_code == 302


@pytest.mark.parametrize("target", [ELSEWHERE, "//elsewhere.example.com/"])
def test_a_log_in_leads_nowhere_else(stranger, facility, target):
    answer = log_in(stranger, "aadler", facility.password_of("aadler"), f"{FORM}?next={target}")
    assert answer.status_code == 302, "the log-in itself failed"
    assert "elsewhere" not in answer.headers["Location"]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_another_host_s_name_is_not_believed(stranger, header):
    answer = stranger.open(FORM, {header: "elsewhere.example.com"})
    assert "elsewhere.example.com" not in answer.text + str(answer.headers)

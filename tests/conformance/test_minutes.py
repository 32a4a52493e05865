# SPDX-License-Identifier: GPL-3.0-or-later
"""What PPMS is told of the people at the console, and what the journal keeps of it."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.conformance.pc import AADLER, BERG, BROKEN_WMI, CODE, START, Agent, Line
from tests.conformance.tracker import Answer, Tracker


def users(tracker: Tracker) -> list[str]:
    return [request.query["u"] for request in tracker.requests]


def test_a_minute_is_reported_as_the_tracker_expects_it(agent: Agent, tracker: Tracker) -> None:
    assert agent.minute() == 0
    (request,) = tracker.requests
    assert (request.method, request.path, request.raw_query) == ("POST", "/rt.asp", "i=42&u=aadler&f=1")
    assert request.body == CODE
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_minute_is_journalled_and_told_in_the_state(agent: Agent) -> None:
    agent.minute()
    (line,) = agent.journal
    assert line[1:] == ("aadler", 1, "sent", "http 200: OK")
    assert 0 <= (line.time - START).total_seconds() < 20
    state = agent.state
    stamp = line.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert state["last_run"] == state["last_sent"] == state["session_start"] == stamp
    assert state["engine"] == agent.engine
    assert state["console"] == AADLER
    assert state["login"] == state["session_login"] == "aadler"
    assert (state["last_result"], state["last_detail"], state["config_error"]) == ("sent", "http 200: OK", "")


def test_every_minute_of_a_session_is_sent_once(agent: Agent, tracker: Tracker) -> None:
    assert agent.minutes(AADLER, AADLER, AADLER) == [0, 0, 0]
    assert users(tracker) == ["aadler"] * 3
    assert agent.results == ["sent"] * 3
    assert agent.state["session_start"] == agent.journal[0].time.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_nobody_at_the_console_costs_nobody_anything(agent: Agent, tracker: Tracker) -> None:
    assert agent.minute("") == 0
    assert tracker.requests == []
    assert agent.journal[0][1:] == ("", 1, "nobody", "")
    assert (agent.state["console"], agent.state["session_login"], agent.state["session_start"]) == ("", "", "")


def test_a_log_off_ends_the_session(agent: Agent, tracker: Tracker) -> None:
    agent.minutes(AADLER, "", "")
    assert len(tracker.requests) == 1
    assert agent.results == ["sent", "nobody", "nobody"]
    assert agent.state["session_login"] == ""


def test_after_a_user_switch_the_next_person_is_counted(agent: Agent, tracker: Tracker) -> None:
    agent.minutes(AADLER, BERG)
    assert users(tracker) == ["aadler", "bbergstroem"]
    assert agent.state["session_login"] == "bbergstroem"
    assert agent.state["session_start"] == agent.journal[1].time.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("console", "sent"),
    [
        ("aadler@imaging.example.org", "u=aadler"),
        ("IMAGING\\Anna Adler", "u=anna%20adler"),
        # Not Ü: Wine's JScript makes no small letter of it.
        ("IMAGING\\Jürgen.MüLLER", "u=j%C3%BCrgen.m%C3%BCller"),
        ("IMAGING\\o'neil&f=60", "u=o'neil%26f%3D60"),
        ("IMAGING\\łukasz-张", "u=%C5%82ukasz-%E5%BC%A0"),
    ],
    ids=["as mail address", "blank and capitals", "umlauts", "query characters", "other scripts"],
)
def test_a_login_arrives_whole(agent: Agent, tracker: Tracker, console: str, sent: str) -> None:
    assert agent.minute(console) == 0
    assert tracker.requests[0].raw_query == f"i=42&{sent}&f=1"
    assert agent.results == ["sent"]


def test_a_login_with_umlauts_is_journalled_in_plain_ascii(agent: Agent) -> None:
    agent.minutes("IMAGING\\Jürgen Müller", "IMAGING\\Jürgen Müller")
    assert [line.login for line in agent.journal] == ["j%C3%BCrgen m%C3%BCller"] * 2
    assert agent.state["console"] == "IMAGING\\J%C3%BCrgen M%C3%BCller"
    assert agent.state["session_start"] == agent.journal[0].time.strftime("%Y-%m-%dT%H:%M:%SZ"), "one session"


def test_a_site_may_have_the_domain_sent(agent: Agent, tracker: Tracker) -> None:
    agent.configure(login_rule="with_domain")
    agent.minute("IMAGING\\AAdler")
    assert tracker.requests[0].query["u"] == "IMAGING\\AAdler"


def test_an_ignored_login_is_journalled_and_not_sent(agent: Agent, tracker: Tracker) -> None:
    agent.configure(ignored_logins="localadmin, Service-Account")
    agent.minutes("MIC1\\LocalAdmin", "IMAGING\\service-account", AADLER)
    assert users(tracker) == ["aadler"]
    assert [line[1:] for line in agent.journal[:2]] == [
        ("localadmin", 1, "ignored", "login is ignored"),
        ("service-account", 1, "ignored", "login is ignored"),
    ]


def test_a_local_account_is_ignored_where_domains_are_given(agent: Agent, tracker: Tracker) -> None:
    agent.configure(domains="imaging, imaging.example.org")
    agent.minutes("MIC1\\aadler", AADLER, "aadler@IMAGING.example.org")
    assert users(tracker) == ["aadler", "aadler"]
    assert agent.journal[0][1:] == ("aadler", 1, "ignored", "domain is not counted: MIC1")


def test_when_wmi_is_broken_the_minute_is_unknown_and_nobody_pays(agent: Agent, tracker: Tracker) -> None:
    assert agent.minutes(AADLER, BROKEN_WMI, AADLER) == [0, 0, 0]
    assert agent.results == ["sent", "unknown", "sent"]
    assert agent.journal[1].detail.startswith("wmi 8004")
    assert len(tracker.requests) == 2
    assert agent.state["unknown_minutes"] == "1"


def test_a_site_may_report_every_five_minutes(agent: Agent, tracker: Tracker) -> None:
    agent.configure(interval_minutes=5)
    agent.minutes(AADLER, AADLER, AADLER, step=300)
    assert [request.query["f"] for request in tracker.requests] == ["5"] * 3
    assert [line.minutes for line in agent.journal] == [5] * 3


def test_a_refusal_is_told_apart_from_an_outage(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(200, 'ERROR: user aadler, not\r\nfound on "this" system')]
    assert agent.minute() == 0
    assert agent.journal[0][1:] == ("aadler", 1, "refused", "ERROR: user aadler not found on this system")
    assert (agent.state["refused_minutes"], agent.state["unsent_minutes"], agent.state["last_sent"]) == ("1", "0", "")


def test_a_long_refusal_is_cut_and_has_no_foreign_characters(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(200, "error: Gerät gesperrt " + "x" * 200)]
    agent.minute()
    (line,) = agent.journal
    assert line.detail.startswith("error: Ger?t gesperrt xxx")
    assert len(line.detail) == 80


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<html><body>Please log in, it is late</body></html>", "<html><body>Please log in it is late</body></html>"),
        ("system right not authorized", "system right not authorized"),
        ("invalid code", "invalid code"),
        ("ok, no error", "ok no error"),
        ("", "(empty)"),
        ("x" * 300, "x" * 80),
    ],
)
def test_an_answer_that_the_tracker_is_not_known_to_give_is_no_success(
    agent: Agent, tracker: Tracker, body: str, kept: str
) -> None:
    tracker.answers = [Answer(200, body)]
    assert agent.minute() == 0
    assert agent.journal[0][1:] == ("aadler", 1, "unsure", f"http 200: {kept}")
    state = agent.state
    assert (state["unsure_minutes"], state["unsent_minutes"], state["last_sent"]) == ("1", "0", "")
    assert state["last_detail"] == f"http 200: {kept}"


def test_a_site_says_what_its_tracker_answers(agent: Agent, tracker: Tracker) -> None:
    agent.configure(tracker_answers="counted 1,(empty)")
    tracker.answers = [Answer(200, "Counted,\r\n1"), Answer(200, ""), Answer(200, "OK")]
    agent.minutes(AADLER, AADLER, AADLER)
    assert agent.results == ["sent", "sent", "unsure"]


def test_somebody_who_is_not_at_the_console_is_elsewhere_and_nobody_is_sent(agent: Agent, tracker: Tracker) -> None:
    agent.desktops("2 3 3")
    agent.minute("")
    assert agent.journal[0][1:] == ("", 1, "elsewhere", "2 sessions and nobody at the console")
    assert (agent.state["elsewhere_minutes"], tracker.requests) == ("1", [])
    assert agent.check("")["sessions"] == "2"
    agent.desktops("")
    agent.minute("", start=START + dt.timedelta(minutes=1))
    assert agent.results == ["elsewhere", "nobody"]


def test_whoever_is_at_the_console_is_sent_whoever_else_has_a_session(agent: Agent, tracker: Tracker) -> None:
    agent.desktops("1 2")
    agent.minute()
    assert agent.results == ["sent"]
    assert [request.query["u"] for request in tracker.requests] == ["aadler"]


def test_the_code_is_nowhere_even_when_the_server_repeats_it(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(200, f"error: code {CODE.upper()} and {CODE} are wrong for you"), Answer(500, CODE)]
    agent.minutes(AADLER, AADLER)
    assert agent.journal[0].detail == "error: code *** and *** are wrong for you"
    assert CODE.lower() not in agent.everything_written().lower()
    assert CODE.lower() not in agent.says("/check").lower()


def test_a_line_of_the_journal_can_be_read_by_any_csv_reader(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(200, 'error:,,,\t""\x01\x7f;\'')]
    agent.minutes('IMAGING\\a,b"c%d', "")
    assert agent.journal == [
        Line(agent.journal[0].time, "a%2Cb%22c%25d", 1, "refused", "error: ??;'"),
        Line(agent.journal[1].time, "", 1, "nobody", ""),
    ]

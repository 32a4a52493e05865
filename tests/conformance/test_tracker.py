# SPDX-License-Identifier: GPL-3.0-or-later
"""A tracker that is away, slow, wrong or not who it says; and what is sent late afterwards."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from tests.conformance.pc import AADLER, BERG, CODE, START, Agent
from tests.conformance.tracker import NAME, OK, Answer, Network, Tracker

# Surely not counted; of a status of 5xx nobody knows.
DOWN = Answer(404, "moved")
RUN_SECONDS = 10
WINE_SECONDS = 3
"""Starting cscript and the container's shell, on a busy machine."""


def minutes_sent(tracker: Tracker) -> list[str]:
    return [request.query["f"] for request in tracker.requests]


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_minute_that_the_server_rejects_is_unsent(agent: Agent, tracker: Tracker, status: int) -> None:
    tracker.answers = [Answer(status, "error page")]
    assert agent.minute() == 0
    assert agent.journal[0][1:] == ("aadler", 1, "unsent", f"http {status}: error page")
    assert (agent.state["unsent_minutes"], agent.state["last_sent"]) == ("1", "")


def test_a_redirect_is_not_followed(agent: Agent, tracker: Tracker) -> None:
    for status in (302, 307):
        tracker.answers.append(Answer(status, "", {"Location": f"https://{NAME}:{tracker.port}/elsewhere"}))
    agent.minutes(AADLER, AADLER)
    assert [line.detail for line in agent.journal] == ["http 302: (empty)", "http 307: (empty)"]
    assert [request.path for request in tracker.requests] == ["/rt.asp", "/rt.asp"]


def test_a_tracker_whose_certificate_is_not_trusted_never_sees_the_code(agent: Agent, network: Network) -> None:
    agent.configure(tracker_url=f"https://{NAME}:{network.stranger.port}/rt.asp")
    assert agent.minute() == 0
    assert agent.journal[0][3:] == ("unsent", "tls")
    assert network.stranger.requests == []
    assert agent.check()["tracker"] == "tls"


def test_a_tracker_under_another_name_never_sees_the_code(agent: Agent, tracker: Tracker, network: Network) -> None:
    agent.configure(tracker_url=f"https://{network.address}:{tracker.port}/rt.asp")
    agent.minute()
    assert agent.journal[0][3:] == ("unsent", "tls")
    assert tracker.requests == []


def test_an_unknown_host_is_told_as_dns(agent: Agent) -> None:
    agent.configure(tracker_url="https://nowhere.invalid/rt.asp")
    agent.minute()
    assert agent.journal[0][3:] == ("unsent", "dns")
    assert agent.check()["tracker"] == "dns"


def test_a_closed_port_is_told_as_refused_connection(agent: Agent) -> None:
    agent.configure(tracker_url=f"https://{NAME}:1/rt.asp")
    agent.minute()
    assert agent.journal[0][3:] == ("unsent", "refused-connection")
    assert agent.check()["tracker"] == "refused-connection"


@pytest.mark.parametrize(
    "answer", [Answer(delay=30), Answer(body="o", trickle=30)], ids=["no answer", "an answer that does not end"]
)
def test_a_run_ends_in_time_however_slow_the_tracker_is(agent: Agent, tracker: Tracker, answer: Answer) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [answer]
    began = time.monotonic()
    assert agent.minute() == 0
    assert time.monotonic() - began < RUN_SECONDS + WINE_SECONDS
    assert agent.journal[0][3:] == ("unsent", "timeout")
    # PPMS may have counted it: it is not sent again.
    agent.minute(start=START + dt.timedelta(minutes=1))
    assert minutes_sent(tracker) == ["1", "1"]


def test_a_host_that_does_not_answer_at_all_is_a_timeout(agent: Agent) -> None:
    agent.configure(tracker_url="https://10.42.20.250/rt.asp")
    began = time.monotonic()
    agent.minute()
    assert time.monotonic() - began < RUN_SECONDS + WINE_SECONDS
    assert agent.results == ["unsent"]


def test_a_slow_answer_still_counts(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [Answer(delay=2)]
    agent.minute()
    assert agent.results == ["sent"]


def test_the_machines_proxy_is_used_and_sees_only_the_name(agent: Agent, tracker: Tracker, network: Network) -> None:
    # What netsh sets on Windows, Wine takes from here.
    agent.environment["http_proxy"] = f"http://{network.address}:{network.proxy.port}"
    agent.minute()
    assert agent.results == ["sent"]
    assert network.proxy.wanted == [f"CONNECT {NAME}:{tracker.port}"]
    assert [request.body for request in tracker.requests] == [CODE]


def test_a_proxy_that_is_away_is_an_outage(agent: Agent, tracker: Tracker, network: Network) -> None:
    agent.environment["http_proxy"] = f"http://{network.address}:1"
    agent.minute()
    assert agent.journal[0][3:] == ("unsent", "refused-connection")
    assert tracker.requests == []


@pytest.mark.parametrize(
    ("proxy", "asked"),
    [("proxy.example.org:8080", 'request_set_option 3 L"proxy.example.org:8080"'), ("direct", "request_set_option 1 ")],
)
def test_windows_is_asked_for_the_proxy_of_the_configuration(agent: Agent, proxy: str, asked: str) -> None:
    # Wine 10 says that it ignores a request's own proxy; Windows does not.
    agent.configure(proxy=proxy)
    agent.minute()
    assert asked in agent.wine_says


def test_the_servers_clock_is_compared(agent: Agent, tracker: Tracker) -> None:
    ahead = START + dt.timedelta(seconds=600)
    tracker.answers = [
        Answer(headers={"Date": ahead.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
        Answer(headers={"Date": "?"}),
    ]
    agent.minute()
    assert -600 <= int(agent.state["server_clock_difference"]) < -580
    agent.minute(start=START + dt.timedelta(seconds=60))
    assert agent.state["server_clock_difference"] == ""


def test_without_catch_up_lost_minutes_stay_lost(agent: Agent, tracker: Tracker) -> None:
    tracker.answers = [OK, DOWN, DOWN, OK]
    agent.minutes(AADLER, AADLER, AADLER, AADLER)
    assert minutes_sent(tracker) == ["1"] * 4
    assert agent.results == ["sent", "unsent", "unsent", "sent"]
    assert (agent.state["unsent_minutes"], agent.state["pending_minutes"]) == ("2", "0")


def test_with_report_lost_minutes_are_counted_and_not_sent(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="report")
    tracker.answers = [DOWN, DOWN]
    agent.minutes(AADLER, AADLER)
    assert (agent.state["pending_minutes"], agent.state["pending_login"]) == ("2", "aadler")
    agent.minute(start=START + dt.timedelta(seconds=120))
    assert minutes_sent(tracker) == ["1"] * 3
    assert (agent.state["unsent_minutes"], agent.state["pending_minutes"]) == ("2", "0")
    assert agent.state["catchable_minutes"] == "2"


def test_after_ten_minutes_of_outage_the_same_person_is_caught_up(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [DOWN] * 10
    agent.minutes(*[AADLER] * 12)
    # Each attempt carries what is still due.
    assert minutes_sent(tracker) == [str(number) for number in range(1, 12)] + ["1"]
    assert agent.results == ["unsent"] * 10 + ["caught_up", "sent", "sent"]
    late = agent.journal[10]
    assert (late.login, late.minutes) == ("aadler", 10)
    assert (agent.state["unsent_minutes"], agent.state["pending_minutes"]) == ("0", "0")


def test_no_more_than_the_limit_is_caught_up(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send", catch_up_limit_minutes=2)
    tracker.answers = [DOWN] * 4
    agent.minutes(*[AADLER] * 5)
    assert minutes_sent(tracker)[-1] == "3"
    assert agent.journal[-2].minutes == 2
    assert agent.state["unsent_minutes"] == "2"


@pytest.mark.parametrize("between", [(), ("",), (BERG,)], ids=["at once", "after nobody", "after somebody else"])
def test_nobody_is_charged_for_the_minutes_of_somebody_who_left(
    agent: Agent, tracker: Tracker, between: tuple[str, ...]
) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [DOWN, DOWN]
    back = (AADLER,) if between else (BERG,)
    agent.minutes(AADLER, AADLER, *between, *back)
    assert "caught_up" not in agent.results
    assert set(minutes_sent(tracker)[2:]) == {"1"}
    assert (agent.state["unsent_minutes"], agent.state["pending_minutes"]) == ("2", "0")


def test_a_refused_person_keeps_what_is_due(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [DOWN, Answer(200, "error 7"), OK]
    agent.minutes(AADLER, AADLER, AADLER)
    assert minutes_sent(tracker) == ["1", "2", "2"]
    assert agent.results == ["unsent", "refused", "caught_up", "sent"]
    assert (agent.state["refused_minutes"], agent.state["unsent_minutes"]) == ("1", "0")


@pytest.mark.parametrize(
    ("silence", "result"),
    [
        (Answer(504), "unsent"),
        (Answer(500, "ASP error after the insert"), "unsent"),
        (Answer(503), "unsent"),
        (Answer(200, "<html>moved</html>"), "unsure"),
        (Answer(0), "unsent"),
    ],
    ids=["a gateway that gave up", "a fault afterwards", "an overload", "a page", "a connection that breaks"],
)
def test_what_ppms_may_have_counted_is_never_sent_again(
    agent: Agent, tracker: Tracker, silence: Answer, result: str
) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [DOWN, silence, OK]
    agent.minutes(AADLER, AADLER, AADLER)
    assert minutes_sent(tracker) == ["1", "2", "1"]
    assert agent.results == ["unsent", result, "sent"]
    assert int(agent.state["unsent_minutes"]) + int(agent.state["unsure_minutes"]) == 2

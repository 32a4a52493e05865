# SPDX-License-Identifier: GPL-3.0-or-later
"""Midnight, summer time, sleep, and clocks that jump: no minute twice, none lost unnoticed."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.conformance.pc import AADLER, START, Agent
from tests.conformance.tracker import Answer, Tracker

MINUTE = dt.timedelta(minutes=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007


def clock_times(agent: Agent) -> list[str]:
    return [line.time.strftime("%d %H:%M") for line in agent.journal]


def test_midnight_begins_a_new_file_and_ends_nothing(agent: Agent, tracker: Tracker) -> None:
    agent.minutes(AADLER, AADLER, AADLER, start=utc("2026-03-31 23:58:30"))
    assert [path.name for path in agent.journal_files] == ["2026-03-31.csv", "2026-04-01.csv"]
    assert agent.results == ["sent"] * 3
    assert agent.state["session_start"].startswith("2026-03-31T23:58")
    assert len(tracker.requests) == 3


def test_the_day_is_that_of_utc(agent: Agent) -> None:
    # Half past midnight in Berlin; half past six on the day before in New York.
    agent.minute(start=utc("2026-03-02 23:30:30"))
    agent.minute(start=utc("2026-03-02 23:31:30"), zone="America/New_York")
    assert [path.name for path in agent.journal_files] == ["2026-03-02.csv"]
    assert clock_times(agent) == ["02 23:30", "02 23:31"]


@pytest.mark.parametrize(
    "change", ["2026-03-29 01:00:30", "2026-10-25 01:00:30"], ids=["summer time begins", "summer time ends"]
)
def test_no_minute_is_lost_or_counted_twice_when(agent: Agent, tracker: Tracker, change: str) -> None:
    before = utc(change) - 2 * MINUTE
    assert agent.minutes(*[AADLER] * 4, start=before) == [0] * 4
    assert agent.results == ["sent"] * 4
    assert [request.query["f"] for request in tracker.requests] == ["1"] * 4
    assert clock_times(agent) == [(before + number * MINUTE).strftime("%d %H:%M") for number in range(4)]


def test_the_hour_that_comes_twice_is_two_hours(agent: Agent) -> None:
    # 02:30 in Berlin, and 02:30 again.
    agent.minute(start=utc("2026-10-25 00:30:30"))
    agent.minute(start=utc("2026-10-25 01:30:30"))
    assert agent.results == ["sent", "missed", "sent"]
    assert agent.journal[1].minutes == 59


def test_hours_of_sleep_are_a_known_gap(agent: Agent, tracker: Tracker) -> None:
    agent.minute()
    agent.minute(start=START + dt.timedelta(hours=8))
    assert agent.results == ["sent", "missed", "sent"]
    assert agent.journal[1][1:] == ("", 479, "missed", "")
    assert len(tracker.requests) == 2
    assert agent.state["missed_minutes"] == "479"
    assert agent.state["session_start"] == agent.state["last_run"], "PPMS, too, takes it for a new session"


def test_what_was_due_before_sleep_is_not_sent_after_it(agent: Agent, tracker: Tracker) -> None:
    agent.configure(catch_up="send")
    tracker.answers = [Answer(404)]
    agent.minute()
    agent.minute(start=START + dt.timedelta(hours=1))
    assert [request.query["f"] for request in tracker.requests] == ["1", "1"]
    assert agent.state["unsent_minutes"] == "1"


def test_a_night_switched_off_is_not_missed(agent: Agent) -> None:
    agent.minute()
    agent.boots(START + dt.timedelta(hours=14))
    agent.minute(start=START + dt.timedelta(hours=14, minutes=1))
    assert agent.results == ["sent", "sent"]
    assert agent.state["missed_minutes"] == "0"


def test_minutes_after_the_start_of_windows_without_agent_are_missed(agent: Agent) -> None:
    agent.minute()
    agent.boots(START + dt.timedelta(hours=14))
    agent.minute(start=START + dt.timedelta(hours=14, minutes=10))
    assert agent.results == ["sent", "missed", "sent"]
    assert agent.journal[1].minutes == 9


def test_a_start_in_the_future_is_not_believed(agent: Agent) -> None:
    agent.minute()
    agent.boots(START + dt.timedelta(days=400))
    agent.minute(start=START + dt.timedelta(minutes=5))
    assert agent.journal[1].minutes == 4


def test_a_single_missed_minute_is_noticed(agent: Agent) -> None:
    agent.minutes(AADLER, AADLER, step=120)
    assert agent.results == ["sent", "missed", "sent"]
    assert agent.journal[1].minutes == 1


def test_a_late_start_within_the_minute_is_not_a_gap(agent: Agent) -> None:
    agent.minute()
    agent.minute(start=START + dt.timedelta(seconds=84))
    agent.minute(start=START + dt.timedelta(seconds=120))
    assert agent.results == ["sent"] * 3


def test_the_same_minute_is_not_sent_again(agent: Agent, tracker: Tracker) -> None:
    assert agent.minutes(AADLER, AADLER, step=10) == [0, 0]
    assert len(tracker.requests) == 1
    assert agent.results == ["sent"]


def test_a_clock_that_is_set_back_is_told_and_people_are_still_counted(agent: Agent, tracker: Tracker) -> None:
    agent.minute()
    agent.minute(start=START - dt.timedelta(hours=1))
    agent.minute(start=START - dt.timedelta(minutes=59))
    assert agent.results == ["sent", "clock_back", "sent", "sent"]
    back = agent.journal[1]
    assert (back.login, back.minutes) == ("", 0)
    assert 3580 <= int(back.detail.removesuffix(" s")) <= 3620
    assert len(tracker.requests) == 3


def test_a_clock_set_back_over_midnight_goes_on_in_the_old_file(agent: Agent) -> None:
    agent.minute(start=utc("2026-03-03 00:10:30"))
    agent.minute(start=utc("2026-03-02 23:10:30"))
    assert [path.name for path in agent.journal_files] == ["2026-03-02.csv", "2026-03-03.csv"]
    assert agent.results == ["clock_back", "sent", "sent"]
    assert agent.state["last_run"].startswith("2026-03-02T23:10")


def test_a_jump_into_another_year_is_a_gap_and_the_way_back_is_told(agent: Agent, tracker: Tracker) -> None:
    agent.minute()
    agent.minute(start=START.replace(year=2031))
    agent.minute(start=START + MINUTE)
    assert sorted(agent.results) == ["clock_back", "missed", "sent", "sent", "sent"]
    assert agent.state["last_run"].startswith("2026-03-02T10:01")
    assert [request.query["f"] for request in tracker.requests] == ["1"] * 3


def test_old_journals_go_after_their_time(agent: Agent) -> None:
    agent.configure(journal_days=3)
    folder = agent.folder / "journal"
    folder.mkdir()
    for name in ("2026-02-26.csv", "2026-02-27.csv", "2026-03-01.csv", "notes.txt"):
        (folder / name).write_text("time_utc,login,minutes,result,detail\r\n", newline="")
    agent.minute()
    # 27 February is three days before 2 March.
    assert sorted(path.name for path in folder.iterdir()) == [
        "2026-02-27.csv", "2026-03-01.csv", "2026-03-02.csv", "notes.txt",
    ]  # fmt: skip


def test_a_clock_that_runs_years_ahead_does_not_take_the_journal_with_it(agent: Agent) -> None:
    folder = agent.folder / "journal"
    folder.mkdir()
    for day in range(1, 10):
        (folder / f"2026-02-0{day}.csv").write_text("time_utc,login,minutes,result,detail\r\n", newline="")
    agent.minutes(AADLER, AADLER, start=START.replace(year=2040))
    assert len(agent.journal_files) == 10 - 2

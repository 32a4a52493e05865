# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose set goes next, and whether OMERO had time for one: fair between people, and slow is not broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from facility.drive.settle.config import Config
from facility.drive.settle.decisions import Report
from facility.drive.settle.state import Record
from facility.drive.settle.turns import Turns
from facility.drive.settle.waiting import Key, Seen, Waiting
from facility.drive.settle.workload import Workload

FOLDERS = {name: Path(f"/srv/{name}") for name in ("incoming", "staging", "dropbox", "quarantine", "state_dir")}
CONFIG = Config(**FOLDERS, monitor_file=Path("/run/w/w.json"), asked_file=Path("/run/s/a.json"))
AT_ONCE = 6


def waiting_set(login: str, name: str) -> Waiting:
    return Waiting(Key(login, "", name), first_seen=1000, event=100, seen=Seen(since=100, quiet=10))


def test_who_has_nothing_in_omeros_hands_waits_for_nobody():
    turns = Turns(AT_ONCE)
    assert turns.may_go("bbaer", 900, {"aadler": 5000})
    assert not turns.may_go("aadler", 1, {"aadler": AT_ONCE})
    assert turns.may_go("aadler", 1, {"aadler": AT_ONCE - 1})


def test_turns_go_round_and_each_persons_sets_in_their_order():
    turns = Turns(AT_ONCE)
    sets = {(login, number): waiting_set(login, str(number)) for login in ("a", "b", "c") for number in range(9)}
    for waiting in sets.values():
        turns.join(waiting, 1)
    called = turns.call({})
    assert len(called) == AT_ONCE
    assert sorted(waiting.key.login for waiting in called) == ["a", "a", "b", "b", "c", "c"]
    assert [waiting.key.name for waiting in called if waiting.key.login == "b"] == ["0", "1"]
    assert turns.call(dict.fromkeys("abc", 2)) == []


def test_a_set_that_joins_again_keeps_its_place_and_one_that_left_has_none():
    turns = Turns(1)
    first, second = waiting_set("a", "1"), waiting_set("a", "2")
    for waiting in (first, second):
        turns.join(waiting, 1)
    assert turns.call({}) == [first]
    turns.join(first, 1)
    assert turns.call({}) == [first]
    turns.leave(first)
    assert turns.call({}) == [second]
    turns.leave(second)
    assert turns.files() == {}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30)), max_size=30))
def test_everybody_gets_a_turn_whatever_the_others_have(orders):
    turns, hands, ended = Turns(AT_ONCE), dict.fromkeys("abc", 0), 0
    sizes = {}
    for number, (login, files) in enumerate(orders):
        waiting = waiting_set(login, str(number))
        turns.join(waiting, files)
        sizes[waiting] = files
    waits = set(turns.files())
    while turns.files():
        called = turns.call(hands)
        assert {login for login in turns.files() if not hands[login]} <= {waiting.key.login for waiting in called}
        for waiting in called:
            turns.leave(waiting)
            hands[waiting.key.login] += sizes[waiting]
            ended += 1
        # OMERO ends what it has of one person.
        busy = max(hands, key=lambda login: hands[login])
        hands[busy] = 0
    assert ended == len(orders) and waits <= set("abc")


# Whether OMERO had time.

RECORD = Record("aadler~0", "aadler", "s", state="offered", asked="s", offered_at=1000, progress_at=1000, files=1)


def hear(workload: Workload, begin: float, seconds: int, *, busy: bool) -> float:
    for time in range(int(begin), int(begin) + seconds + 1, 10):
        report = Report(time, alive=True, importing=frozenset({"bbaer/x"} if busy else ()))
        workload.heard(report, 0)
    return begin + seconds


def test_a_day_in_which_omero_is_at_others_does_not_count():
    workload = Workload(CONFIG)
    assert not workload.passed(RECORD)
    at = hear(workload, 1000, 86_400, busy=True)
    assert not workload.passed(RECORD)
    at = hear(workload, at, 3590, busy=False)
    assert not workload.passed(RECORD)
    hear(workload, at, 20, busy=False)
    assert workload.passed(RECORD)
    assert not workload.passed(replace(RECORD, progress_at=at))


def test_an_hour_in_which_nobody_said_what_omero_did_does_not_count():
    workload = Workload(CONFIG)
    workload.passed(RECORD)
    for time in (1000, 9000, 17000):
        workload.heard(Report(time, alive=True), 0)
    assert not workload.passed(RECORD)


def test_a_set_that_many_later_ones_have_overtaken_was_missed():
    workload = Workload(CONFIG)
    for number in range(CONFIG.overtaken):
        assert not workload.passed(RECORD)
        workload.ended(replace(RECORD, id=f"x{number}", state="done", offered_at=1001 + number))
    assert workload.passed(RECORD)
    assert not workload.passed(replace(RECORD, progress_at=1010))


def test_a_fast_omero_gets_more_at_once_and_a_slow_one_no_more_than_somebody_may_wait_for():
    workload = Workload(CONFIG)
    at = 1000.0
    for seconds, most in ((15, 6), (5, 18), (1, 30)):
        for _ in range(2000):
            at += seconds
            workload.heard(Report(at, alive=True, importing=frozenset({"x"})), 1)
        assert most - 1 <= workload.at_once <= most


def test_the_pace_is_that_of_busy_hours():
    workload = Workload(CONFIG)
    assert workload.pace == 15
    at = hear(workload, 1000, 600, busy=True)
    workload.heard(Report(at + 1, alive=True), 30)
    assert 20 <= workload.pace <= 20.1

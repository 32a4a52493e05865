# SPDX-License-Identifier: GPL-3.0-or-later
"""A waiting set by itself: what can happen to it, and when it is looked at. And what installations have on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.drive.settle import metrics
from facility.drive.settle.decisions import Summary
from facility.drive.settle.reasons import Reason
from facility.drive.settle.state import Store
from facility.drive.settle.timetable import Timetable
from facility.drive.settle.waiting import Cause, Key, Seen, Waiting
from tests.faults.facility import QUIET, Facility


def waiting_set(name: str = "set", *, event: float | None = 100) -> Waiting:
    return Waiting(Key("aadler", "", name), first_seen=1000, event=event, seen=Seen(since=100, quiet=10))


def test_a_set_looks_the_same_since_the_first_of_equal_walks():
    waiting = waiting_set()
    same = Summary(files=2, companions=1, empty=1, bytes=7, signature=5, newest=99)
    for began in (110, 120):
        waiting.was_walked(same, 60, began)
        assert waiting.seen == Seen(110, 60, (5, 99), files=4, bytes=7)
    waiting.was_walked(Summary(signature=5, newest=130), 60, 130)
    assert waiting.seen.since == 130


def test_pauses_double_until_something_happens():
    waiting = waiting_set()
    assert [waiting.left_alone_longer() for _ in range(9)] == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert waiting.left_alone_longer() == 900
    waiting.may_have_changed(200)
    assert waiting.pause == 900
    waiting.had_event(201, sentinel=False)
    assert (waiting.pause, waiting.event, waiting.quiet_at) == (0, 201, 211)


def test_a_sentinel_stays_seen_until_a_walk_misses_it():
    waiting = waiting_set()
    waiting.had_event(1, sentinel=True)
    waiting.had_event(2, sentinel=False)
    assert waiting.sentinel
    waiting.has_sentinel(False)
    assert not waiting.sentinel


def test_a_set_that_was_there_at_the_start_is_as_old_as_its_latest_change():
    waiting = waiting_set(event=None)
    assert waiting.quiet_at is None
    for wall in (900, 950):
        waiting.was_there_before(wall)
        assert waiting.first_seen == 900
    seen = waiting.observed(1000, 110, watched=False)
    assert (seen.event, seen.same_since, seen.watched, seen.silence) == (None, 100, False, 0)


def test_files_and_folders_make_a_set_and_the_first_names_it():
    waiting = waiting_set("image")
    assert (waiting.names, waiting.title, waiting.label) == ((), "image", "aadler/image")
    for name in ("image.ids", "image.ics", "image.txt"):
        waiting.gained(name, folder=False)
    waiting.gained("_image_", folder=True)
    waiting.lost("image.txt")
    assert (waiting.names, waiting.folders) == (("_image_", "image.ics", "image.ids"), ("_image_",))
    assert waiting.title == "_image_"
    assert waiting_set("Gr\udcf6\udcdfe").label == "aadler/Gr\\xf6\\xdfe"


def test_only_a_silence_that_nothing_explains_is_a_rhythm():
    waiting = waiting_set()
    waiting.had_event(104, sentinel=False)
    assert waiting.silence == 0
    waiting.had_event(134, sentinel=False)
    waiting.must_wait(Cause(Reason.WRITER, "a.tif"), 1000)
    waiting.had_event(1134, sentinel=False)
    assert waiting.silence == 30


def test_a_set_says_why_it_waits():
    waiting = waiting_set()
    assert waiting.cause == Cause(Reason.RECENT, "")
    waiting.must_wait(Cause(Reason.WRITER, "a.tif"), 1000)
    assert waiting.cause == Cause(Reason.WRITER, "a.tif")


# When it is looked at.


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.sampled_from(["put", "forward", "remove"]))))
def test_each_set_is_due_once_and_at_its_last_time(orders):
    timetable, sets, times = Timetable(), [waiting_set(str(number)) for number in range(4)], {}
    for number, at, order in orders:
        if order == "remove":
            timetable.remove(sets[number])
            times.pop(number, None)
        else:
            (timetable.put if order == "put" else timetable.bring_forward)(sets[number], at)
            times[number] = at if order == "put" else min(at, times.get(number, at))
    for now in range(51):
        assert not times or timetable.next_at() <= min(times.values())
        due = [number for number in sorted(times) if times[number] == now]
        assert sorted(timetable.take_due(now, 9), key=sets.index) == [sets[number] for number in due]
        times = {number: at for number, at in times.items() if number not in due}
    assert timetable.next_at() is None


def test_no_more_sets_are_due_than_wanted():
    timetable = Timetable()
    for number in range(5):
        timetable.put(waiting_set(str(number)), number)
    assert [[w.key.name for w in timetable.take_due(10, 2)] for _ in range(4)] == [["0", "1"], ["2", "3"], ["4"], []]


# What is on the disk of an installation.


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    made = Facility(tmp_path)
    yield made
    made.service.store.close()


def test_waiting_sets_are_written_in_the_form_that_others_read(facility):
    facility.write("set/a.tif.part")
    facility.go(QUIET)
    (entry,) = json.loads((facility.config.state_dir / metrics.WAITING_FILE).read_text())["sets"]
    assert 0 <= facility.clock.wall() - entry.pop("since") < 1000
    assert entry == {
        "login": "aadler", "name": "set", "state": "waiting", "reason": "partial", "detail": "set/a.tif.part",
        "place": "", "files": 1, "bytes": 6, "attempts": 0,
    }  # fmt: skip


# A record as a running installation has it.
RECORD = (
    '{"id": "aadler~0123456789abcdef", "login": "aadler", "name": "set", "shelf": "", "kind": "folder", "items": '
    '["set"], "owner": 30001, "state": "staged", "since": 1000.5, "aside": false, "reason": "recent", "detail": "", '
    '"target": "", "asked": "", "attempts": 0, "offered_at": 0, "progress_at": 0, "progress": 0, "files": 1, '
    '"bytes": 6, "missed": [], "source": ""'
)


def test_what_an_installation_has_noted_is_taken_up_and_written_alike(facility):
    path = facility.write("set/a.tif")
    staged = facility.base / "staging/aadler~0123456789abcdef"
    staged.mkdir()
    facility.service.store.close()
    with sqlite3.connect(facility.config.state_dir / metrics.STATE_FILE) as database:
        database.execute("INSERT INTO sets VALUES ('aadler~0123456789abcdef', ?)", (RECORD + "}",))
    store = Store(facility.config.state_dir / metrics.STATE_FILE)
    store.put(store.all())
    store.close()
    with sqlite3.connect(facility.config.state_dir / metrics.STATE_FILE) as database:
        ((record,),) = database.execute("SELECT record FROM sets").fetchall()
        assert record == RECORD + ', "piecewise": false, "fair": true, "siblings": 0, "content": "", "cleared": false}'
    path.parent.rename(staged / "set")
    facility.restart()
    for _ in range(3):
        facility.go(QUIET)
    assert facility.dropbox == ["aadler/set/a.tif"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO misses, dies, or takes; settle is interrupted: nothing is lost, and nothing is given twice."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.drive.settle import folders, metrics
from facility.drive.settle.config import Rule
from tests.faults.facility import QUIET, Facility


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    rules = (Rule(QUIET, instrument="lightsheet", sentinel="*.done"),)
    made = Facility(tmp_path, instruments=("lightsheet",), rules=rules)
    yield made
    made.service.store.close()


# OMERO's part.


def offered(facility: Facility, *names: str) -> None:
    for name in names:
        facility.write(name)
    facility.go(QUIET)


def test_a_set_is_done_when_omero_has_all_but_its_companions(facility):
    offered(facility, "set/a.tif", "set/sub/b.tif", "set/notes.txt")
    facility.imported = {"aadler/set": ["a.tif"]}
    facility.go()
    assert facility.states() == {"set": "offered"}
    facility.imported = {"aadler/set": ["a.tif", "sub/b.tif"]}
    facility.go()
    assert facility.states() == {"set": "done"}
    assert json.loads(facility.config.asked_file.read_text()) == {"sets": []}
    assert len(facility.dropbox) == 3


def test_what_omero_missed_while_it_was_down_is_given_to_it_again(facility):
    offered(facility, "set/a.tif", "set/sub/b.tif")
    before = (facility.base / "DropBox/aadler/set").stat()
    facility.since = facility.clock.wall()
    facility.imported = {"aadler/set": ["a.tif"]}
    facility.go(40)
    assert facility.dropbox == ["aadler/set/a.tif"]
    facility.go(40)
    facility.go()
    assert facility.dropbox == ["aadler/set (2)/set/sub/b.tif", "aadler/set/a.tif"]
    after = (facility.base / "DropBox/aadler/set").stat()
    assert (after.st_mode, after.st_uid, after.st_mtime) == (before.st_mode, before.st_uid, before.st_mtime)
    facility.imported["aadler/set (2)"] = ["set/sub/b.tif"]
    facility.go()
    assert {record.state for record in facility.service.store.all()} == {"done"}
    assert facility.service.store.totals == {"offered": 2, "reoffered": 1, "imported": 2}


def test_nothing_is_given_again_while_omero_reads_it_or_is_at_it_or_did_not_answer(facility):
    offered(facility, "set/a.tif")
    facility.since = facility.clock.wall()
    facility.go(40)
    assert facility.dropbox == ["aadler/set/a.tif"]  # no answer about the set
    facility.imported = {"aadler/set": []}
    facility.importing = ["aadler/set/a.tif"]
    facility.go()
    assert facility.dropbox == ["aadler/set/a.tif"]
    facility.importing = []
    with (facility.base / "DropBox/aadler/set/a.tif").open("rb"):
        facility.go()
        assert facility.dropbox == ["aadler/set/a.tif"]
    facility.go()
    assert facility.dropbox == []


def test_a_folder_is_taken_back_without_a_rename_which_would_make_omero_dropbox_deaf(facility):
    offered(facility, "set/a.tif", "set/sub/b.tif", "set/notes.txt")
    watched = {path.stat().st_ino for path in (facility.base / "DropBox/aadler").rglob("*") if path.is_dir()}
    facility.since = facility.clock.wall()
    facility.imported = {"aadler/set": []}
    facility.go(40)
    assert facility.states() == {"set": "recalled"}
    assert list((facility.base / "DropBox/aadler").iterdir()) == []
    assert [path.partition("/")[2] for path in facility.tree("staging")] == [
        "set/a.tif", "set/notes.txt", "set/sub/b.tif",
    ]  # fmt: skip
    assert not watched & {path.stat().st_ino for path in (facility.base / "staging").rglob("*") if path.is_dir()}
    facility.go(40)
    assert facility.dropbox == [f"aadler/set (2)/set/{name}" for name in ("a.tif", "notes.txt", "sub/b.tif")]


def test_what_omero_imported_while_it_was_taken_back_is_not_given_again(facility):
    offered(facility, "set/a.tif")
    facility.since = facility.clock.wall()
    facility.imported = {"aadler/set": []}
    facility.go(40)
    assert facility.states() == {"set": "recalled"}
    facility.imported = {"aadler/set": ["a.tif"]}
    facility.go(40)
    assert facility.states() == {"set": "quarantined"} and facility.dropbox == []
    assert "a.tif" in facility.aside()


def idle(facility: Facility, seconds: float) -> None:
    """Let OMERO have nothing to do, as its monitor reports again and again."""
    ends = facility.clock.now + seconds
    while facility.clock.now < ends:
        for name in facility.dropbox:
            facility.imported.setdefault("/".join(name.split("/")[:2]), [])
        facility.go(5)


def test_what_omero_can_not_import_is_put_aside_after_three_more_attempts(facility):
    offered(facility, "a.tif")
    names = []
    for _ in range(8):
        names += [entry for entry in facility.dropbox if entry not in names]
        idle(facility, 1900)
    assert names == [f"aadler/a{number}/a.tif" for number in ("", " (2)", " (3)", " (4)")]
    assert facility.states() == {"a.tif": "quarantined"} and facility.dropbox == []
    assert "several attempts" in facility.notice


# Ends and accidents.


def test_a_set_that_is_opened_in_the_moment_of_its_claim_goes_back(facility, monkeypatch):
    path = facility.write("set/a.tif")
    transitions = facility.service.engine.transitions
    held = []
    claim = transitions._acts["claiming"]

    def late(record, report):
        held.append(path.open("ab"))
        return claim(record, report)

    transitions._acts["claiming"] = late
    facility.go(QUIET)
    transitions._acts["claiming"] = claim
    assert facility.tree("incoming") == ["aadler/set/a.tif"] and facility.tree("staging") == []
    held[0].write(b"more")
    held[0].close()
    # Something came again after a silence.
    facility.go(3 * QUIET)
    assert facility.dropbox == ["aadler/set/a.tif"]
    assert (facility.base / "DropBox/aadler/set/a.tif").read_bytes() == b"pixelsmore"


def test_one_whose_name_was_taken_meanwhile_waits_in_staging(facility):
    path = facility.write("set/a.tif")
    transitions = facility.service.engine.transitions
    held = []
    claim = transitions._acts["claiming"]

    def late(record, report):
        held.append(path.open("ab"))
        step = claim(record, report)
        facility.write("set/new.tif")
        return step

    transitions._acts["claiming"] = late
    facility.go(QUIET)
    transitions._acts["claiming"] = claim
    assert len(facility.tree("staging")) == 1
    held[0].close()
    for _ in range(4):
        facility.go(QUIET)
    # Which of them comes first is the file system's affair.
    assert {path.rpartition("/")[2] for path in facility.dropbox} == {"a.tif", "new.tif"}
    assert {path.rpartition("/")[0] for path in facility.dropbox} == {"aadler/set", "aadler/set (2)/set"}


def test_a_set_is_not_claimed_twice_while_its_claim_is_tried_again(facility, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(folders, "rename", fails)
    facility.write("set/a.tif")
    facility.go(QUIET)
    facility.write("set/b.tif")
    facility.go(QUIET)
    assert [record.state for record in facility.service.store.all()] == ["claiming"]
    monkeypatch.undo()
    for _ in range(3):
        facility.go(QUIET)
    assert facility.dropbox == ["aadler/set/a.tif", "aadler/set/b.tif"]


@pytest.mark.parametrize("state", ["claiming", "staged", "offering"])
def test_after_a_crash_at_any_act_everything_goes_on(facility, state, monkeypatch):
    facility.write("set/a.tif")
    facility.write("image.ics")
    facility.write("image.ids")
    transitions = facility.service.engine.transitions
    act = transitions._acts[state]

    def dies(record, report):
        act(record, report)
        raise KeyboardInterrupt

    transitions._acts[state] = dies
    with pytest.raises(KeyboardInterrupt):
        facility.go(QUIET)
    facility.restart()
    for _ in range(4):
        facility.go(QUIET)
    assert facility.dropbox == ["aadler/image/image.ics", "aadler/image/image.ids", "aadler/set/a.tif"]
    assert facility.states() == {"image": "offered", "set": "offered"}
    assert facility.tree("incoming") == facility.tree("staging") == []


def test_a_disk_that_is_full_loses_nothing(facility, monkeypatch):
    facility.write("set/a.tif")
    put = facility.service.store.put
    left = [3]

    def full(*arguments, **options):
        if arguments[0] and left[0]:
            left[0] -= 1
            raise sqlite3.OperationalError("database or disk is full")
        return put(*arguments, **options)

    monkeypatch.setattr(facility.service.store, "put", full)
    for _ in range(6):
        facility.go(QUIET)
    assert left == [0] and facility.dropbox == ["aadler/set/a.tif"]
    facility.service._write_metrics()
    assert "settle_errors_total 3.0\n" in facility.config.metrics_file.read_text()


def test_without_its_state_settle_puts_what_was_in_staging_aside(facility):
    lost = facility.base / "staging/aadler~0123456789abcdef"
    lost.mkdir()
    (lost / "a.tif").write_bytes(b"x")
    facility.restart()
    assert facility.tree("staging") == [] and "lost its notes" in facility.aside()


def test_a_set_that_can_not_be_moved_stays_and_is_told(facility, monkeypatch):
    def fails(*_):
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(folders, "rename", fails)
    facility.write("set/a.tif")
    facility.go(1000)
    assert facility.tree("staging") == []
    assert "can't be moved (Device or resource busy)" in facility.notice


def test_the_state_can_be_read_without_settle(facility):
    facility.write("a.tif", b"")
    facility.go(3700)
    facility.write("b.tif.part")
    facility.go(QUIET)
    sets = metrics.status(facility.config.state_dir)["sets"]
    assert [(entry["name"], entry["state"], entry["reason"]) for entry in sets] == [
        ("b.tif.part", "waiting", "partial"), ("a.tif", "quarantined", "empty_files"),
    ]  # fmt: skip
    assert facility.service.store.all()[0].target.endswith("a.tif")

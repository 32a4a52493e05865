# SPDX-License-Identifier: GPL-3.0-or-later
"""After the import: disks, the same data again, and what the administrator can do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.drive.settle import orders
from tests.faults.facility import QUIET, Facility


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    made = Facility(tmp_path)
    yield made
    made.service.store.close()


def test_an_image_is_on_the_disk_once_a_day_after_its_import_and_its_notes_stay(facility):
    for name in ("a.tif", "sub/b.tif", "notes.txt"):
        facility.copied(f"Day 3/{name}")
    facility.go(QUIET)
    facility.take_in(".txt")
    facility.go(80_000)
    assert len(facility.dropbox) == 3
    facility.go(10_000)
    facility.go()
    assert facility.dropbox == ["aadler/Day 3/notes.txt"]
    assert not (facility.base / "DropBox/aadler/Day 3/sub").exists()


def test_nothing_is_cleared_that_omero_does_not_have_any_more(facility):
    facility.copied("Day 3/a.tif")
    facility.copied("Day 3/b.tif")
    facility.go(QUIET)
    facility.take_in()
    facility.imported = {"aadler/Day 3": ["b.tif"]}
    for _ in range(3):
        facility.go(90_000)
    assert facility.dropbox == ["aadler/Day 3/a.tif"]


def test_a_report_that_names_other_places_makes_settle_delete_nothing_there(facility):
    facility.copied("Day 3/a.tif")
    facility.go(QUIET)
    facility.take_in()
    other = facility.base / "victim.tif"
    other.write_bytes(b"somebody's")
    facility.imported = {"aadler/Day 3": ["../../../victim.tif", "/victim.tif", ".."]}
    for _ in range(3):
        facility.go(90_000)
    assert other.exists() and facility.dropbox == ["aadler/Day 3/a.tif"]


def test_while_omero_does_not_answer_nothing_is_cleared(facility):
    facility.copied("a.tif")
    facility.go(QUIET)
    facility.take_in()
    facility.alive = False
    facility.go(200_000)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_the_same_data_again_is_told_and_imported_only_when_the_person_insists(facility):
    content = os.urandom(500_000)
    facility.copied("Day 3/a.tif", content)
    facility.go(QUIET)
    facility.take_in()
    facility.copied("Day 3/a.tif", content)
    facility.go(QUIET)
    facility.go(60)
    assert len(facility.dropbox) == 1 and 'OMERO has the same data already, as "Day 3"' in facility.notice
    (facility.base / "incoming/aadler/Day 3").rename(facility.base / "incoming/aadler/Day 3 again")
    facility.go(QUIET)
    assert "aadler/Day 3 again/a.tif" in facility.dropbox


def test_another_image_of_the_same_name_and_size_is_another_image(facility):
    for _ in range(2):
        facility.copied("Image 1.tif", os.urandom(2_000_000))
        facility.go(QUIET)
        facility.take_in()
    assert len(facility.dropbox) == 2


def test_what_was_imported_long_ago_is_no_repetition(facility):
    for _ in range(2):
        facility.copied("a.tif")
        facility.go(QUIET)
        facility.take_in()
        facility.go(400 * 86_400)
        facility.go(100)
    assert len(facility.service.store.where("done")) == 0
    assert facility.service.store.totals["imported"] == 2


def test_what_the_administrator_has_forgotten_is_imported_again(facility):
    for _ in range(2):
        facility.copied("a.tif")
        facility.go(QUIET)
        facility.take_in()
        orders.ask_to_forget(facility.config, "aadler", "a.tif")
        facility.go(10)
        facility.go(QUIET)
    assert len(facility.dropbox) == 2


def test_all_that_is_known_of_a_person_can_be_forgotten(facility):
    for name in ("a.tif", "b.tif"):
        facility.copied(name)
    facility.go(QUIET)
    facility.take_in()
    orders.ask_to_forget(facility.config, "aadler", "*")
    facility.go(10)
    assert facility.service.store.forget("aadler", "*") == 0


def test_on_a_disk_that_is_nearly_full_nothing_goes_to_omero_and_the_person_hears_of_it(facility, monkeypatch):
    disk = os.statvfs(facility.base)
    nearly = os.statvfs_result((*disk[:4], disk[2] // 25, *disk[5:]))
    monkeypatch.setattr("facility.drive.settle.engine.os.fstatvfs", lambda _: nearly)
    facility.copied("a.tif")
    facility.go(QUIET)
    facility.go(60)
    assert facility.dropbox == [] and "nearly full" in facility.notice
    monkeypatch.undo()
    facility.go(60)
    assert len(facility.dropbox) == 1


# The administrator.


def test_a_set_that_was_put_aside_can_be_given_back(facility):
    facility.write("a.tif", b"")
    facility.go(4000)
    with pytest.raises(orders.OrderError, match="nothing called"):
        orders.give_back(facility.config, "aadler", "b.tif")
    orders.give_back(facility.config, "aadler", "a.tif")
    assert facility.tree("incoming") == ["aadler/a.tif"]
    facility.write("b.tif", b"")
    facility.go(4000)
    facility.write("b.tif")
    with pytest.raises(orders.OrderError, match="rename it first"):
        orders.give_back(facility.config, "aadler", "b.tif")
    for login, name in (("..", "b.tif"), ("aadler", "../b.tif"), ("aadler", "..")):
        with pytest.raises(orders.OrderError, match="is no login and name"):
            orders.give_back(facility.config, login, name)

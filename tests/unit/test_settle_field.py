# SPDX-License-Identifier: GPL-3.0-or-later
"""What people in the field meet with drop folders and image formats, case by case, and what becomes of it here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.drive.settle.config import Rule
from facility.drive.settle.entries import NOTICE
from tests.faults.facility import OTHER, PERSON, QUIET, Facility

LONG = 600


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    rules = (Rule(300, instrument="lightsheet", sentinel="*.done"),)
    made = Facility(
        tmp_path, instruments=("lightsheet",), rules=rules, written_quiet_seconds=LONG,
        reoffer_seconds=60,
    )  # fmt: skip
    yield made
    made.service.store.close()


# Names.


def test_two_acquisitions_of_one_default_name_never_lie_side_by_side(facility):
    for _ in range(2):
        facility.copied("Experiment-01.czi")
        facility.go(QUIET)
    assert facility.own_folders() == {
        "Experiment-01": ["Experiment-01.czi"], "Experiment-01 (2)": ["Experiment-01.czi"],
    }  # fmt: skip


def test_a_head_and_its_folder_travel_together_also_the_second_time_and_after_a_restart_of_omero(facility):
    for _ in range(2):
        facility.copied("Image.vsi")
        facility.copied("_Image_/stack1/frame_t_0.ets")
        facility.go(QUIET)
    parts = ["Image.vsi", "_Image_/stack1/frame_t_0.ets"]
    assert facility.own_folders() == {"Image": parts, "Image (2)": parts}
    facility.imported = {"aadler/Image": [], "aadler/Image (2)": []}
    facility.since = facility.clock.wall()
    for _ in range(3):
        facility.go(40)
    assert facility.own_folders() == {"Image (3)": parts, "Image (4)": parts}


def test_planes_that_come_slowly_and_loosely_are_one_set_with_their_head(facility):
    facility.copied("exp1.nd")
    for number in (1, 2, 3):
        facility.copied(f"exp1_w1DAPI_s1_t{number}.stk")
        facility.go(1)
    assert facility.dropbox == []
    facility.go(3 * QUIET)
    assert list(facility.own_folders()) == ["exp1"] and len(facility.dropbox) == 4


@pytest.mark.parametrize("order", [1, -1])
def test_a_head_gathers_parts_with_other_names_whichever_comes_first(facility, order):
    for name in ["plate.xdce", "A - 01(fld 1).tif", "B - 02(fld 1).tif"][::order]:
        facility.copied(name)
        facility.service.turn()
    facility.go(QUIET)
    assert list(facility.own_folders()) == ["plate"] and len(facility.dropbox) == 3


def test_what_a_head_gathers_at_the_start_has_no_rhythm(facility):
    # Some of them are found before the head, in whatever order the folder has.
    for name in (*(f"A - {number}.tif" for number in range(20)), "plate.xdce"):
        facility.copied(name)
    facility.restart()
    facility.go(QUIET)
    assert list(facility.own_folders()) == ["plate"] and len(facility.dropbox) == 21


def test_a_head_without_its_folder_is_told_at_once_and_goes_when_the_folder_comes(facility):
    facility.copied("Image.vsi")
    facility.go(QUIET)
    facility.go(60)
    assert facility.dropbox == [] and 'comes without folder "_Image_"' in facility.notice
    facility.copied("_Image_/stack1/frame_t_0.ets")
    facility.go(QUIET)
    facility.go(QUIET)
    assert len(facility.dropbox) == 2 and "comes without" not in facility.notice


def test_a_head_that_stays_without_its_folder_goes_after_a_day(facility):
    facility.copied("Day 3/Image.vsi")
    facility.go(1000)
    assert facility.dropbox == [] and '"Day 3/Image.vsi" comes without' in facility.notice
    facility.go(86_400)
    assert facility.dropbox == ["aadler/Day 3/Image.vsi"]


def test_names_that_differ_in_case_alone_are_one_image(facility):
    facility.copied("Scan.ICS")
    facility.copied("scan.ids")
    facility.go(QUIET)
    assert facility.own_folders() == {"Scan": ["Scan.ICS", "scan.ids"]}


def test_what_omero_misreads_goes_whole_in_a_folder_that_it_reads(facility):
    facility.copied("untitled folder/a.tif")
    facility.copied("b-unknown-path.tif")
    for number in range(8):
        facility.copied(f"set/untitled folder/{number}.tif")
    facility.go(QUIET)
    facility.take_in()
    facility.go(QUIET)
    assert {name: len(files) for name, files in facility.own_folders().items()} == {
        "untitled_folder": 1, "b_unknown_path": 1, "set": 8,
    }  # fmt: skip


def test_a_folder_whose_ending_is_its_format_keeps_its_name(facility):
    for _ in range(2):
        facility.copied("run.d/a.tif")
        facility.go(QUIET)
    assert facility.own_folders() == {"run.d": ["a.tif"], "run.d (2)": ["run.d/a.tif"]}


# Acquisition straight onto the drive.


def test_a_shelf_is_a_shelf_however_its_name_is_written(facility):
    facility.write("LightSheet/embryo1/t0001.tif")
    facility.go(299)
    assert facility.dropbox == [] and (facility.base / "incoming/aadler/LightSheet/embryo1").is_dir()
    facility.write("LightSheet/embryo1/end.done", b"")
    facility.go(0)
    assert facility.dropbox == ["aadler/embryo1/end.done", "aadler/embryo1/t0001.tif"]


def test_a_time_lapse_is_not_taken_from_under_its_writer(facility):
    for number in range(4):
        facility.write(f"run8/t{number}.tif")
        facility.go(500)
        assert facility.dropbox == []
    # It came again after 500 s three times: so it may once more.
    facility.go(LONG)
    assert facility.dropbox == []
    facility.go(900)
    assert len(facility.dropbox) == 4


def test_a_copied_folder_waits_for_its_quiet_time_only(facility):
    facility.copied("Day 3/a.tif")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/Day 3/a.tif"]


def test_a_file_that_a_program_has_open_and_may_delete_is_waited_for_but_not_for_ever(facility):
    facility.copied("Day 3/a.tif")
    temporary = facility.copied("Day 3/scratch.tif")
    with temporary.open("rb"):
        facility.go(60)
        assert facility.dropbox == []
        temporary.unlink()
    facility.go(3 * 60)
    assert facility.dropbox == ["aadler/Day 3/a.tif"]
    with facility.copied("viewed.tif").open("rb"):
        facility.go(700)
        assert "aadler/viewed/viewed.tif" in facility.dropbox


def test_an_empty_placeholder_is_waited_for(facility):
    path = facility.write("live.nd2", b"")
    facility.go(1800)
    assert facility.aside() == ""
    path.write_bytes(b"pixels")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/live/live.nd2"]


# Evidence that can be wrong.


def test_a_whole_image_with_a_black_area_goes_after_a_day_with_a_remark(facility):
    path = facility.write("black.tif", b"")
    os.truncate(path, 1 << 20)
    with path.open("r+b") as file:
        file.write(b"head")
        file.seek((1 << 20) - 4)
        file.write(b"tail")
    facility.go(4000)
    assert facility.dropbox == [] and "If it is whole" in facility.notice
    facility.go(86_400)
    assert facility.dropbox == ["aadler/black/black.tif"]


# Many files, many people.


def test_one_persons_thousand_files_do_not_stop_anothers_image(facility):
    facility.person("bbaer", OTHER)
    facility.go()
    for number in range(100):
        facility.copied(f"{number}.tif")
    facility.go(QUIET)
    facility.go(QUIET)
    assert len(facility.dropbox) == facility.config.files_at_once
    facility.copied("urgent.tif", owner=OTHER, login="bbaer")
    facility.go(QUIET)
    assert "bbaer/urgent/urgent.tif" in facility.dropbox
    assert "wait for their turn" in facility.notice


def test_all_of_a_long_queue_is_given_in_time(facility):
    for number in range(30):
        facility.copied(f"{number}.tif")
    facility.go(QUIET)
    for _ in range(30):
        facility.take_in()
    assert len(facility.dropbox) == 30 and set(facility.states().values()) == {"done"}


def test_files_that_omero_knows_no_format_for_do_not_stop_their_persons_images(tmp_path):
    facility = Facility(tmp_path)
    for number in range(6):
        facility.copied(f"{number}.xyz")
    facility.go(QUIET)
    assert len(facility.dropbox) == 6
    facility.copied("cell.tif")
    facility.go(QUIET)
    assert len(facility.dropbox) == 6
    for _ in range(20):
        facility.go(5)
    assert "aadler/cell/cell.tif" in facility.dropbox
    facility.service.store.close()


def test_a_large_folder_of_single_images_is_given_in_pieces_and_stays_one_set(facility):
    names = [f"Day 3/{folder}/{number:02}.tif" for folder in "ab" for number in range(10)]
    for name in names:
        facility.copied(name)
    facility.go(QUIET)
    assert len(facility.dropbox) == facility.config.files_at_once
    facility.go(10)
    assert "OMERO has 0 of its files so far, and gets the others" in facility.notice
    facility.restart()
    facility.go(QUIET)
    for _ in range(8):
        facility.take_in()
    assert facility.dropbox == [f"aadler/{name}" for name in names]
    assert facility.states() == {"Day 3": "done"} and facility.tree("staging") == []
    assert facility.service.store.totals == {"offered": 1, "imported": 1}


def test_a_folder_of_single_images_of_which_one_is_bad_gives_all_the_others(facility):
    for number in range(12):
        facility.copied(f"Day 3/{number:02}.tif")
    facility.go(QUIET)
    for _ in range(60):
        facility.take_in("03.tif")
        facility.go(10)
    imported = {path.rpartition("/")[2] for files in facility.imported.values() for path in files}
    assert imported == {f"{number:02}.tif" for number in range(12)} - {"03.tif"}
    assert "03.tif" in facility.aside()


def test_an_image_in_thousands_of_pieces_is_refused_at_once_and_stays(facility):
    facility.copied("big.ome.zarr/0/0")
    facility.go(QUIET)
    facility.go(60)
    assert facility.dropbox == [] and "thousands of small files" in facility.notice
    assert facility.tree("incoming") == ["aadler/big.ome.zarr/0/0"]


# Slow is not broken.


def test_a_good_image_behind_a_busy_day_is_never_accused(facility):
    facility.person("bbaer", OTHER)
    facility.go()
    facility.copied("urgent.tif", owner=OTHER, login="bbaer")
    facility.go(QUIET)
    facility.imported = {"bbaer/urgent": []}
    facility.importing = ["aadler/other/x.tif"]
    for _ in range(200):
        facility.go(5)
    assert facility.dropbox == ["bbaer/urgent/urgent.tif"]
    facility.importing = []
    for _ in range(12):
        facility.go(5)
    assert facility.dropbox != ["bbaer/urgent/urgent.tif"] and facility.aside() == ""


def test_restarts_of_omero_before_its_turn_never_put_an_image_aside(facility):
    facility.copied("a.tif")
    facility.go(QUIET)
    for _ in range(8):
        for own in facility.own_folders():
            facility.imported.setdefault(f"aadler/{own}", [])
        facility.since = facility.clock.wall()
        for _ in range(3):
            facility.go(40)
    assert list(facility.states().values()) == ["offered"] and facility.aside() == ""


# What is nothing.


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini", "Icon\uf00d"])
def test_an_empty_folder_that_finder_or_explorer_has_opened_is_left_in_peace(facility, name):
    facility.write(f"New folder/{name}")
    facility.go(1e5)
    assert facility.aside() == "" and facility.notice == ""
    assert facility.tree("incoming") == [f"aadler/New folder/{name}"]


# The notice.


def test_a_notice_that_was_deleted_is_written_again_while_there_is_something_to_tell(facility):
    facility.copied("Image.vsi")
    facility.go(QUIET)
    facility.go(60)
    (facility.base / "incoming/aadler" / NOTICE).unlink()
    facility.go(10)
    assert "Image.vsi" in facility.notice
    os.chown(facility.base / "incoming/aadler" / NOTICE, PERSON, PERSON)


def test_tables_and_archives_beside_images_are_no_failure(facility):
    for name in ("cell1.tif", "cell2.tif", "Counts.xlsx", "RoiSet.zip", "notes.docx", "plot.pzfx", "x.lnk"):
        facility.copied(f"Day 3/{name}")
    facility.go(QUIET)
    facility.take_in(".xlsx", ".zip", ".docx", ".pzfx", ".lnk")
    assert facility.states() == {"Day 3": "done"}


def test_of_a_folder_that_omero_has_in_part_the_notice_says_which_files_it_has_not(facility):
    for name in ("cell1.tif", "cell2.tif", "odd.xyz"):
        facility.copied(f"Day 3/{name}")
    facility.go(QUIET)
    for _ in range(60):
        facility.take_in(".xyz")
        facility.go(10)
    assert 'OMERO has 2 files of "Day 3", but did not import "Day 3/odd.xyz"' in facility.notice
    assert "cell1" not in facility.aside()

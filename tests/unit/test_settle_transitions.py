# SPDX-License-Identifier: GPL-3.0-or-later
"""What people put into their folders, and what becomes of it; on a real file system, with the test's clock."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.drive.settle.aside import PUT_ASIDE
from facility.drive.settle.config import Rule
from facility.drive.settle.entries import NOTICE
from tests.faults.facility import OTHER, PERSON, QUIET, Facility

# After so long, what holds no image is put aside.
UNSUITABLE = 3700


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    rules = (Rule(QUIET, instrument="lightsheet", sentinel="*.done"),)
    made = Facility(tmp_path, instruments=("lightsheet",), rules=rules)
    yield made
    made.service.store.close()


def test_a_folder_goes_to_omero_when_it_is_quiet(facility):
    facility.write("Größe 1/a.tif")
    facility.write("Größe 1/sub/b.tif")
    facility.go(QUIET - 7)
    assert facility.dropbox == []
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/Größe 1/a.tif", "aadler/Größe 1/sub/b.tif"]
    assert facility.tree("incoming") == facility.tree("staging") == []
    facility.go()
    assert json.loads(facility.config.asked_file.read_text()) == {"sets": ["aadler/Größe 1"]}


def test_loose_files_of_one_image_go_together_and_a_single_one_as_it_is(facility):
    for name in ("image.ics", "image.ids", "other.tif"):
        facility.write(name)
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/image/image.ics", "aadler/image/image.ids", "aadler/other/other.tif"]


def test_a_file_that_is_open_for_writing_stays_and_its_person_hears_of_it(facility):
    with facility.write("a.tif").open("ab") as held:
        facility.go(QUIET)
        assert facility.dropbox == []
        facility.go(1000)
        assert '"a.tif" is still being written' in facility.notice
        held.write(b"more")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"] and "being written" not in facility.notice


def test_an_empty_file_that_somebody_is_about_to_fill_stays(facility):
    with facility.write("a.tif", b"").open("ab") as held:
        facility.go(UNSUITABLE)
        assert facility.put_aside() == [] and '"a.tif" is still being written' in facility.notice
        held.write(b"pixels")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_what_may_not_reach_omero_stays_while_somebody_writes_it(facility):
    path = facility.write("twice.tif")
    os.link(path, path.with_name("twin.tif"))
    with facility.write("set/held.tif").open("ab"), path.open("ab"):
        link = path.with_name("set") / "link"
        link.symlink_to("/etc/passwd")
        os.chown(link, PERSON, PERSON, follow_symlinks=False)
        facility.go(1000)
        assert facility.put_aside() == []
    facility.go(QUIET)
    assert facility.aside().count("was not given to OMERO") == 3


def test_an_empty_file_that_is_taken_up_in_the_last_moment_goes_back(facility, monkeypatch):
    path = facility.write("a.tif", b"")
    act = facility.service.engine.transitions.act

    def filled_first(record, report):
        if record.state == "claiming":
            path.write_bytes(b"pixels")
        return act(record, report)

    monkeypatch.setattr(facility.service.engine.transitions, "act", filled_first)
    facility.go(UNSUITABLE)
    assert facility.put_aside() == [] and facility.tree("incoming") == ["aadler/a.tif"]
    monkeypatch.undo()
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_a_copy_that_broke_off_stays(facility):
    path = facility.write("a.tif", b"x" * 4096)
    os.truncate(path, 1 << 20)
    facility.go(1000)
    assert facility.dropbox == [] and "broken off" in facility.notice
    facility.write("a.tif", b"x" * (1 << 20))
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_an_old_modification_time_completes_nothing(facility):
    os.utime(facility.write("a.tif"), (0, 0))
    facility.go(QUIET - 7)
    assert facility.dropbox == []


@pytest.mark.parametrize("jump", [-86400, 86400])
def test_a_clock_that_jumps_completes_nothing_early_and_stops_nothing(facility, jump):
    facility.write("a.tif")
    facility.service.turn()
    facility.clock.jump = jump
    facility.go(QUIET - 7)
    assert facility.dropbox == []
    facility.go(QUIET)
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_a_file_in_transfer_waits_for_its_final_name(facility):
    path = facility.write("a.tif.part")
    facility.go(1000)
    assert facility.dropbox == [] and "in transfer" in facility.notice
    path.rename(path.with_suffix(""))
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_on_an_instruments_shelf_the_sentinel_decides_and_the_shelf_stays(facility):
    facility.write("lightsheet/run/a.tif")
    facility.go(1000)
    assert facility.dropbox == []
    facility.write("lightsheet/run/end.done", b"")
    facility.go(0)
    assert facility.dropbox == ["aadler/run/a.tif", "aadler/run/end.done"]
    assert (facility.base / "incoming/aadler/lightsheet").is_dir()


def test_a_sentinel_that_was_there_at_the_start_counts_as_soon_as_nobody_writes(facility):
    facility.alive = False
    facility.write("lightsheet/run/end.done", b"")
    with facility.write("lightsheet/run/a.tif").open("ab") as held:
        facility.restart()
        facility.alive = True
        facility.go(1)
        assert facility.dropbox == []
        held.write(b"more")
    facility.report()
    facility.service.turn()
    assert facility.dropbox == ["aadler/run/a.tif", "aadler/run/end.done"]


def test_while_omero_is_down_nothing_leaves_the_persons_folder(facility):
    facility.alive = False
    facility.write("a.tif")
    facility.go(1000)
    assert facility.tree("incoming") == ["aadler/a.tif"]
    assert "not running" in facility.notice
    facility.alive = True
    facility.go(1)
    assert facility.dropbox == ["aadler/a/a.tif"]


def test_a_new_persons_sets_wait_until_omero_watches_the_folder(facility):
    facility.person("bbaer", OTHER)
    facility.write("a.tif", owner=OTHER, login="bbaer")
    facility.service.turn()
    assert (facility.base / "DropBox/bbaer").is_dir()
    facility.go(QUIET)
    assert facility.dropbox == ["bbaer/a/a.tif"]


def test_a_name_is_never_used_twice(facility):
    for _ in range(2):
        facility.write("set/a.tif")
        facility.go(QUIET)
    (facility.base / "DropBox/aadler/set (3)").mkdir()
    facility.write("set/a.tif")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/set (2)/set/a.tif", "aadler/set (4)/set/a.tif", "aadler/set/a.tif"]


def test_bookkeeping_files_are_no_sets_and_go_along_in_folders(facility):
    for name in (".DS_Store", "Thumbs.db", "~$x.docx", "set/.DS_Store", "set/a.tif", ".recycle/old/a.tif"):
        facility.write(name)
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/set/.DS_Store", "aadler/set/a.tif"]
    assert len(facility.tree("incoming")) == 4


def make_symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(path.parent, os.O_RDONLY)
        made.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def make_hard_link(path: Path) -> None:
    os.link(path, path.parents[2] / "secret of somebody")


def make_foreign(path: Path) -> None:
    os.chown(path, OTHER, OTHER)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (make_symlink, "link to another place"), (make_fifo, "neither a file nor a folder"),
        (make_socket, "neither a file"), (make_hard_link, "same file as another"), (make_foreign, "somebody else"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["set/x.tif", "x.tif"])
def test_what_may_not_reach_omero_is_put_aside_with_its_reason(facility, spoil, reason, name):
    path = facility.write(name)
    facility.write("set/good.tif")
    facility.service.turn()
    if spoil is make_hard_link and name == "x.tif":
        os.link(path, facility.base / "secret of somebody")
    else:
        spoil(path)
    facility.go(QUIET)
    facility.go(QUIET)
    assert reason in facility.aside() and reason in facility.notice
    assert not any("x.tif" in found for found in facility.dropbox)
    assert any(found.endswith("x.tif") for found in facility.put_aside())


def test_a_shelf_or_a_persons_folder_that_is_a_link_is_not_entered(facility):
    victim = facility.base / "victim"
    victim.mkdir()
    (victim / "a.tif").write_bytes(b"secret")
    (facility.base / "incoming/zz").symlink_to(victim)
    shelf = facility.base / "incoming/aadler/lightsheet"
    shelf.symlink_to(victim)
    facility.go(QUIET)
    facility.go(QUIET)
    assert (victim / "a.tif").exists() and facility.dropbox == []
    assert "link to another place" in facility.aside()
    assert not os.path.lexists(shelf)
    assert facility.service.engine.incoming.refused.keys() == {"zz"}


@pytest.mark.parametrize("raw", [b"Gr\xf6\xdfe.tif", b"two\nlines.tif", b"set\xff/a.tif"])
def test_a_name_that_omero_dies_of_is_put_aside(facility, raw):
    facility.write(os.fsdecode(raw))
    facility.go(QUIET)
    assert facility.dropbox == [] and "can't take the name" in facility.aside()
    assert len([path for path in facility.put_aside() if path.endswith(".tif")]) == 1
    json.dumps(facility.service.store.all()[0].name)


def test_the_longest_names_arrive(facility):
    facility.write("ü" * 127 + "/" + "b" * 251 + ".tif")
    facility.write("c" * 251 + ".tif")
    facility.go(QUIET)
    assert len(facility.dropbox) == 2


def test_an_empty_folder_waits_in_silence(facility):
    folder = facility.base / "incoming/aadler/New folder"
    folder.mkdir()
    os.chown(folder, PERSON, PERSON)
    facility.go(1e5)
    assert folder.is_dir() and facility.notice == ""


def test_empty_files_are_put_aside_but_do_no_harm_among_others(facility):
    facility.write("set/a.tif")
    facility.write("set/nothing.tif", b"")
    facility.write("alone.tif", b"")
    facility.go(QUIET)
    assert facility.dropbox == ["aadler/set/a.tif", "aadler/set/nothing.tif"] and facility.aside() == ""
    facility.go(UNSUITABLE)
    assert "0 bytes" in facility.aside()


def test_what_was_put_aside_keeps_its_name_and_can_be_taken_back(facility):
    facility.write("alone.tif", b"")
    facility.write("set/link.tif").unlink()
    (facility.base / "incoming/aadler/set/link.tif").symlink_to("/etc/passwd")
    os.chown(facility.base / "incoming/aadler/set/link.tif", PERSON, PERSON, follow_symlinks=False)
    facility.go(UNSUITABLE)
    facility.go(QUIET)
    assert facility.put_aside() == ["aadler/Put aside/alone.tif", "aadler/Put aside/set/link.tif"]
    path = facility.base / "incoming/aadler" / PUT_ASIDE / "alone.tif"
    path.write_bytes(b"pixels")
    path.rename(facility.base / "incoming/aadler/alone.tif")
    facility.go(100)
    assert facility.dropbox == ["aadler/alone/alone.tif"]
    assert "PUT ASIDE\n\nalone" not in facility.notice and "alone" not in facility.aside()


def test_what_is_put_aside_twice_gets_a_folder_with_a_number_and_keeps_its_name(facility):
    for _ in range(2):
        facility.write("alone.tif", b"")
        facility.go(UNSUITABLE)
    assert facility.put_aside() == ["aadler/Put aside/alone.tif", "aadler/Put aside/alone.tif (2)/alone.tif"]


@pytest.mark.parametrize("taken", [lambda path: path.write_bytes(b"mine"), lambda path: path.symlink_to("/tmp")])
def test_without_a_folder_of_its_person_a_set_is_put_aside_in_quarantine(facility, taken):
    facility.write("alone.tif", b"")
    taken(facility.base / "incoming/aadler" / PUT_ASIDE)
    facility.go(UNSUITABLE)
    assert [path for path in facility.tree("quarantine") if not path.endswith(".txt")] == ["aadler/alone.tif"]


def test_a_notice_goes_when_the_quarantined_set_is_taken_away(facility):
    facility.write("alone.tif", b"")
    facility.go(UNSUITABLE)
    assert "alone.tif" in facility.notice
    (facility.base / "incoming/aadler" / PUT_ASIDE / "alone.tif").unlink()
    facility.go(100)
    assert facility.notice == "" and list((facility.base / "incoming/aadler").iterdir()) == []


def test_the_notice_never_follows_a_link(facility):
    victim = facility.base / "victim.txt"
    victim.write_text("mine")
    (facility.base / "incoming/aadler" / NOTICE).symlink_to(victim)
    facility.write("alone.tif", b"")
    facility.go(UNSUITABLE)
    assert victim.read_text() == "mine" and "alone.tif" in facility.notice


def test_thousands_of_files_are_one_set(facility):
    top = facility.write("big/0.tif").parent
    for number in range(1, 5_000):
        descriptor = os.open(top / f"{number}.tif", os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, b"x")
        os.fchown(descriptor, PERSON, PERSON)
        os.close(descriptor)
    facility.clock.now += 60
    facility.go(QUIET)
    assert len(facility.dropbox) == facility.config.files_at_once
    assert len(facility.tree("staging")) == 5_000 - facility.config.files_at_once
    assert facility.states() == {"big": "offered"}

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the DropBox monitor reads in /proc, and how OMERO.dropbox has to prove that it hears."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from facility.omero.dropbox_monitor.canary import Canary
from facility.omero.dropbox_monitor.processes import dropbox_state, own_processes
from facility.omero.dropbox_monitor.revival import Revival, run

BOOT = 1_795_000_000
TICKS = os.sysconf("SC_CLK_TCK")
SERVERS = "--Ice.Config=/opt/omero/server/OMERO.server/var/master/servers"
WATCHER = ("python", "-m", "fsServerMS", f"{SERVERS}/MonitorServer/config/config")
IMPORTER = ("python", "-m", "fsDropBox", f"{SERVERS}/DropBox/config/config")


class Machine:
    """A /proc with the processes that a test starts, all of this user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "stat").write_text(f"cpu 1 2 3\nbtime {BOOT}\nprocesses 9\n")
        (folder / "self").mkdir()

    def start(self, number: int, arguments: tuple[str, ...], seconds: float, watches: tuple[int, ...] = ()) -> None:
        process = self.folder / str(number)
        (process / "fdinfo").mkdir(parents=True)
        (process / "cmdline").write_bytes(b"".join(item.encode() + b"\0" for item in arguments))
        fields = ["S", *map(str, range(4, 22)), str(int(seconds * TICKS)), "0"]
        # A name may hold what separates fields.
        (process / "stat").write_text(f"{number} (py) thon 1) {' '.join(fields)}\n")
        lines = [f"inotify wd:{index:x} ino:{inode:x} sdev:801 mask:1" for index, inode in enumerate(watches)]
        (process / "fdinfo" / "3").write_text("pos:\t0\nflags:\t02\n")
        (process / "fdinfo" / "5").write_text("\n".join(["pos:\t0", *lines, ""]))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_omero_dropbox_is_alive_since_the_younger_of_its_processes_started(machine: Machine) -> None:
    machine.start(7, WATCHER, 100, watches=(0x1F, 300))
    machine.start(8, IMPORTER, 250.5, watches=(4,))
    state = dropbox_state(own_processes(machine.folder), machine.folder)
    assert (state.alive, state.since, state.numbers) == (True, BOOT + 250.5, (7, 8))
    # The importer's own watches are no watches on the DropBox.
    assert state.watched == {0x1F, 300}
    assert state.importing == ()


def test_watches_that_were_left_by_an_importing_process_that_was_killed_are_told(machine: Machine) -> None:
    machine.start(7, WATCHER, 100, watches=(1, 2))
    machine.start(8, IMPORTER, 200)
    assert dropbox_state(own_processes(machine.folder), machine.folder).monitors == 1
    (machine.folder / "7" / "fdinfo" / "6").write_text("pos:\t0\ninotify wd:1 ino:1 sdev:801 mask:1\n")
    state = dropbox_state(own_processes(machine.folder), machine.folder)
    assert (state.monitors, state.watched) == (2, {1, 2})


@pytest.mark.parametrize("present", [WATCHER, IMPORTER])
def test_one_of_the_two_is_not_enough(machine: Machine, present: tuple[str, ...]) -> None:
    machine.start(7, present, 100, watches=(1,))
    state = dropbox_state(own_processes(machine.folder), machine.folder)
    assert (state.alive, state.since, state.numbers, state.watched) == (False, 0, (), frozenset())
    assert state.missing == (("DropBox",) if present is WATCHER else ("MonitorServer",))


def test_the_watcher_of_omero_s_own_test_is_another(machine: Machine) -> None:
    machine.start(7, ("python", "-m", "fsServerMS", f"{SERVERS}/MonitorServer-Test/config/config"), 1)
    machine.start(8, ("python", "-m", "fsDropBox", f"{SERVERS}/TestDropBox/config/config"), 1)
    assert not dropbox_state(own_processes(machine.folder), machine.folder).alive


def test_while_one_ends_and_the_next_starts_the_newer_counts(machine: Machine) -> None:
    machine.start(7, WATCHER, 100, watches=(1,))
    machine.start(8, IMPORTER, 101)
    machine.start(9, WATCHER, 500, watches=(2,))
    state = dropbox_state(own_processes(machine.folder), machine.folder)
    assert (state.numbers, state.watched, state.since) == ((9, 8), {2}, BOOT + 500)


def test_what_an_importer_has_in_hand_is_told(machine: Machine) -> None:
    paths = ("/OMERO/DropBox/aadler/Zellkern ä.tif", "/OMERO/DropBox/aadler/set/b.tif")
    machine.start(7, ("java", "-cp", "a.jar", "ome.formats.importer.cli.CommandLineImporter", "-k", "x", *paths), 9)
    machine.start(8, ("vi", "/OMERO/DropBox/aadler/other.tif"), 9)
    assert dropbox_state(own_processes(machine.folder), machine.folder).importing == paths


def test_processes_of_others_and_those_that_end_meanwhile_are_passed_over(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.start(7, WATCHER, 1)
    machine.start(8, IMPORTER, 1)
    (machine.folder / "8" / "cmdline").unlink()
    assert [process.number for process in own_processes(machine.folder)] == [7]
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert own_processes(machine.folder) == []


def test_a_machine_whose_start_is_not_known_is_an_error(machine: Machine) -> None:
    (machine.folder / "stat").write_text("cpu 1\n")
    with pytest.raises(RuntimeError, match="has no btime"):
        own_processes(machine.folder)


class Listener:
    """OMERO.dropbox: watches what is made in its folder, unless it is deaf."""

    def __init__(self, home: Path) -> None:
        self.home, self.deaf, self.since, self.monitors = home, False, 1.0, 1
        self.ended: list[int] = []
        self.watched: frozenset[int] = frozenset()
        self.canary = Canary(home, end=self.ended.append)

    def asked(self, now: float) -> bool:
        """What the DropBox monitor tells at this moment, in seconds."""
        hears = self.canary.hears(now, self.since, self.watched, self.monitors, (7, 8))
        there = frozenset(entry.stat().st_ino for entry in self.home.iterdir())
        # The kernel drops the watch on what is deleted; the next folder may get the same number.
        self.watched = self.watched & there if self.deaf else there
        return hears


@pytest.fixture
def listener(tmp_path: Path) -> Listener:
    return Listener(tmp_path)


def test_who_hears_proves_it_within_two_questions_and_leaves_nothing_behind(listener: Listener) -> None:
    assert [listener.asked(now) for now in (0, 3, 6)] == [False, True, True]
    assert list(listener.home.iterdir()) == []
    assert listener.ended == []


def test_a_proof_is_wanted_every_five_minutes_and_not_more_often(listener: Listener) -> None:
    made = 0
    for now in range(0, 1200, 3):
        listener.asked(now)
        made += len(list(listener.home.iterdir()))
    assert made == 4


def test_who_goes_deaf_is_ended_after_half_a_minute_of_patience(listener: Listener) -> None:
    assert [listener.asked(now) for now in (0, 3)] == [False, True]
    listener.deaf = True
    told = {now: listener.asked(now) for now in range(6, 345, 3)}
    assert told[303]
    assert not told[336]
    assert listener.ended == [7, 8]
    assert list(listener.home.iterdir()) == []


def test_who_started_anew_must_prove_it_anew(listener: Listener) -> None:
    assert [listener.asked(now) for now in (0, 3)] == [False, True]
    listener.since = 2.0
    listener.deaf = True
    assert not listener.asked(6)
    listener.deaf = False
    listener.asked(9)
    assert listener.asked(12)
    assert listener.ended == []


def test_who_tells_a_process_that_is_gone_is_ended_once(listener: Listener) -> None:
    assert [listener.asked(now) for now in (0, 3)] == [False, True]
    listener.since, listener.monitors = 2.0, 2
    assert not any(listener.asked(now) for now in (6, 9, 12))
    assert listener.ended == [7, 8]
    listener.since, listener.monitors = 3.0, 1
    assert [listener.asked(now) for now in (15, 18)] == [False, True]
    assert list(listener.home.iterdir()) == []


def test_a_process_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    def end(number: int) -> None:
        raise ProcessLookupError(number)

    canary = Canary(tmp_path, end=end)
    for now in (0, 31):
        assert not canary.hears(now, 1.0, frozenset(), 0, (7,))


def test_what_an_earlier_monitor_left_is_cleared_away(listener: Listener) -> None:
    (listener.home / "left").mkdir()
    assert [listener.asked(now) for now in (0, 3)] == [False, True]
    assert list(listener.home.iterdir()) == []


def test_a_folder_that_somebody_took_away_is_made_anew(listener: Listener) -> None:
    listener.deaf = True
    listener.asked(0)
    for entry in listener.home.iterdir():
        entry.rmdir()
    listener.deaf = False
    assert [listener.asked(now) for now in (3, 6, 9)][-1]


def test_when_there_is_much_to_look_up_each_report_goes_on_where_the_last_one_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    main = importlib.import_module("facility.omero.dropbox_monitor.__main__")
    monkeypatch.setattr(main, "imported_files", lambda _, __, names: {name: [] for name in names})
    seconds = iter(range(0, 1000, 2))
    monkeypatch.setattr(main.time, "monotonic", lambda: next(seconds))
    asked = ["b", "a", "d", "c", "e", "a"]
    told, last = [], ""
    for _ in range(3):
        found = main._imported(None, "/OMERO/DropBox", asked, last)
        last = list(found)[-1]
        told.append("".join(found))
    assert told == ["abc", "dea", "bcd"]
    assert main._imported(None, "/OMERO/DropBox", [], "c") == {}


class Grid:
    """IceGrid, as its administrator's commands meet it."""

    def __init__(self, fault: str = "") -> None:
        self.asked: list[str] = []
        self.fault = fault
        self.revival = Revival("omero", run=self.run)

    def run(self, command: Sequence[str]) -> str:
        assert command[:4] == ["omero", "admin", "ice", "server"]
        self.asked.append(" ".join(command[4:]))
        return self.fault


def test_what_icegrid_switched_off_is_switched_on_after_half_a_minute_and_not_over_and_over() -> None:
    grid = Grid()
    for now in range(0, 300, 3):
        grid.revival.look(now, ["DropBox"])
        if now < 30:
            assert grid.asked == []
    # The watching process, too: by itself it goes on hearing for the importing one that is gone.
    assert grid.asked == ["stop MonitorServer", "enable DropBox", "start DropBox"] * 3


def test_what_comes_back_by_itself_is_left_alone() -> None:
    grid = Grid()
    for now in range(0, 600, 3):
        grid.revival.look(now, [] if now % 30 else ["DropBox", "MonitorServer"])
    assert grid.asked == []


def test_a_command_that_fails_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    grid = Grid("the node is not there")
    for now in (0, 60, 180):
        grid.revival.look(now, ["MonitorServer", "DropBox"])
    assert len(grid.asked) == 8
    assert "DropBox and MonitorServer of OMERO.dropbox does not run" in caplog.text
    assert "server start DropBox: the node is not there" in caplog.text


def test_who_was_faster_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    grid = Grid("The server is already active.")
    for now in (0, 60):
        grid.revival.look(now, ["DropBox"])
    assert "already" not in caplog.text


@pytest.mark.parametrize(("words", "said"), [("exit 0", ""), ("echo no >&2; exit 1", "no"), ("exit 3", "status 3")])
def test_a_command_says_what_went_wrong(words: str, said: str) -> None:
    assert run(["sh", "-c", words]) == said


def test_a_command_that_is_not_there_is_told() -> None:
    assert "No such file" in run(["/no/such/omero"])

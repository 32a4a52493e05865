# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc shows of OMERO.dropbox: a process may look at those of its own user."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# IceGrid gives each server a folder of its own, which its command line names; TestDropBox runs the same program.
_WATCHER = re.compile(r"/servers/MonitorServer/")
_IMPORTER = re.compile(r"/servers/DropBox/")
_IMPORT = "CommandLineImporter"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this user."""

    number: int
    arguments: tuple[str, ...]
    started: float


@dataclass(frozen=True, slots=True)
class DropBoxState:
    """What OMERO.dropbox does.

    Attributes:
        since: when the younger of its two processes started, in epoch seconds; 0 when one is missing.
        numbers: its processes.
        watched: inode numbers that it watches.
        monitors: how many watches on folders it keeps apart, each for one importing process; one is right.
        importing: absolute paths that importers were started with.
        missing: names in IceGrid of its servers that don't run.
    """

    alive: bool
    since: float
    numbers: tuple[int, ...]
    watched: frozenset[int]
    monitors: int
    importing: tuple[str, ...]
    missing: tuple[str, ...] = ()


def own_processes(proc: Path = PROC) -> list[Process]:
    """Return all processes of this user."""
    boot = _boot_time(proc)
    ticks = os.sysconf("SC_CLK_TCK")
    found = []
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if folder.stat().st_uid != os.geteuid():
                continue
            arguments = (folder / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")
            # The name in brackets may hold blanks; the 20th field after it is the start, in ticks since the boot.
            after = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        found.append(Process(int(folder.name), tuple(arguments), boot + int(after[19]) / ticks))
    return found


def dropbox_state(processes: list[Process], proc: Path = PROC) -> DropBoxState:
    """Return what OMERO.dropbox does now."""
    watcher = _newest(processes, _WATCHER)
    importer = _newest(processes, _IMPORTER)
    importing = tuple(
        argument
        for process in processes
        if any(_IMPORT in argument for argument in process.arguments)
        for argument in process.arguments
        if argument.startswith("/")
    )
    if watcher is None or importer is None:
        missing = tuple(name for name, found in (("MonitorServer", watcher), ("DropBox", importer)) if found is None)
        return DropBoxState(
            False, since=0, numbers=(), watched=frozenset(), monitors=0, importing=importing, missing=missing
        )
    monitors = _monitors(proc / str(watcher.number) / "fdinfo")
    return DropBoxState(
        alive=True,
        since=max(watcher.started, importer.started),
        numbers=(watcher.number, importer.number),
        watched=frozenset().union(*monitors),
        monitors=len(monitors),
        importing=importing,
    )


def _newest(processes: list[Process], pattern: re.Pattern[str]) -> Process | None:
    matching = [process for process in processes if any(pattern.search(argument) for argument in process.arguments)]
    return max(matching, key=lambda process: process.started, default=None)


def _monitors(folder: Path) -> list[frozenset[int]]:
    """Return for each of a process's inotify descriptors the inodes that it watches; those without any are left out."""
    found = []
    try:
        for descriptor in folder.iterdir():
            inodes: set[int] = set()
            for line in descriptor.read_text().splitlines():
                if line.startswith("inotify "):
                    inodes.update(int(match, 16) for match in re.findall(r"\bino:([0-9a-f]+)", line))
            if inodes:
                found.append(frozenset(inodes))
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended, or closed a file, meanwhile: what was seen is what counts
    return found


def _boot_time(proc: Path) -> int:
    for line in (proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    raise RuntimeError(f"{proc}/stat has no btime")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host of the test bed, or a command on this machine, takes of the machine's memory."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.podman import inspect, podman

PROCESSES = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
MEGABYTE = 1e6
# The kernel's kB are 1,024 bytes.
KILOBYTE = 1024 / MEGABYTE
# podman prints 12.3kB, 45MB, 1.2GB: powers of 1000.
UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


@dataclass(frozen=True)
class Memory:
    """What processes take, in MB; pages that several share count once (PSS).

    Attributes:
        total: all of it.
        files: the part that is mapped files, such as a database; the kernel takes clean ones back when it needs them.
    """

    total: float
    files: float


def of_processes(host: str) -> Memory:
    """Sum over all processes of a host."""
    init = inspect("container", [host])[host]["State"]["Pid"]
    namespace = (PROCESSES / str(init) / "ns" / "pid").readlink()
    rollups = []
    for process in _processes():
        try:
            if (process / "ns" / "pid").readlink() == namespace:
                rollups.append((process / "smaps_rollup").read_text())
        except OSError:
            continue  # it ended while we looked
    return _sum(rollups)


def of_commands(host: str, names: Iterable[str]) -> float:
    """MB of those processes of a host that are one of the programs, or Python modules."""
    init = inspect("container", [host])[host]["State"]["Pid"]
    namespace = (PROCESSES / str(init) / "ns" / "pid").readlink()
    rollups = []
    for process in _processes():
        try:
            arguments = (process / "cmdline").read_text().split("\0")
            if {Path(arguments[0]).name, *arguments} & set(names) and (process / "ns" / "pid").readlink() == namespace:
                rollups.append((process / "smaps_rollup").read_text())
        except OSError:
            continue  # it ended while we looked
    return _sum(rollups).total


def of_tree(root: int) -> Memory:
    """Sum over a process and all that it started, and they; one whose parent has ended is not found."""
    children: dict[int, list[Path]] = {}
    for process in _processes():
        with contextlib.suppress(OSError):
            # The name in parentheses may hold blanks; then come the state and the parent.
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(process)
    rollups, tree = [], [PROCESSES / str(root)]
    for process in tree:
        tree += children.get(int(process.name), [])
        with contextlib.suppress(OSError):
            rollups.append((process / "smaps_rollup").read_text())
    return _sum(rollups)


def _processes() -> Iterator[Path]:
    return (entry for entry in PROCESSES.iterdir() if entry.name.isdigit())


def _sum(rollups: Iterable[str]) -> Memory:
    total = files = 0
    for rollup in rollups:
        total += _kilobytes(rollup, "Pss")
        files += _kilobytes(rollup, "Pss_File")
    return Memory(total * KILOBYTE, files * KILOBYTE)


def _kilobytes(rollup: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def as_podman_says(host: str) -> float:
    """What `podman stats` reports in MB: the control group's charge, page cache included."""
    text = podman("stats", "--no-stream", "--format", "{{.MemUsage}}", host).split("/")[0].strip()
    found = re.fullmatch(r"([\d.]+)\s*([kMG]?B)", text)
    if found is None:
        raise ValueError(f"podman stats says {text!r}, which is no amount of memory")
    return float(found[1]) * UNITS[found[2]]


def page_cache(host: str) -> float:
    """The part of the control group's charge that is page cache, in MB: the kernel takes it back when it needs it."""
    group = inspect("container", [host])[host]["State"]["CgroupPath"].lstrip("/")
    # With cgroup v1 beside v2, the memory controller is v1's.
    for folder, name in ((GROUPS / "memory" / group, "total_cache"), (GROUPS / group, "file")):
        if (folder / "memory.stat").exists():
            found = re.search(rf"^{name} (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
            return int(found[1]) / MEGABYTE if found else 0.0
    return 0.0

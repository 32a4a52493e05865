# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host of the test bed takes of the machine's memory."""

from __future__ import annotations

import re
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
    """What the processes of a host take, in MB; pages that several share count once (PSS).

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
    total = files = 0
    for process in PROCESSES.iterdir():
        if not process.name.isdigit():
            continue
        try:
            if (process / "ns" / "pid").readlink() != namespace:
                continue
            rollup = (process / "smaps_rollup").read_text()
        except OSError:
            continue  # it ended while we looked
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

# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that claim more than any disk of the host holds: nothing is in most of one, and reading it takes a day.

Whoever may write to a share can set a file's end to 16 TB without a byte in it. Such a file is left out and named; it
is no failure of the night, for a single person could then make every night fail.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")


def limit(roots: Sequence[Path]) -> int:
    """The size in bytes of the largest file system that is backed up; without end where one can't be asked.

    No other is asked: a network's that hangs must not hang the night.
    """
    places = {os.fsencode(root) for root in roots if root.exists()}
    for line in _MOUNTS.read_bytes().splitlines():
        # Blanks in names are written as octal numbers.
        place = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line.split(b" ")[1])
        if any(Path(os.fsdecode(place)).is_relative_to(root) for root in roots):
            places.add(place)
    try:
        return max((status.f_blocks * status.f_frsize for status in map(os.statvfs, places)), default=sys.maxsize)
    except OSError:
        return sys.maxsize


def without(files: Iterator[str], most: int, found: list[str]) -> Iterator[str]:
    """Pass the files on but those of more than so many bytes, which are added to a list."""
    for path in files:
        try:
            size = os.stat(path, follow_symlinks=False).st_size  # noqa: PTH116 - of a million files
        except OSError:
            size = 0
        if size > most:
            found.append(path)
        else:
            yield path

# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that claim more than any disk of the host holds: nothing is in most of one, and reading it takes a day.

Whoever may write to a share can set a file's end to 16 TB without a byte in it. Such a file is left out and named; it
is no failure of the night, for a single person could then make every night fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")


def limit() -> int:
    """The size of the host's largest file system in bytes."""
    largest = 0
    for line in _MOUNTS.read_text().splitlines():
        # Blanks in names are written as octal numbers.
        place = line.split(" ")[1].encode().decode("unicode_escape")
        try:
            status = os.statvfs(place)
        except OSError:
            continue
        largest = max(largest, status.f_blocks * status.f_frsize)
    return largest


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

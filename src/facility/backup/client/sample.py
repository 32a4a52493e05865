# SPDX-License-Identifier: GPL-3.0-or-later
"""A random sample of what is backed up, with checksums: what the backup host gets back is compared with it.

sample.json is {"version": 1, "time": ISO 8601, "host": client, "files": [{"path", "size" (bytes), "mtime_ns",
"ctime_ns", "sha256"}], "databases": [{"name", "dump": path, "tables": {"public.image": rows}}]}.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import giants
from .exclusion import Exclusions

log = logging.getLogger("backup_client")
MOST_FILES = 200
MOST_BYTES = 1 << 30
# Of the dumps there is always something: their lists of contents, and so many of their other files.
_DUMP_FILES = 50
_ALWAYS = ("toc.dat", "tables.json")
_BLOCK = 1 << 20


def walked(roots: Sequence[Path], exclusions: Exclusions, *, one_file_system: bool) -> Iterator[str]:
    """Every regular file below the roots; nothing is asked of the file system but the folders' lists."""
    for root in roots:
        if exclusions.hit(str(root)):
            continue
        if root.is_file() and not root.is_symlink():
            yield str(root)
            continue
        device = _device(root) if one_file_system else None
        open_folders = [str(root)]
        while open_folders:
            folder = open_folders.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if exclusions.hit(entry.path):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            if device is None or _device(entry) == device:
                                open_folders.append(entry.path)
                        elif entry.is_file(follow_symlinks=False):
                            yield entry.path
            except OSError:
                continue  # restic meets it as well, and says so


def _device(place: Path | os.DirEntry[str]) -> int | None:
    try:
        return place.stat(follow_symlinks=False).st_dev
    except OSError:
        return -1


def chosen(files: Iterator[str], count: int, chance: random.Random) -> tuple[list[str], int]:
    """So many of the files, each as likely as any other, in random order; and how many there were."""
    kept: list[str] = []
    number = 0
    for number, path in enumerate(files, 1):
        if number <= count:
            kept.append(path)
        else:
            place = chance.randrange(number)
            if place < count:
                kept[place] = path
    chance.shuffle(kept)
    return kept, number


def fingerprint(path: str, most: int) -> dict[str, Any] | None:
    """A file's checksum, and what shows later whether it was changed; None where it is larger, or changed meanwhile."""
    try:
        # A name that is no text can't be written down for the other side.
        path.encode()
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, UnicodeEncodeError):
        return None
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode) or before.st_size > most:
                return None
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            after = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - also whether the name is still this file's
        except OSError:
            return None
    if _mark(before) != _mark(after):
        return None
    return {
        "path": path,
        "size": before.st_size,
        "mtime_ns": before.st_mtime_ns,
        "ctime_ns": before.st_ctime_ns,
        "sha256": digest.hexdigest(),
    }


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def taken(
    roots: Sequence[Path],
    exclusions: Exclusions,
    dumps: Path,
    *,
    one_file_system: bool = False,
    most: int,
    chance: random.Random | None = None,
) -> tuple[list[dict[str, Any]], int, list[str]]:
    """Fingerprints of at most MOST_FILES files and MOST_BYTES bytes of what is backed up, and how many files that is.

    Some of the dumps are always among them. Files of more than `most` bytes are not backed up; the third is their list.
    """
    chance = chance or random.Random()  # noqa: S311 - a sample, no secret
    of_dumps = sorted(walked([dumps], exclusions, one_file_system=False))
    lists = [path for path in of_dumps if path.endswith(_ALWAYS)]
    others, _ = chosen((path for path in of_dumps if not path.endswith(_ALWAYS)), _DUMP_FILES, chance)
    # More than are wanted: some are too large, or change.
    too_large: list[str] = []
    files = giants.without(walked(roots, exclusions, one_file_system=one_file_system), most, too_large)
    everything, number = chosen(files, 2 * MOST_FILES, chance)
    found: list[dict[str, Any]] = []
    room = MOST_BYTES
    for path in dict.fromkeys([*lists, *others, *everything]):
        if len(found) == MOST_FILES:
            break
        print_of_it = fingerprint(path, room)
        if print_of_it:
            found.append(print_of_it)
            room -= print_of_it["size"]
    return found, number, too_large


def databases(dumps: Path) -> list[dict[str, Any]]:
    """What the dumps of databases say of themselves."""
    found = []
    for file in sorted(dumps.glob("*/tables.json")):
        try:
            listed = json.loads(file.read_text())
            found.append({"name": listed["name"], "dump": str(file.parent), "tables": listed["tables"]})
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s: is no list of a dump's tables (%s)", file, error)
    return found

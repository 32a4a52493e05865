# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock on a file, for one process at a time (flock(2)): the kernel takes it back however its holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_LOOK_SECONDS = 0.2


class LockedError(Exception):
    """Another process holds the lock, and held it for as long as this one would wait."""


@contextlib.contextmanager
def locked(file: Path, wait: float = 0) -> Iterator[None]:
    """Hold a lock; the file is made where it is missing, this user's alone, and stays.

    Args:
        file: What is locked; its folder is there.
        wait: Seconds to wait for another process; 0 for not at all.

    Raises:
        LockedError: When another process holds it for longer than that.
        OSError: When the file can't be opened.
    """
    ends = time.monotonic() + wait
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _taken(descriptor):
            if time.monotonic() >= ends:
                raise LockedError(f"{file} is locked by another process")
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

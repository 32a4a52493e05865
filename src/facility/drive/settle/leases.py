# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has a file open, and whether it has gaps: asked of the kernel, without reading the file.

A lease (fcntl(2)) is granted only while nobody else has the file open in the conflicting way; this holds for every
process of the host, so also for smbd, and for files that were opened before they were renamed. Leases on other people's
files need CAP_LEASE. It is given back at once: whoever opens the file in this moment waits for some microseconds.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from enum import Enum

OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Finding(Enum):
    """What is known of one file."""

    FINE = "fine"
    BUSY = "busy"
    READ = "read"
    HOLE = "hole"
    GONE = "gone"
    UNREADABLE = "unreadable"
    # Without CAP_LEASE, or on a file system without leases.
    UNKNOWN = "unknown"


def prepare() -> None:
    """To be called once: the kernel tells a lease's holder of an interested process by SIGIO, which would kill us."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def probe(folder: int, name: str, size: int, inode: int) -> Finding:
    """Whether nobody has the file open, in the first place for writing, and all its blocks are there.

    Args:
        folder: The descriptor of its folder.
        name: Its name there.
        size: Its size; if it has another one now, it is being written.
        inode: Its number; another file of that name is not the one that was looked at.
    """
    finding = _ask(folder, name, fcntl.F_WRLCK, size, inode)
    if finding is not Finding.BUSY:
        return finding
    finding = _ask(folder, name, fcntl.F_RDLCK, size, inode)
    return Finding.READ if finding is Finding.FINE else finding


def unused(folder: int, name: str) -> Finding:
    """Whether nobody at all has the file open, not even for reading."""
    return _ask(folder, name, fcntl.F_WRLCK, None, None)


def _ask(folder: int, name: str, lease: int, size: int | None, inode: int | None) -> Finding:
    try:
        descriptor = os.open(name, OPEN, dir_fd=folder)
    except OSError as error:
        # EWOULDBLOCK: somebody holds a lease of his own, as smbd does with kernel oplocks.
        known = {errno.ENOENT: Finding.GONE, errno.EWOULDBLOCK: Finding.BUSY, errno.EMFILE: Finding.UNKNOWN}
        return known.get(error.errno or 0, Finding.UNREADABLE)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, lease)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        if size is None:
            return Finding.FINE
        status = os.fstat(descriptor)
        if status.st_ino != inode or status.st_size != size:
            return Finding.BUSY
        # A client that died after it had set the size leaves blocks that were never allocated. The place after the
        # last byte always counts as a hole.
        return Finding.FINE if not size or os.lseek(descriptor, 0, os.SEEK_HOLE) == size else Finding.HOLE
    except OSError as error:
        return Finding.BUSY if error.errno in {errno.EAGAIN, errno.EWOULDBLOCK} else Finding.UNKNOWN
    finally:
        os.close(descriptor)

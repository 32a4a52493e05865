# SPDX-License-Identifier: GPL-3.0-or-later
"""inotify(7) by ctypes: watches on folder descriptors, events in batches, and the queue's overflow reported.

Why not a package: docs/decisions/0011-settle.md.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

MODIFY_END = 0x8  # IN_CLOSE_WRITE
ATTRIBUTES = 0x4
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
OVERFLOW = 0x4000
IGNORED = 0x8000
IS_FOLDER = 0x40000000
_ONLY_FOLDERS = 0x01000000
MASK = MODIFY_END | ATTRIBUTES | MOVED_FROM | MOVED_TO | CREATE | DELETE | _ONLY_FOLDERS

_HEAD = struct.Struct("iIII")
# A thousand names or so in one read.
_BUFFER = 256 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Event:
    """One event: the watch's number, IN_* bits, and the name in the watched folder ("": the folder itself)."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify instance; poll its descriptor, then read."""

    def __init__(self) -> None:
        self.descriptor: int = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def watch(self, folder: int) -> int:
        """Watch the folder behind a descriptor; give the watch's number, the same one if it is watched already.

        By descriptor, since a path could lead elsewhere by now.

        Raises:
            OSError: ENOSPC if fs.inotify.max_user_watches is reached.
        """
        return _checked(_libc.inotify_add_watch(self.descriptor, b"/proc/self/fd/%d" % folder, MASK))

    def forget(self, watch: int) -> None:
        """End a watch; one that has ended by itself is no error."""
        _libc.inotify_rm_watch(self.descriptor, watch)

    def read(self) -> list[Event]:
        """What has come; [] if nothing has."""
        try:
            data = os.read(self.descriptor, _BUFFER)
        except BlockingIOError:
            return []
        events = []
        place = 0
        while place < len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, place)
            place += _HEAD.size
            name = data[place : place + length].rstrip(b"\0")
            place += length
            events.append(Event(watch, mask, os.fsdecode(name)))
        return events

    def close(self) -> None:
        """End all watches."""
        os.close(self.descriptor)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "inotify")
    return result

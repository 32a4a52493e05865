# SPDX-License-Identifier: GPL-3.0-or-later
"""One walk through a set: from a folder's descriptor and names to a Summary. Follows and reads nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import families, leases
from .config import Matchers
from .decisions import Summary
from .folders import FOLDER
from .leases import Finding
from .names import misread, unfit
from .reasons import Reason

# OMERO's own limit for a path is below 4,096 bytes, its prefix included.
PATH_BYTES = 2000
DEPTH = 64
_MASK = (1 << 64) - 1
_WRITTEN_SECONDS = 2.0


@dataclass(slots=True)
class Walk:
    """The walk itself; make one, call set().

    Attributes:
        matchers: the configured patterns.
        owners: the users to whom everything must belong.
        device: the file system on which everything must lie.
        on_folder: called with each folder's descriptor before it is listed, so that it can be watched without a gap.
        probe: whether each file is asked for writers and holes.
    """

    matchers: Matchers
    owners: frozenset[int]
    device: int
    on_folder: Callable[[int], None] | None = None
    probe: bool = False

    def set(self, parent: int, names: Sequence[str]) -> Summary:
        """Look at a set: its files and folders, by their names in parent. What is gone is left out."""
        found = Summary()
        entries: dict[str, bool] = {}
        for name in names:
            try:
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                continue
            # A rename changes the time of what is renamed: without it, a set has the same signature after it was moved.
            found.signature = (found.signature + hash((name, status.st_ino))) & _MASK
            found.newest = max(found.newest, status.st_ctime)
            self._match(found, name)
            entries[name] = stat.S_ISDIR(status.st_mode)
            if self._refused(found, name, name, status):
                self._refused_file(found, parent, name, name, status)
                continue
            if entries[name]:
                self._folder(found, parent, name, name, 1)
            else:
                self._signed(found, name, status, 0)
                self._file(found, parent, name, name, status)
                self._sentinel(found, name)
        self._lacking(found, entries, "")
        return found

    def _folder(self, found: Summary, parent: int, name: str, place: str, depth: int) -> None:
        try:
            descriptor = os.open(name, FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError:
            found.unreadable = found.unreadable or place
            return
        try:
            if self.on_folder:
                self.on_folder(descriptor)
            if not found.pieces and self.matchers.pieces(name):
                found.pieces = place
            if depth > DEPTH or len(os.fsencode(place)) > PATH_BYTES:
                found.refused = found.refused or (Reason.DEPTH, place)
                return
            asked = False
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    self._entry(found, descriptor, entry, place, depth)
                    asked = asked or families.may_lack(entry.name)
            if asked:
                with os.scandir(descriptor) as entries:
                    here = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
                self._lacking(found, here, f"{place}/")
        finally:
            os.close(descriptor)

    def _entry(self, found: Summary, descriptor: int, entry: os.DirEntry[str], place: str, depth: int) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        name = entry.name
        below = f"{place}/{name}"
        self._signed(found, below, status, status.st_ctime_ns)
        found.newest = max(found.newest, status.st_ctime)
        found.apart = found.apart and not misread(name)
        if self._refused(found, name, below, status):
            self._refused_file(found, descriptor, name, below, status)
            return
        if stat.S_ISDIR(status.st_mode):
            self._folder(found, descriptor, name, below, depth + 1)
            return
        self._match(found, name)
        # A copy sets the file's old times in the end; a program that writes leaves the times of its writing.
        found.written = found.written or abs(status.st_ctime - status.st_mtime) < _WRITTEN_SECONDS
        self._file(found, descriptor, name, below, status)
        if depth == 1:
            self._sentinel(found, name)

    def _file(self, found: Summary, folder: int, name: str, place: str, status: os.stat_result) -> None:
        """Count a regular file, and probe it if that is wanted."""
        size = status.st_size
        ignored = self._counted(found, name, place, status)
        if not self.probe:
            return
        finding = leases.probe(folder, name, size, status.st_ino)
        if finding is Finding.FINE or (ignored and finding is not Finding.BUSY):
            return  # nobody waits for what is no image
        if finding in {Finding.BUSY, Finding.GONE}:
            found.writer = found.writer or place
        elif finding is Finding.READ:
            found.reader = found.reader or place
        elif finding is Finding.HOLE:
            found.hole = found.hole or place
        elif finding is Finding.UNKNOWN:
            found.unleasable = found.unleasable or place
        else:
            found.unreadable = found.unreadable or place

    def _counted(self, found: Summary, name: str, place: str, status: os.stat_result) -> bool:
        """Count a regular file; give whether it is a bookkeeping file."""
        matchers = self.matchers
        found.bytes += status.st_size
        if matchers.ignored(name):
            found.ignored += 1
            return True
        found.example = found.example or place
        if not found.partial and matchers.partial(name):
            found.partial = place
        if matchers.companion(name):
            found.companions += 1
            found.apart = False
        elif status.st_size:
            found.files += 1
            found.apart = found.apart and families.apart(name)
        else:
            found.empty += 1
        return False

    def _refused_file(self, found: Summary, folder: int, name: str, place: str, status: os.stat_result) -> None:
        """Ask of a file that may not go to OMERO whether somebody still writes it; nothing else matters there."""
        if self.probe and stat.S_ISREG(status.st_mode) and status.st_dev == self.device:
            finding = leases.probe(folder, name, status.st_size, status.st_ino)
            if finding is Finding.BUSY:
                found.writer = found.writer or place

    @staticmethod
    def _lacking(found: Summary, entries: dict[str, bool], place: str) -> None:
        """Keep the first image of which a part is missing."""
        if not found.lacking and any(map(families.may_lack, entries)) and (lacks := families.lacking(entries)):
            found.lacking = f'"{place}{lacks[0]}" comes without {lacks[1]}'

    def _refused(self, found: Summary, name: str, place: str, status: os.stat_result) -> bool:
        """Whether this must not go to OMERO; the first such finding is kept."""
        mode = status.st_mode
        reason = None
        if stat.S_ISLNK(mode):
            reason = Reason.SYMLINK
        elif stat.S_ISREG(mode):
            reason = Reason.HARD_LINK if status.st_nlink > 1 else None
        elif not stat.S_ISDIR(mode):
            reason = Reason.SPECIAL
        if status.st_dev != self.device:
            reason = Reason.OTHER_DISK
        elif not reason and status.st_uid not in self.owners:
            reason = Reason.FOREIGN
        elif not reason and unfit(name, folder=stat.S_ISDIR(mode)):
            reason = Reason.NAME
        if reason and not found.refused:
            found.refused = reason, place
        return reason is not None

    @staticmethod
    def _signed(found: Summary, place: str, status: os.stat_result, ctime: int) -> None:
        found.signature = (
            found.signature + hash((place, status.st_ino, status.st_size, status.st_mtime_ns, ctime))
        ) & _MASK

    def _match(self, found: Summary, name: str) -> None:
        for number, pattern in enumerate(self.matchers.rules):
            if pattern and pattern(name):
                found.matched |= 1 << number

    def _sentinel(self, found: Summary, name: str) -> None:
        for number, pattern in enumerate(self.matchers.sentinels):
            if pattern and pattern(name):
                found.sentinels |= 1 << number

# SPDX-License-Identifier: GPL-3.0-or-later
"""Imported images lie on the disk once: what OMERO has of a set is deleted from DropBox a while after its import.

OMERO makes images only of files whose checksum was right when it had them. It is asked again before anything is
deleted, and only the files that it names go; what is no image stays, for it is nowhere else.
"""

from __future__ import annotations

import contextlib
import os

from . import folders, leases
from .config import Config
from .decisions import Report
from .leases import Finding
from .state import Record, Store, replace
from .transitions import Roots

_DAY = 86400
# So many sets are asked about at once.
_AT_ONCE = 20


class Clearing:
    """Sets whose time in DropBox is over."""

    def __init__(self, config: Config, roots: Roots, store: Store) -> None:
        self._days = config.clear_after_days
        self._roots = roots
        self._store = store

    def due(self, wall: float) -> list[Record]:
        """The sets to be cleared next; the DropBox monitor is to be asked about them."""
        if not self._days:
            return []
        oldest = wall - self._days * _DAY
        due = [record for record in self._store.where("done") if not record.cleared and record.since < oldest]
        return sorted(due, key=lambda record: record.since)[:_AT_ONCE]

    def clear(self, record: Record, report: Report) -> Record:
        """Delete what OMERO has of a set; the record that says so.

        Raises:
            OSError: If a file can't be deleted; the rest is tried again.
        """
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            folders.open_folder(self._roots.dropbox, record.login) as box,
        ):
            own = folders.is_folder(box, record.asked)
            # Of what is there, never by a path that the report names: it is another user's, and may lead elsewhere.
            there = {path for path, _ in folders.files_below(box, record.asked)} if own else {record.asked}
            for path in sorted(there.intersection(report.imported[record.key])):
                *parts, name = path.split("/")
                below = [record.asked, *parts] if own else []
                with contextlib.suppress(FileNotFoundError), folders.open_folder(box, *below) as folder:
                    if leases.unused(folder, name) is Finding.FINE:
                        os.unlink(name, dir_fd=folder)
            if own:
                folders.remove_empty_tree(box, record.asked)
        return replace(record, cleared=True)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof that OMERO.dropbox hears: it must put a watch on a folder that is made for it, within seconds.

Its processes can live on and be deaf: the thread that takes the kernel's events in ends at an error (for one, when
somebody changes the rights of the DropBox folder itself), and nothing is imported any more. Or the importing process
was killed: the watching one keeps its monitor, reports all to the dead one, and the new importing process hears of
nothing but new people (fsPyinotifyMonitor.py keeps one list of paths for all monitors). What is deaf is ended here;
IceGrid starts it anew.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("dropbox_monitor")
# OMERO.dropbox remembers each folder for as long as it runs, so there are not many.
_PAUSE_SECONDS = 300.0
_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Canary:
    """One folder at a time below ``home``, which OMERO.dropbox watches like everything in DropBox.

    Attributes:
        home: a folder in DropBox that this process may write to; no login has its name.
    """

    home: Path
    end: Callable[[int], None] = lambda number: os.kill(number, signal.SIGTERM)
    _folder: Path | None = None
    _made_at: float = 0.0
    _proven_at: float = -_PAUSE_SECONDS
    _since: float = 0.0
    _hears: bool = False
    # Of which OMERO.dropbox the processes were ended; the next is another.
    _ended: float = 0.0

    def hears(self, now: float, since: float, watched: frozenset[int], monitors: int, processes: Iterable[int]) -> bool:
        """Whether OMERO.dropbox has proven that it hears; end its processes when it is deaf.

        Args:
            now: monotonic seconds.
            since: when OMERO.dropbox started; what an earlier one has proven counts for nothing.
            watched: the inodes that it watches.
            monitors: how many sets of watches it keeps; more than one were left by importing processes that are gone.
            processes: the numbers of its processes.
        """
        if since != self._since:
            self._since, self._hears, self._proven_at = since, False, now - _PAUSE_SECONDS
            self._remove()
        if monitors > 1:
            self._remove()
            if self._ended != since:
                self._end("OMERO.dropbox reports to a process that is gone", processes)
                self._ended = since
            return False
        if self._folder is not None and not self._folder.is_dir():
            self._folder = None  # somebody tidied up
        if self._folder is None:
            if now - self._proven_at >= _PAUSE_SECONDS:
                self._make(now)
        elif self._folder.stat().st_ino in watched:
            self._hears, self._proven_at = True, now
            self._remove()
        elif now - self._made_at > _PATIENCE_SECONDS:
            self._hears, self._proven_at = False, now
            self._remove()
            self._end("OMERO.dropbox runs and hears nothing", processes)
        return self._hears

    def _end(self, why: str, processes: Iterable[int]) -> None:
        log.error("%s; its processes are ended, IceGrid starts them anew", why)
        for number in processes:
            with contextlib.suppress(ProcessLookupError):
                self.end(number)

    def _make(self, now: float) -> None:
        for left in self.home.iterdir():
            left.rmdir()
        self._folder = self.home / uuid.uuid4().hex
        self._folder.mkdir()
        self._made_at = now

    def _remove(self) -> None:
        if self._folder is not None:
            with contextlib.suppress(FileNotFoundError):
                self._folder.rmdir()
            self._folder = None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether OMERO had time for a set: how long it was idle, what it imported since, how fast it is. No I/O, no clock.

Slow is not broken: a set counts as missed only when OMERO.dropbox had nothing else in its hands for long, or has
imported many sets that it was given later. All this is forgotten with the process; then sets wait longer.
"""

from __future__ import annotations

import bisect

from .config import Config
from .decisions import Report
from .state import Record

# An import of a real server, until its own pace is known.
_USUAL_SECONDS = 15.0
# Longer than OMERO.dropbox lets a file lie before it looks at it.
_RESTING_SECONDS = 180.0
# From so many imported files on the pace is known; however fast OMERO is, it may become slow.
_ENOUGH = 20
_MOST_AT_ONCE = 30
# So many ended sets are enough to judge by.
_KEPT = 1000
# The pace is that of the last hundred files or so.
_PACE_FILES = 100


class Workload:
    """What the DropBox monitor's reports say over time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._heard_at = 0.0
        self._idle = 0.0
        self._busy = 0.0
        self._files = 0
        # By a record's id: its last progress, and how long OMERO had been idle by then.
        self._marks: dict[str, tuple[float, float]] = {}
        # When the sets were offered that have been imported, in order.
        self._ended: list[float] = []
        self._begun: set[str] = set()

    def heard(self, report: Report, imported: int) -> None:
        """Take in a report, and how many files were imported since the last one."""
        seconds = report.time - self._heard_at
        # Of a longer silence nobody knows what OMERO did.
        if self._heard_at and 0 < seconds <= self._config.monitor_max_age:
            if report.importing or imported:
                self._busy += seconds
            else:
                self._idle += seconds
        self._heard_at = report.time
        self._files += imported
        if self._files > _PACE_FILES:
            self._files, self._busy = self._files // 2, self._busy / 2

    @property
    def pace(self) -> float:
        """Seconds that OMERO needs for a file."""
        return self._busy / self._files if self._files and self._busy else _USUAL_SECONDS

    @property
    def at_once(self) -> int:
        """How many files OMERO may have in its hands: so many as it imports in the time that somebody may wait."""
        least = self._config.files_at_once
        if self._files < _ENOUGH:
            return least
        return max(least, min(_MOST_AT_ONCE, int(self._config.wait_at_most_seconds / self.pace)))

    def at_work(self, record: Record) -> None:
        """OMERO was seen at one of the set's files."""
        self._begun.add(record.id)

    def begun(self, record: Record) -> bool:
        """Whether OMERO was ever seen at the set since it was offered."""
        return record.id in self._begun or record.progress > 0

    def _idle_since(self, record: Record) -> float:
        """For how long (seconds) OMERO had nothing to do since the set's last progress."""
        progress_at, idle = self._marks.get(record.id, (None, 0.0))
        if progress_at != record.progress_at:
            self._marks[record.id] = record.progress_at, self._idle
            idle = self._idle
        return self._idle - idle

    def passed(self, record: Record) -> bool:
        """Whether OMERO had time for an offered set, and did nothing with it since its last progress."""
        overtaken = len(self._ended) - bisect.bisect_right(self._ended, record.progress_at)
        return self._idle_since(record) >= self._config.reoffer_seconds or overtaken >= self._config.overtaken

    def resting(self, record: Record) -> bool:
        """Whether OMERO seems not to be at an offered set any more, so that others need not wait for it."""
        return self._idle_since(record) >= _RESTING_SECONDS

    def ended(self, record: Record) -> None:
        """The set is no longer in OMERO's hands."""
        self._marks.pop(record.id, None)
        self._begun.discard(record.id)
        if record.state == "done":
            bisect.insort(self._ended, record.offered_at)
            del self._ended[:-_KEPT]

# SPDX-License-Identifier: GPL-3.0-or-later
"""When each waiting set is looked at next (steady seconds)."""

from __future__ import annotations

import heapq
import itertools

from .waiting import Waiting


class Timetable:
    """A heap in which one entry a set counts, never later than the set's time: to put a set off costs no entry."""

    def __init__(self) -> None:
        self._times: dict[Waiting, float] = {}
        self._counts: dict[Waiting, float] = {}
        self._heap: list[tuple[float, int, Waiting]] = []
        self._tickets = itertools.count()

    def put(self, waiting: Waiting, at: float) -> None:
        """Look at a set then, and not before."""
        self._times[waiting] = at
        counts = self._counts.get(waiting)
        if counts is None or at < counts:
            self._counts[waiting] = at
            heapq.heappush(self._heap, (at, next(self._tickets), waiting))

    def bring_forward(self, waiting: Waiting, at: float) -> None:
        """Look at a set then at the latest."""
        self.put(waiting, min(at, self._times.get(waiting, at)))

    def remove(self, waiting: Waiting) -> None:
        """Look at a set no more."""
        self._times.pop(waiting, None)
        self._counts.pop(waiting, None)

    def take_due(self, now: float, limit: int) -> list[Waiting]:
        """The sets to look at now, at most so many; each must be put anew or removed."""
        due: list[Waiting] = []
        while self._heap and self._heap[0][0] <= now and len(due) < limit:
            at, _, waiting = heapq.heappop(self._heap)
            if self._counts.get(waiting) != at:
                continue
            del self._counts[waiting]
            if self._times[waiting] > now:
                self.put(waiting, self._times[waiting])
            else:
                due.append(waiting)
        return due

    def next_at(self) -> float | None:
        """When the next set may have to be looked at; None if there is none."""
        return self._heap[0][0] if self._heap else None

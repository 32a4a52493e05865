# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose set is given to OMERO next: few files at a time, in turn between people. No I/O, no clock.

OMERO.dropbox has one queue for all people and takes files in the order in which they came. So what it is given is kept
short, and the real queue is here, where it can be fair: who has nothing in OMERO's hands never waits for the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from .waiting import Waiting


class Turns:
    """Complete sets that wait for their turn, and those that were called."""

    def __init__(self, at_once: int) -> None:
        """Args: at_once is how many files OMERO may have in its hands before somebody waits."""
        self.at_once = at_once
        # By login: each set with its number of files, first come first.
        self._queues: dict[str, dict[Waiting, int]] = {}
        self._called: set[Waiting] = set()
        self._served: dict[str, int] = {}
        self._count = 0

    def join(self, waiting: Waiting, files: int) -> None:
        """A set is complete; one that was in the queue already keeps its place."""
        self._called.discard(waiting)
        self._queues.setdefault(waiting.key.login, {})[waiting] = files

    def leave(self, waiting: Waiting) -> None:
        """A set is gone, was taken, or is no longer known to be complete."""
        self._called.discard(waiting)
        queue = self._queues.get(waiting.key.login)
        if queue and queue.pop(waiting, None) is not None and not queue:
            del self._queues[waiting.key.login]

    def may_go(self, login: str, files: int, hands: Mapping[str, int]) -> bool:
        """Whether a set of so many files may go now.

        Args:
            login: whose it is.
            files: how many; of a set that is given in pieces, those of its first one.
            hands: how many files of each person OMERO has in its hands.
        """
        return not hands.get(login) or sum(hands.values()) + files <= self.at_once

    def call(self, hands: Mapping[str, int]) -> list[Waiting]:
        """The sets whose turn it is; each is to be looked at once more, and then taken, or to join again."""
        called = []
        taken = dict(hands)
        while (waiting := self._next(taken)) is not None:
            login = waiting.key.login
            taken[login] = taken.get(login, 0) + min(self._queues[login][waiting], self.at_once)
            self._called.add(waiting)
            self._count += 1
            self._served[login] = self._count
            called.append(waiting)
        return called

    def _next(self, hands: Mapping[str, int]) -> Waiting | None:
        for login in sorted(self._queues, key=lambda login: (hands.get(login, 0), self._served.get(login, 0))):
            waiting = next((waiting for waiting in self._queues[login] if waiting not in self._called), None)
            if waiting and self.may_go(login, min(self._queues[login][waiting], self.at_once), hands):
                return waiting
        return None

    def places(self) -> dict[Waiting, int]:
        """The place of each set in its person's queue, from 1."""
        return {waiting: place for queue in self._queues.values() for place, waiting in enumerate(queue, start=1)}

    def files(self) -> dict[str, int]:
        """How many files of each person wait for their turn."""
        return {login: sum(queue.values()) for login, queue in self._queues.items()}

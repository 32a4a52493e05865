# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry of a person's folder is: a shelf, nothing of settle's business, or a part of which set. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .aside import PUT_ASIDE
from .config import Config, Matchers
from .families import TOGETHER, fold, gathering, takes
from .names import stem
from .waiting import Key, Waiting

NOTICE = "! Import status.txt"
# What earlier versions wrote.
OLD_NOTICE = "! Import problems.txt"


class Entries:
    """Names as Windows compares them, by the configuration."""

    def __init__(self, config: Config, matchers: Matchers) -> None:
        self._matchers = matchers
        self._shelves = frozenset(map(fold, config.instruments))

    def is_shelf(self, shelf: str, name: str) -> bool:
        """Whether a folder is one; there is none on a shelf."""
        return not shelf and fold(name) in self._shelves

    def is_no_set(self, shelf: str, name: str) -> bool:
        """Whether the entry is to be left alone."""
        return self._matchers.ignored(name) or (not shelf and fold(name) == fold(PUT_ASIDE))

    def key(self, place: tuple[str, str], name: str, *, folder: bool, sets: Mapping[Key, Waiting]) -> Key:
        """The set to which an entry belongs.

        Args:
            place: login and shelf.
            name: the entry's.
            folder: whether it is a folder.
            sets: those that are known: one of them may gather what lies in its place.
        """
        together = Key(*place, TOGETHER)
        if not folder and gathering([name]):
            return together
        gathered = sets.get(together)
        if gathered and (name in gathered.items or takes(gathering(gathered.items), name, folder=folder)):
            return together
        return Key(*place, fold(stem(name, self._matchers.partial, self._matchers.sentinel, folder=folder)))


def belonging(waiting: Waiting, sets: Iterable[Waiting]) -> list[tuple[Waiting, list[str]]]:
    """What of other sets in its place goes with a set that gathers."""
    families = gathering(waiting.items)
    found = []
    for other in sets:
        if other is not waiting and other.key[:2] == waiting.key[:2] and not other.claimed:
            names = [name for name in other.names if takes(families, name, folder=other.items[name])]
            found += [(other, names)] if names else []
    return found

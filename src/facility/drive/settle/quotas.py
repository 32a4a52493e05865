# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the drive is a person's, and how much of that is taken. No I/O.

settle keeps nobody from writing. It tells smbd, which tells the clients: Explorer and robocopy refuse what does not
fit. Whoever is over it is told. What was copied goes to OMERO all the same, which makes room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .config import Config
from .overview import Entry
from .state import Record
from .waiting import Waiting

_GIB = 1 << 30
_GB = 10**9
_CURE = (
    'Delete what you no longer need, above all in "Put aside". What OMERO takes in leaves the drive within a day or so.'
)


@dataclass(frozen=True, slots=True)
class Room:
    """What is a person's on the drive, alone or, with a group's name, with others: bytes in all, and taken."""

    limit: int
    used: int
    group: str = ""

    @property
    def free(self) -> int:
        """Bytes that may still be written."""
        return max(0, self.limit - self.used)

    @property
    def over(self) -> bool:
        """Whether more is taken than there is."""
        return self.used > self.limit


def taken(waiting: Iterable[Waiting], records: Iterable[Record]) -> Counter[str]:
    """Bytes on the drive's disk by login: in people's folders, put aside, on the way to OMERO and not yet cleared."""
    bytes_of: Counter[str] = Counter()
    for each in waiting:
        bytes_of[each.key.login] += each.seen.bytes
    for record in records:
        if not record.cleared:
            bytes_of[record.login] += record.bytes
    return bytes_of


def rooms(config: Config, logins: Collection[str], bytes_of: Mapping[str, int]) -> dict[str, Room]:
    """Everybody's room, that of the person's own and the groups' in which less is left; nobody without a limit."""
    found: dict[str, Room] = {}
    if config.quota_gib:
        limit = int(config.quota_gib * _GIB)
        found = {login: Room(limit, bytes_of.get(login, 0)) for login in logins}
    for group in config.groups:
        together = Room(int(group.quota_gib * _GIB), sum(bytes_of.get(login, 0) for login in group.logins), group.name)
        for login in set(group.logins).intersection(logins):
            own = found.get(login)
            if own is None or together.limit - together.used < own.limit - own.used:
                found[login] = together
    return found


class Overdrawn:
    """Who is over their room, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def entries(self, found: Mapping[str, Room], wall: float) -> dict[str, Entry]:
        """What to tell each person who is over their room."""
        over = {login: room for login, room in found.items() if room.over}
        self._since = {login: self._since.get(login, wall) for login in over}
        return {login: _entry(room, self._since[login]) for login, room in over.items()}


def _entry(room: Room, since: float) -> Entry:
    whose = f'Your group "{room.group}" has' if room.group else "You have"
    state = f"{whose} {room.used / _GB:,.1f} GB here, of {room.limit / _GB:,.1f} GB."
    return Entry("The room on drive X", since, state, _CURE)

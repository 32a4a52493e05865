# SPDX-License-Identifier: GPL-3.0-or-later
"""A set that waits in a person's folder: what is known of it, and what can happen to it. No I/O, no clock.

Its fields are assigned in this file only, and only incoming.py calls the methods that change it; everybody else reads
it or gets a verdict (tests/contract/test_settle.py). docs/services/share.md shows what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .decisions import Observed, Summary, Verdict
from .names import printable
from .reasons import Reason

# A set without an event is looked at again after 5 s, 10 s, ... at most this.
LONGEST_PAUSE = 900.0
_SHORTEST_PAUSE = 5.0
# A copy hardly ever pauses for so long; what does may be an acquisition.
_SILENCE = 5.0


class Key(NamedTuple):
    """What tells a set from the others.

    Attributes:
        login, shelf: whose, on which instrument's shelf ("": none), by the shelf's name on the disk.
        name: what the names of its files and folders have in common, as Windows compares names.
    """

    login: str
    shelf: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How a set looked in the last walk.

    Attributes:
        since: since when (steady) it looks like this.
        quiet: its quiet time, or the shortest possible one before its rule is known.
        fingerprint: the walk's; None before the first walk.
        files, bytes: how much it is.
    """

    since: float
    quiet: float
    fingerprint: tuple[int, float] | None = None
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a set waits: the code, and the file or whatever else is the cause."""

    reason: Reason = Reason.RECENT
    detail: str = ""


@dataclass(slots=True, eq=False)
class Waiting:
    """One set in a person's folder.

    Attributes:
        key: which one.
        first_seen: epoch seconds.
        event: when its last event came (steady); None: it was there when settle started.
        silence: the longest time (seconds) without an event after which something came again.
        seen: how it looked in the last walk.
        items: the names of its files and folders, each with whether it is a folder.
        sentinel: whether its sentinel was seen, so that each event may complete it.
        cause: why it waits; cause_since: since when for this reason, epoch seconds.
        pause: for how long (seconds) it was last left alone without an event.
        claimed: whether a record takes it over; until that is done nothing else may.
        gone: whether it is no longer there, or no longer the person's.
    """

    key: Key
    first_seen: float
    event: float | None
    seen: Seen
    silence: float = 0
    items: dict[str, bool] = field(default_factory=dict)
    sentinel: bool = False
    cause: Cause = Cause()
    cause_since: float = 0
    pause: float = 0
    claimed: bool = False
    gone: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The entries of the person's folder, or of the shelf, that make it up."""
        return tuple(sorted(self.items))

    @property
    def folders(self) -> tuple[str, ...]:
        """Those of its entries that are folders."""
        return tuple(name for name in self.names if self.items[name])

    @property
    def title(self) -> str:
        """What people see of it: the name of its first entry."""
        return next(iter(self.names), self.key.name)

    @property
    def label(self) -> str:
        """How the log names it."""
        return f"{self.key.login}/{printable(self.title)}"

    @property
    def quiet_at(self) -> float | None:
        """When it will have been quiet for long enough if no event comes (steady); None if none ever came."""
        return None if self.event is None else self.event + self.seen.quiet

    @property
    def changed_since_walk(self) -> bool:
        """Whether the last walk is no longer true of it, or there was none."""
        return self.seen.fingerprint is None or (self.event is not None and self.event > self.seen.since)

    def observed(self, wall: float, steady: float, *, watched: bool) -> Observed:
        """Since when it is known as it is, for a decision at this time."""
        return Observed(wall, steady, self.event, self.seen.since, watched, self.silence)

    # What happens to it. For incoming.py alone.

    def gained(self, name: str, *, folder: bool) -> None:
        """A file or folder belongs to it."""
        self.items[name] = folder

    def lost(self, name: str) -> None:
        """A file or folder was removed or renamed, or belongs to another set now."""
        self.items.pop(name, None)

    def may_have_changed(self, at: float) -> None:
        """Nobody knows what happened until then: events were lost."""
        self.event = at

    def had_event(self, at: float, *, sentinel: bool) -> None:
        """Something in it changed; sentinel: a file that can be its sentinel."""
        # While it waits for something else, as for a file to be closed, a silence says nothing of its rhythm.
        if self.event is not None and at - self.event >= _SILENCE and self.cause.reason is Reason.RECENT:
            self.silence = max(self.silence, at - self.event)
        self.event = at
        self.pause = 0
        self.sentinel = self.sentinel or sentinel

    def was_there_before(self, wall: float) -> None:
        """It is as old as its latest change, if settle saw it only later."""
        self.first_seen = min(self.first_seen, wall)

    def was_walked(self, found: Summary, quiet: float, began: float) -> None:
        """A walk that began then (steady) found this, and the set's rule has this quiet time."""
        since = self.seen.since if found.fingerprint == self.seen.fingerprint else began
        files = found.files + found.companions + found.empty
        self.seen = Seen(since, quiet, found.fingerprint, files, found.bytes)

    def has_sentinel(self, there: bool) -> None:
        """A walk found its sentinel, or found none."""
        self.sentinel = there

    def must_wait(self, cause: Cause, wall: float) -> None:
        """It stays where it is, for this cause, as of now (epoch seconds)."""
        if cause.reason is not self.cause.reason:
            self.cause_since = wall
        self.cause = cause

    def left_alone_longer(self) -> float:
        """It is not known when to look again: twice as long as before; give the seconds."""
        self.pause = min(LONGEST_PAUSE, max(_SHORTEST_PAUSE, 2 * self.pause))
        return self.pause

    def was_claimed(self) -> None:
        """The intent to take it is committed."""
        self.claimed = True

    def is_claimed_no_more(self) -> None:
        """The claim was tried, with whatever end."""
        self.claimed = False

    def has_gone(self) -> None:
        """It is no longer there, or no longer the person's."""
        self.gone = True


@dataclass(frozen=True, slots=True)
class Judged:
    """A set as it was judged.

    Attributes:
        key, items: which one, and the entries of the person's folder, or of the shelf, that make it up, each with
            whether it is a folder.
        verdict: what becomes of it.
        found: what the walk found.
        owner: the person's user number.
        wall: when, epoch seconds: before the walk.
    """

    key: Key
    items: Mapping[str, bool]
    verdict: Verdict
    found: Summary
    owner: int
    wall: float

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which snapshots of a repository belong to a moment. Pure; times are epoch seconds, as clients claim them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

LAST_BEFORE, AROUND, FIRST_SINCE = RULES = ("last_before", "around", "first_since")


class ChoiceError(Exception):
    """A snapshot that was named isn't there; the message names those that are."""


class Dated(Protocol):
    """A snapshot: its id, and when it began."""

    @property
    def id(self) -> str:
        """Hexadecimal digits."""

    @property
    def time(self) -> float:
        """Epoch seconds."""


Snapshot = TypeVar("Snapshot", bound=Dated)


def choose(
    snapshots: Iterable[Snapshot], rule: str, moment: float | None = None, earliest: float | None = None
) -> list[Snapshot]:
    """Choose snapshots by a rule; none, where no snapshot fits it.

    Args:
        snapshots: in any order.
        rule: "last_before": the last one that began before the moment.
            "around": the last one that began at the moment or before, and the first one after it. What was there at the
            moment may have been erased soon after, and is in the former only; or had just come, and is in the latter.
            Without one before there is none.
            "first_since": the first one that began at the moment or after, for it holds what there was then; while
            there is none yet, the last one since earliest.
        moment: epoch seconds; None for now, so that the newest is the last one before.
        earliest: epoch seconds; only used by "first_since".

    Returns:
        At most two, the older one first.

    Raises:
        ValueError: for another rule.
    """
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.time)
    if moment is None:
        return ordered[-1:]
    if rule == LAST_BEFORE:
        return [snapshot for snapshot in ordered if snapshot.time < moment][-1:]
    before = [snapshot for snapshot in ordered if snapshot.time <= moment]
    if rule == AROUND:
        return [*before[-1:], *ordered[len(before) : len(before) + 1]] if before else []
    if rule == FIRST_SINCE:
        after = [snapshot for snapshot in ordered if snapshot.time >= moment]
        return after[:1] or [snapshot for snapshot in ordered if earliest is None or snapshot.time >= earliest][-1:]
    raise ValueError(f"{rule!r} is none of the rules {', '.join(RULES)}")


def named(snapshots: Sequence[Snapshot], beginning: str) -> list[Snapshot]:
    """The one snapshot whose id begins so.

    Raises:
        ChoiceError: when it is none, or not one alone.
    """
    found = [snapshot for snapshot in snapshots if beginning and snapshot.id.startswith(beginning)]
    if len(found) != 1:
        newest = sorted(snapshots, key=lambda snapshot: snapshot.time)[-5:]
        known = ", ".join(snapshot.id[:8] for snapshot in newest) or "none"
        how_many = "no backup" if not found else f"{len(found)} backups"
        raise ChoiceError(f"{how_many} {beginning!r} in the repository: name one of them, the newest are {known}")
    return found


def moment_of(text: str, time_zone: str) -> int:
    """Epoch seconds of a day or a minute as the facility's clocks show it.

    Args:
        text: 2026-11-24 (its beginning), 2026-11-24 18:00 or 2026-11-24 18:00:30. An hour that a change of clocks
            brings twice is the first of the two.
        time_zone: a name like Europe/Berlin.

    Raises:
        ValueError: when it is no such time.
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    if when is None or when.tzinfo is not None:
        raise ValueError(f"{text!r} is no time: write it like 2026-11-24, or 2026-11-24 18:00")
    return int(when.replace(tzinfo=ZoneInfo(time_zone)).timestamp())


def shown_moment(seconds: float, time_zone: str) -> str:
    """Epoch seconds as the facility's clocks show them, with the zone's own abbreviation: 2026-11-24 18:00:30 CET.

    Args:
        seconds: epoch seconds.
        time_zone: a name like Europe/Berlin.
    """
    return f"{datetime.fromtimestamp(int(seconds), ZoneInfo(time_zone)):%Y-%m-%d %H:%M:%S %Z}"

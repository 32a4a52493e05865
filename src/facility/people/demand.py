# SPDX-License-Identifier: GPL-3.0-or-later
"""One demand on one day: from the times in which it is met or waived to its state, its ends and its next change.

A span is a first and a last day. Standard library only.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

FOREVER = date.max
"""In place of a day: never."""

Spans = list[tuple[date, date]]
_ONE_DAY = timedelta(days=1)
# How a demand stands, best first.
_MET, _WAIVED, _GRACE, _UNMET = range(4)
_RANKS = (0, 0, 1, 2)


class Reason(NamedTuple):
    """Why a door is not simply open.

    Attributes:
        code: never, expired, grace, exception; never_trained, training_expired, disused; not_begun, ended, blocked;
            it_admin.
        requirement: The requirement's or instrument's name; account; of a block the reason.
        since: The first day of that; None: ever.
        until: The last day of it (of not_begun the account's first day); None: without end.
        cure: What helps, in words.
        who: Who can do that: logins, or staff.
    """

    code: str
    requirement: str
    since: date | None
    until: date | None
    cure: str
    who: tuple[str, ...]


class Part(NamedTuple):
    """How one demand, or several together, stand on a day; FOREVER for what never comes.

    Attributes:
        rank: 0 allowed, 1 grace, 2 denied.
        until: Last day of allowed.
        closes: Last open day.
        changes: First later day on which it stands differently.
        reasons: Why it is not simply allowed.
    """

    rank: int
    until: date
    closes: date
    changes: date
    reasons: tuple[Reason, ...]


def both(one: Part, other: Part) -> Part:
    """Two parts that must both be open."""
    return Part(
        one.rank if one.rank >= other.rank else other.rank,
        one.until if one.until <= other.until else other.until,
        one.closes if one.closes <= other.closes else other.closes,
        one.changes if one.changes <= other.changes else other.changes,
        one.reasons + other.reasons if other.reasons else one.reasons,
    )


@lru_cache(maxsize=100_000)
def ends_of(first: date, months: int | None) -> date:
    """The last day of so many months: the same day of the month, or the month's last one if it has no such day."""
    if months is None:
        return FOREVER
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > date.max.year:
        return FOREVER
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def day_after(day: date) -> date:
    """The next day; FOREVER stays."""
    return FOREVER if day == FOREVER else day + _ONE_DAY


def merged(spans: Iterable[tuple[date, date]]) -> Spans:
    """The same days in as few spans as possible, in order. A span that ends before it begins holds no day."""
    found: Spans = []
    ordered = sorted(spans)
    if len(ordered) < 2:
        return [span for span in ordered if span[0] <= span[1]]
    for first, last in ordered:
        if last < first:
            continue
        if found and first <= day_after(found[-1][1]):
            if last > found[-1][1]:
                found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


class Demand(NamedTuple):
    """What is demanded, and how its lack is spoken of.

    Attributes:
        name: The requirement's or instrument's.
        cure, who: What helps, and who can do it.
        grace_days: For how long a door stays open after it was met.
        never, ended: The reasons' codes where it was never met, and where it was met before.
    """

    name: str
    cure: str
    who: tuple[str, ...]
    grace_days: int = 0
    never: str = "never"
    ended: str = "expired"


def demand_part(demand: Demand, valid: Spans, waived: Spans, day: date) -> Part:
    """How a demand stands on a day.

    Args:
        demand: What is demanded.
        valid: When it is met, as merged gives it.
        waived: When it isn't demanded, likewise.
        day: The day.
    """
    level, end, reason = _level(demand, valid, waived, day)
    changes, rank = day_after(end), _RANKS[level]
    reasons = (reason,) if reason else ()
    if level == _UNMET:
        return Part(rank, FOREVER, FOREVER, changes, reasons)
    until = closes = end
    allowed = level <= _WAIVED
    while closes != FOREVER:
        level, end, _ = _level(demand, valid, waived, closes + _ONE_DAY)
        if level == _UNMET:
            break
        closes = end
        allowed = allowed and level <= _WAIVED
        if allowed:
            until = end
    return Part(rank, until, closes, changes, reasons)


def _level(demand: Demand, valid: Spans, waived: Spans, day: date) -> tuple[int, date, Reason | None]:
    """How it stands, the last day on which it stands so, and why."""
    limit, former, former_waiver = FOREVER, None, None
    for first, last in valid:
        if first > day:
            limit = first - _ONE_DAY
            break
        if last >= day:
            return _MET, last, None
        former = last
    name, cure, who = demand.name, demand.cure, demand.who
    for first, last in waived:
        if first > day:
            limit = min(limit, first - _ONE_DAY)
            break
        if last >= day:
            return _WAIVED, min(limit, last), Reason("exception", name, first, last, cure, who)
        former_waiver = last
    if former is None:
        return _UNMET, limit, Reason(demand.never, name, None, None, cure, who)
    open_to = former + timedelta(days=demand.grace_days)
    if day <= open_to:
        return _GRACE, min(limit, open_to), Reason("grace", name, former + _ONE_DAY, open_to, cure, who)
    since = max(open_to, former_waiver or open_to) + _ONE_DAY
    return _UNMET, limit, Reason(demand.ended, name, since, None, cure, who)

# SPDX-License-Identifier: GPL-3.0-or-later
"""When a trigger is due."""

import math
from datetime import UTC, datetime, timedelta, tzinfo

from .task_xml import Trigger


def is_due(trigger: Trigger, after: datetime, until: datetime, zone: tzinfo, activated: list[datetime]) -> bool:
    """Return whether a trigger starts its task in (after, until].

    Args:
        trigger: the trigger.
        after: the moment up to which was looked already, UTC.
        until: now, UTC.
        zone: the PC's time zone.
        activated: for a trigger without a time of its own, when what it waits for happened.
    """
    found = next_start(trigger, after, zone, activated)
    return found is not None and found <= until


def next_start(trigger: Trigger, after: datetime, zone: tzinfo, activated: list[datetime]) -> datetime | None:
    """Return the first moment after ``after`` at which a trigger starts its task, in UTC; None for never."""
    if not trigger.enabled:
        return None
    begins: list[datetime] = []
    if trigger.kind == "CalendarTrigger" and trigger.start is not None:
        begins = _days(_utc(trigger.start, zone), trigger, after, zone)
    elif trigger.kind == "TimeTrigger" and trigger.start is not None:
        begins = [_utc(trigger.start, zone)]
    else:
        begins = [moment + timedelta(seconds=trigger.delay) for moment in activated]
        if trigger.start is not None:
            begins = [moment for moment in begins if moment >= _utc(trigger.start, zone)]
    found = [moment for begin in begins if (moment := _repeated(trigger, begin, after)) is not None]
    if trigger.end is not None:
        found = [moment for moment in found if moment <= _utc(trigger.end, zone)]
    return min(found, default=None)


def _repeated(trigger: Trigger, begin: datetime, after: datetime) -> datetime | None:
    """Return the first moment after ``after`` of a start and its repetitions."""
    if begin > after:
        return begin
    if not trigger.interval:
        return None
    count = math.floor((after - begin).total_seconds() / trigger.interval) + 1
    moment = begin + timedelta(seconds=count * trigger.interval)
    if trigger.duration and (moment - begin).total_seconds() >= trigger.duration:
        return None
    return moment


def _days(first: datetime, trigger: Trigger, after: datetime, zone: tzinfo) -> list[datetime]:
    """Return the daily starts around ``after``: the one whose repetitions may go on, and the next."""
    local = first.astimezone(zone)
    past = max((after - first).days // trigger.days, 0)
    # By the clock on the wall: at the same hour in summer and in winter.
    return [
        (local.replace(tzinfo=None) + timedelta(days=(past + step) * trigger.days)).replace(tzinfo=zone).astimezone(UTC)
        for step in (-1, 0, 1, 2)
        if past + step >= 0
    ]


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    """A boundary without a zone is the PC's local time."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What each person is told: every set that is not simply done, in three lists. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .aside import PUT_ASIDE
from .config import Config
from .names import printable
from .reasons import HARMLESS, Reason, explanation
from .state import Record
from .waiting import Waiting

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """One set, or several in one line: what it is called, since when (epoch seconds), how it is, what to do."""

    name: str
    since: float
    state: str
    cure: str = ""


@dataclass(slots=True)
class Overview:
    """One person's lists: what needs the person, what goes on by itself, what was put aside."""

    problems: list[Entry] = field(default_factory=list)
    on_its_way: list[Entry] = field(default_factory=list)
    aside: list[Entry] = field(default_factory=list)


def overviews(
    config: Config,
    waiting: Iterable[Waiting],
    records: Iterable[Record],
    imported: Mapping[str, int],
    *,
    wall: float,
    seconds_per_file: float,
) -> dict[str, Overview]:
    """Every person's overview, by login; nobody is in it of whom there is nothing to tell.

    Args:
        config: for the waiting times.
        waiting: the sets in people's folders.
        records: the sets that have left them.
        imported: how many files of a set OMERO has, by the set's key.
        wall: now, epoch seconds.
        seconds_per_file: how long OMERO needs for one at present.
    """
    found: defaultdict[str, Overview] = defaultdict(Overview)
    queued: defaultdict[str, list[Waiting]] = defaultdict(list)
    for each in waiting:
        if each.cause.reason is Reason.QUEUED:
            queued[each.key.login].append(each)
        elif _is_told(each, config, wall):
            _add(found[each.key.login], each.title, each.first_seen, each.cause.reason, each.cause.detail)
    for login, sets in queued.items():
        found[login].on_its_way.append(_queue(sets, len(queued), seconds_per_file))
    for record in records:
        name = printable(record.name)
        if record.state == "quarantined":
            what, cure = explanation(record.reason, record.detail)
            place = f'It lies in "{PUT_ASIDE}".'
            found[record.login].aside.append(Entry(name, record.since, f"{what}.", f"{cure}\n    {place}"))
        elif record.state == "staged" and record.reason and _is_late(record, config, wall):
            _add(found[record.login], record.name, record.since, Reason(record.reason), record.detail)
        elif record.state in _WITH_OMERO and _is_late(record, config, wall):
            has = imported.get(record.key, 0) if record.state == "offered" else record.progress
            state = _with_omero(record, has)
            if record.attempts or record.state != "offered":
                state += f" It is given to OMERO again (attempt {record.attempts + 1})."
            found[record.login].on_its_way.append(Entry(name, record.since, state))
    return dict(found)


def _with_omero(record: Record, has: int) -> str:
    if record.piecewise:
        return f"OMERO has {has} of its files so far, and gets the others a few at a time."
    return f"OMERO has {has} of {record.files} files so far." if record.files > 1 else "OMERO has it in hand."


_WITH_OMERO = {"offered", "recalling", "recalled"}


def _is_late(record: Record, config: Config, wall: float) -> bool:
    return wall - record.since >= config.notice_after_seconds


def _is_told(waiting: Waiting, config: Config, wall: float) -> bool:
    reason = waiting.cause.reason
    if reason in {Reason.NOTHING, Reason.RECENT}:
        return False
    patience = config.sentinel_wait_seconds if reason is Reason.SENTINEL else config.notice_after_seconds
    return wall - waiting.cause_since >= patience


def _add(overview: Overview, name: str, since: float, reason: Reason, detail: str) -> None:
    what, cure = explanation(reason, printable(detail))
    (overview.on_its_way if reason in HARMLESS else overview.problems).append(
        Entry(printable(name), since, f"{what}.", cure)
    )


def _queue(sets: list[Waiting], people: int, seconds_per_file: float) -> Entry:
    """All that waits for its turn, in one line, and how long that takes at OMERO's present pace."""
    files = sum(waiting.seen.files for waiting in sets)
    hours = files * people * seconds_per_file / _HOUR
    long = f"{hours:.0f} hours" if hours >= 2 else f"{max(1, round(hours * 60))} minutes"
    first = printable(sets[0].title)
    name = first if len(sets) == 1 else f"{first} and {len(sets) - 1} more"
    number = f"{files} file{'s' if files != 1 else ''}"
    verb = "wait" if files != 1 else "waits"
    state = f"{number} {verb} for their turn; at OMERO's present pace the last one is taken in about {long}."
    return Entry(name, min(waiting.first_seen for waiting in sets), state, "Nothing to do: it goes on by itself.")

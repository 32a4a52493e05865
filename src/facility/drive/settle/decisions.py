# SPDX-License-Identifier: GPL-3.0-or-later
"""The thinking: when a set is complete, what OMERO missed. No I/O, no clock.

Times on the wall are epoch seconds; times called "steady" come from a clock that nobody sets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .config import Config, Rule
from .reasons import Reason


@dataclass(slots=True)
class Summary:
    """What a walk through a set found.

    Attributes:
        files: regular files that are neither companions nor empty.
        companions: what OMERO does not import by itself, bookkeeping files included.
        empty: files of 0 bytes that are no companions.
        bytes: of all files.
        newest: the latest change (ctime, epoch seconds) of anything in the set, folders included.
        signature: the same while nothing was added, removed or changed; not comparable after a restart.
        matched: bit n: a name fits the pattern of rule n.
        sentinels: bit n: rule n's sentinel lies at the set's top.
        refused: why the set may not go to OMERO, and the file that is the cause.
        partial, unreadable, unleasable, writer, hole: the first such file.
        example: the first file, for messages about all of them.
    """

    files: int = 0
    companions: int = 0
    empty: int = 0
    bytes: int = 0
    newest: float = 0
    signature: int = 0
    matched: int = 0
    sentinels: int = 0
    refused: tuple[Reason, str] | None = None
    partial: str = ""
    unreadable: str = ""
    unleasable: str = ""
    writer: str = ""
    hole: str = ""
    example: str = ""

    @property
    def fingerprint(self) -> tuple[int, float]:
        """Equal twice: nothing happened in between."""
        return self.signature, self.newest


@dataclass(frozen=True, slots=True)
class Observed:
    """Since when a set is known to be as it is.

    Attributes:
        wall: now, epoch seconds.
        steady: now, on the steady clock.
        event: when its last event came (steady); None for a set that was there when settle started.
        same_since: when its present fingerprint was first seen (steady).
        watched: whether events tell everything that happens in it.
    """

    wall: float
    steady: float
    event: float | None
    same_since: float
    watched: bool = True


def unchanged_for(seen: Observed, newest: float) -> float:
    """For how many seconds a set has certainly not changed.

    Two equal walks prove the time between them. Otherwise the file's own time must say so *and* no event may tell
    otherwise, so that neither a clock that was set nor a change just before the start is taken for quiet.
    """
    by_walks = seen.steady - seen.same_since
    if not seen.watched:
        return by_walks
    by_events = float("inf") if seen.event is None else seen.steady - seen.event
    return max(by_walks, min(by_events, seen.wall - newest))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a set in a person's folder.

    Attributes:
        action: "wait"; "probe": look at each file for writers and holes and judge again; "move" to OMERO;
            "quarantine".
        reason: why it waits or is put aside.
        detail: the file that is the cause, or what is waited for.
        seconds: until it is worth looking again without an event; None if nobody can tell.
    """

    action: Literal["wait", "probe", "move", "quarantine"]
    reason: Reason | None = None
    detail: str = ""
    seconds: float | None = None


def judge(found: Summary, rule: Rule, seen: Observed, config: Config, *, sentinel_there: bool, probed: bool) -> Verdict:
    """Decide about a set in a person's folder.

    Args:
        found: What the walk found; the file-by-file findings count only if probed.
        rule: The set's rule.
        seen: Since when it is known as it is.
        config: For the waiting times.
        sentinel_there: Whether the rule's sentinel is in the set.
        probed: Whether the walk looked for writers and holes.
    """
    verdict = _by_names_and_times(found, rule, seen, config, sentinel_there=sentinel_there)
    if verdict.action == "wait":
        return verdict
    # Nor is a set that goes nowhere pulled away from under a writer: what is empty now may be about to be filled.
    if not probed:
        return Verdict("probe")
    if found.unleasable:
        return Verdict("wait", Reason.UNLEASABLE, found.unleasable)
    if found.writer:
        return Verdict("wait", Reason.WRITER, found.writer)
    if found.hole and verdict.action == "move":
        return Verdict("wait", Reason.HOLES, found.hole)
    return verdict


def _by_names_and_times(  # noqa: PLR0911 - a list of cases, in their order
    found: Summary, rule: Rule, seen: Observed, config: Config, *, sentinel_there: bool
) -> Verdict:
    """What becomes of the set if nobody writes in it."""
    if not found.refused and not (found.files or found.companions or found.empty):
        return Verdict("wait", Reason.NOTHING)
    unchanged = unchanged_for(seen, found.newest)
    rest = rule.quiet_seconds - unchanged
    if found.refused:
        return Verdict("quarantine", *found.refused) if rest <= 0 else Verdict("wait", Reason.RECENT, "", rest)
    if found.partial:
        return Verdict("wait", Reason.PARTIAL, found.partial)
    if rule.sentinel and not sentinel_there:
        return Verdict("wait", Reason.SENTINEL, rule.sentinel)
    if rest > 0 and not rule.sentinel:
        return Verdict("wait", Reason.RECENT, "", rest)
    if not found.files and found.empty:
        return Verdict("quarantine", Reason.EMPTY_FILES, found.example)
    patience = config.unsuitable_wait_seconds - unchanged
    if not found.files:
        if patience <= 0:
            return Verdict("quarantine", Reason.NO_FORMAT, found.example)
        return Verdict("wait", Reason.NO_FORMAT, found.example, patience)
    if found.unreadable:
        if patience <= 0:
            return Verdict("quarantine", Reason.UNREADABLE, found.unreadable)
        return Verdict("wait", Reason.UNREADABLE, found.unreadable, patience)
    return Verdict("move")


@dataclass(frozen=True, slots=True)
class Report:
    """What the DropBox monitor says; see the package's docstring."""

    time: float
    alive: bool = False
    since: float = 0
    watching: frozenset[str] = frozenset()
    importing: frozenset[str] = frozenset()
    imported: Mapping[str, Collection[str]] = field(default_factory=dict)

    def fresh(self, wall: float, max_age: float) -> bool:
        """Whether it may be relied on: OMERO lives, and the report is neither old nor from the future."""
        return self.alive and -1 <= wall - self.time <= max_age


def worth_a_look(
    report: Report, config: Config, *, key: str, files: int, offered_at: float, progress_at: float
) -> bool:
    """Whether an offered set's files must be compared with the report: it may be done, or something may be missed."""
    if key not in report.imported or report.time <= offered_at:
        return False
    return (
        len(report.imported[key]) >= files
        or overlooked(report, offered_at, config)
        or overdue(report, progress_at, config)
    )


def overlooked(report: Report, offered_at: float, config: Config) -> bool:
    """Whether OMERO.dropbox was started after the offer, and had time to end what it was at before."""
    return report.since > offered_at and report.time >= report.since + config.reoffer_grace_seconds


def overdue(report: Report, progress_at: float, config: Config) -> bool:
    """Whether OMERO did nothing with the set for too long."""
    return report.time >= progress_at + config.reoffer_seconds


def missing(report: Report, key: str, expected: Collection[str], *, file: bool) -> tuple[list[str], bool]:
    """The files of a set that OMERO does not have, and whether it is at any of the set's files now.

    Args:
        report: The DropBox monitor's report.
        key: The set, "login/name".
        expected: Its files, relative to it; for a loose file its own name.
        file: Whether the set is one loose file.
    """
    imported = report.imported.get(key, ())
    imported = imported if isinstance(imported, frozenset | set) else frozenset(imported)
    at_work = key in report.importing if file else any(path.startswith(f"{key}/") for path in report.importing)
    return [path for path in expected if path not in imported], at_work

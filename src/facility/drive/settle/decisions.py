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

# A set in which something came after a silence waits for so many times that silence, but no longer than this.
_RHYTHM = 3
_LONGEST_SILENCE = 3600.0
# How often a file is looked at that a program has open.
_READER_SECONDS = 15.0


@dataclass(slots=True)
class Summary:
    """What a walk through a set found.

    Attributes:
        files: regular files that are neither companions nor empty.
        companions: what OMERO does not import by itself.
        ignored: bookkeeping files of programs.
        empty: files of 0 bytes that are no companions.
        bytes: of all files.
        newest: the latest change (ctime, epoch seconds) of anything in the set, folders included.
        signature: the same while nothing was added, removed or changed; not comparable after a restart.
        matched: bit n: a name fits the pattern of rule n.
        sentinels: bit n: rule n's sentinel lies at the set's top.
        refused: why the set may not go to OMERO, and the file that is the cause.
        partial, unreadable, unleasable, writer, reader, hole: the first such file; reader: it is open, but for reading.
        pieces: the first folder that is an image in itself.
        written: whether a file in a folder was written where it lies, and not copied with its times.
        apart: whether each file is an image by itself, so that the set may be given to OMERO in pieces.
        lacking: the first image of which a part is missing, and what it is, in words.
        example: the first file, for messages about all of them.
    """

    files: int = 0
    companions: int = 0
    ignored: int = 0
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
    reader: str = ""
    hole: str = ""
    pieces: str = ""
    written: bool = False
    apart: bool = True
    lacking: str = ""
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
        silence: the longest time (seconds) without an event after which something came again.
    """

    wall: float
    steady: float
    event: float | None
    same_since: float
    watched: bool = True
    silence: float = 0


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
    return _by_probes(found, config, unchanged_for(seen, found.newest)) if verdict.action == "move" else verdict


def _by_probes(found: Summary, config: Config, unchanged: float) -> Verdict:
    """What becomes of a set that would move, by findings that can be wrong, and so have an end."""
    if found.hole and (rest := config.gaps_wait_seconds - unchanged) > 0:
        return Verdict("wait", Reason.HOLES, found.hole, rest)
    if found.reader and (rest := config.reader_wait_seconds - unchanged) > 0:
        return Verdict("wait", Reason.READER, found.reader, min(rest, _READER_SECONDS))
    return Verdict("move")


def quiet_seconds(found: Summary, rule: Rule, silence: float, config: Config) -> float:
    """For how long nothing may have changed in the set before it is taken to be complete.

    An acquisition straight onto the share shows by files that were written there, and by its own rhythm: what came
    again after a silence (seconds) may come again after another one.
    """
    stated = bool(rule.instrument or rule.match)
    usual = rule.quiet_seconds if stated else max(rule.quiet_seconds, found.written * config.written_quiet_seconds)
    return max(usual, min(_RHYTHM * silence, _LONGEST_SILENCE))


def _by_names_and_times(found: Summary, rule: Rule, seen: Observed, config: Config, *, sentinel_there: bool) -> Verdict:
    """What becomes of the set if nobody writes in it."""
    if not found.refused and not (found.files or found.companions or found.empty):
        return Verdict("wait", Reason.NOTHING)
    unchanged = unchanged_for(seen, found.newest)
    rest = quiet_seconds(found, rule, seen.silence, config) - unchanged
    if found.refused:
        return Verdict("quarantine", *found.refused) if rest <= 0 else Verdict("wait", Reason.RECENT, "", rest)
    if found.partial:
        return Verdict("wait", Reason.PARTIAL, found.partial)
    if rule.sentinel and not sentinel_there:
        return Verdict("wait", Reason.SENTINEL, rule.sentinel)
    if rest > 0 and not rule.sentinel:
        return Verdict("wait", Reason.RECENT, "", rest)
    return _by_content(found, config, unchanged)


def _by_content(found: Summary, config: Config, unchanged: float) -> Verdict:
    """What becomes of a set that has been quiet for long enough."""
    if found.lacking and (rest := config.incomplete_wait_seconds - unchanged) > 0:
        return Verdict("wait", Reason.INCOMPLETE, found.lacking, rest)
    if found.pieces:
        return Verdict("wait", Reason.PIECES, found.pieces)
    if found.files > config.files_at_most and not found.apart:
        return Verdict("wait", Reason.TOO_MANY, str(found.files))
    # Empty files may be about to be filled, and images may come to what is none.
    unsuitable = (
        (Reason.EMPTY_FILES, found.example if not found.files and found.empty else ""),
        (Reason.NO_FORMAT, found.example if not found.files else ""),
        (Reason.UNREADABLE, found.unreadable),
    )
    for reason, example in unsuitable:
        if example:
            rest = config.unsuitable_wait_seconds - unchanged
            return Verdict("wait", reason, example, rest) if rest > 0 else Verdict("quarantine", reason, example)
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


def worth_a_look(report: Report, config: Config, *, key: str, files: int, offered_at: float, passed: bool) -> bool:
    """Whether an offered set's files must be compared with the report: it may be done, or something may be missed.

    Args:
        report: the DropBox monitor's.
        config: for the waiting times.
        key: the set, "login/name".
        files: how many OMERO should import.
        offered_at: when it was given to OMERO.
        passed: whether OMERO had time for it, and did nothing with it.
    """
    if key not in report.imported or report.time <= offered_at:
        return False
    return len(report.imported[key]) >= files or overlooked(report, offered_at, config) or passed


def overlooked(report: Report, offered_at: float, config: Config) -> bool:
    """Whether OMERO.dropbox was started after the offer, and had time to end what it was at before."""
    return report.since > offered_at and report.time >= report.since + config.reoffer_grace_seconds


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

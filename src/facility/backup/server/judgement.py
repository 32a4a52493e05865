# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the backups, out of what was seen. Pure: it reads nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ..database_health import judge_drill, judge_stanza
from ..health import STALE_SECONDS, Limits, Problem, judge_repository
from .observe import Seen, SeenStanza


def judge(seen: Seen) -> list[Problem]:
    """All problems, each with its cure; the same for the same Seen."""
    limits = Limits(seen.config.near_full, seen.config.shrink_alarm)
    return [
        *(problem for facts in seen.repositories for problem in judge_repository(facts, limits, seen.now)),
        *(problem for stanza in seen.stanzas for problem in _stanza(stanza, seen)),
        *_timers(seen),
        *_disk(seen),
        *_drills(seen),
        *_journal(seen),
    ]


def _stanza(stanza: SeenStanza, seen: Seen) -> list[Problem]:
    if stanza.unreadable:
        return [Problem("unreadable", stanza.config.name, stanza.unreadable)]
    return judge_stanza(
        stanza.config.name,
        stanza.stanza,
        stanza.wal,
        expected_seconds=stanza.config.expected_hours * 3600,
        wal_seconds=stanza.config.wal_minutes * 60,
        now=seen.now,
        born=0 if stanza.config.name in seen.with_base else seen.born,
    )


def _timers(seen: Seen) -> Iterator[Problem]:
    if seen.timers_fault:
        yield Problem("timer", "", seen.timers_fault)
    for name, active in seen.timers.items():
        if not active:
            cure = f"systemctl enable --now {name}, or run playbooks/backup.yml"
            yield Problem("timer", name, f"{name} isn't active: {cure}")


def _disk(seen: Seen) -> Iterator[Problem]:
    """The room on the backups' disk."""
    if seen.disk_fault:
        yield Problem("disk", "", seen.disk_fault)
    disk = seen.disk
    if disk and disk.size and 1 - disk.free / disk.size > seen.config.near_full:
        used = f"{seen.config.volume} is {100 - disk.free * 100 // disk.size} % full"
        yield Problem("disk", "", f"{used}: make it larger, or see docs/runbooks/backup-full.md")


def _drills(seen: Seen) -> Iterator[Problem]:
    """Of databases, of all files, of services on hosts of their own. What is new has its time to be drilled first."""
    config, drills = seen.config, seen.drills
    for fault in drills.faults:
        yield Problem("drill_database", "", f"results of drills can't be read: {fault}")
    for stanza in config.stanzas:
        found = drills.databases.get(stanza.name)
        yield from judge_drill("drill_database", stanza.name, found, STALE_SECONDS, seen.now, born=seen.born)
    if config.weekly_drill_days:
        most = config.weekly_drill_days * 86400
        yield from judge_drill("weekly_drill", "", drills.weekly, most, seen.now, born=seen.born)
    for drill in config.host_drills:
        found = drills.hosts.get(drill.name)
        yield from judge_drill("host_drill", drill.name, found, drill.days * 86400, seen.now, born=seen.born)


def _journal(seen: Seen) -> Iterator[Problem]:
    """Whether the journal still reaches back to the last look.

    Whoever may ask may ask very often, until the line that betrays him is pushed out.
    """
    if not seen.looked:
        return
    if seen.journal_fault:
        yield Problem("unreadable", "", seen.journal_fault)
    # The report has whole seconds.
    if seen.journal_begins is not None and seen.journal_begins >= seen.looked + 1:
        lost = "the journal no longer reaches back to the last look, what was refused meanwhile is lost"
        yield Problem("unreadable", "", f"{lost}: see what filled it, and docs/runbooks/backup-attack.md")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with databases' backups, and with drills that restore a whole. No I/O; times are epoch seconds."""

from __future__ import annotations

from .health import Outcome, Problem, in_hours
from .pgbackrest import Stanza


def judge_stanza(
    name: str,
    stanza: Stanza | None,
    wal: float | None,
    *,
    expected_seconds: float,
    wal_seconds: float,
    now: float,
    born: float = 0,
) -> list[Problem]:
    """What is wrong with one database's backups.

    Args:
        name: of the database's stanza.
        stanza: what pgBackRest says of it.
        wal: when its newest write-ahead log came in.
        expected_seconds: how old the newest base backup may be.
        wal_seconds: how old the newest write-ahead log may be.
        now: epoch seconds.
        born: since when the backup server looks; a new database has until its first night is over.
    """
    if (stanza is None or not stanza.backups) and now - born <= expected_seconds:
        return []
    if stanza is None or not stanza.backups:
        reason = stanza.message if stanza else "unknown stanza"
        cure = f"pgbackrest --stanza={name} check, then --type=full backup on the backup host"
        return [Problem("base_backup", name, f"database {name} has no base backup ({reason}): {cure}")]
    problems = []
    newest = stanza.backups[-1]
    if now - newest.stop > expected_seconds:
        cure = "see the journal of backup-base.service and docs/runbooks/backup-missing.md"
        problems.append(
            Problem(
                "base_backup", name, f"database {name} has no base backup for {in_hours(now - newest.stop)}: {cure}"
            )
        )
    elif newest.error or not stanza.ok:
        reason = stanza.message if not stanza.ok else f"pages with wrong checksums in {newest.label}"
        cure = "see pgbackrest info, and pg_amcheck on the database"
        problems.append(
            Problem("base_backup", name, f"the base backup of database {name} is not sound ({reason}): {cure}")
        )
    if wal is None or now - wal > wal_seconds:
        ago = f"for {_in_minutes(now - wal)}" if wal is not None else "at all"
        cure = "see pg_stat_archiver on the database's host and docs/runbooks/wal-behind.md"
        problems.append(Problem("wal", name, f"no write-ahead log of database {name} came in {ago}: {cure}"))
    return problems


def judge_drill(
    kind: str, name: str, outcome: Outcome | None, stale: float, now: float, *, born: float = 0
) -> list[Problem]:
    """What is wrong with a drill; born is since when the backup server looks.

    Args:
        kind: "drill_database", "weekly_drill" (of all files, name ""), or "host_drill" (of a service).
        name: of what is drilled.
        outcome: of the last one; None when there was none.
        stale: seconds that it may be old.
        now: epoch seconds.
        born: epoch seconds.
    """
    what = (
        f"of {name} on a host of its own" if kind == "host_drill" else f"of database {name}" if name else "of all files"
    )
    cure = "see docs/runbooks/backup-drill-failed.md"
    if outcome is None and now - born <= stale:
        return []
    if outcome is None:
        return [Problem(kind, name, f"a drill {what} was never done: start it, {cure}")]
    if not outcome.ok:
        return [Problem(kind, name, f"the drill {what} failed ({outcome.message or 'it does not say why'}): {cure}")]
    if now - outcome.time > stale:
        return [
            Problem(kind, name, f"the last drill {what} is {in_hours(now - outcome.time)} ago: see its timer; {cure}")
        ]
    return []


def _in_minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"

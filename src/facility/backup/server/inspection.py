# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at all backups, judges them, and tells: backup.prom for Prometheus, report.json for people and playbooks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..database_health import judge_drill, judge_stanza
from ..health import (
    STALE_SECONDS,
    Facts,
    Limits,
    Outcome,
    Problem,
    judge,
    merged,
    trusted_in_order,
    unknown_keys,
    untrusted,
    usual_size,
)
from ..restic import epoch
from . import host_drill, metrics, observe, state
from .config import Config
from .host import Disk
from .observe import SeenStanza
from .state import StateError


def run(config: Config) -> list[str]:
    """Look, judge and tell; give the messages of what is new since the last time."""
    now = time.time()
    known = _remembered(config, now)
    born = min((float(entry["since"]) for entry in known.values()), default=now)
    facts = [observe.repository(repository, known[repository.name], now) for repository in config.repositories]
    stanzas = observe.stanzas(config)
    timers, timer_problems = observe.timers(config)
    disk, disk_problems = observe.volume(config)
    limits = Limits(config.near_full, config.shrink_alarm)
    problems = [problem for seen in facts for problem in judge(seen, limits, now)]
    with_base = _with_bases(config, stanzas)
    for seen in stanzas:
        problems += _stanza_problems(seen, now, 0 if seen.config.name in with_base else born)
    weekly, drill_problems = _drills(config, now, born)
    report = config.state / state.REPORT_FILE
    last = _last(report)
    problems += [*timer_problems, *disk_problems, *drill_problems, *observe.journal(_looked(last))]
    listed, new = merged(problems, last, _iso(now))
    values = _values(facts, stanzas, known)
    values |= {
        "backup_timer_active": {name: float(good) for name, good in timers.items()},
        "backup_problems": len(listed),
    }
    values |= _volume_values(disk) | weekly
    # Last: the metrics must not say that all was looked at when the report could not be written.
    drilled = {"host_drills": _host_drills(_last(config.state / state.HOST_DRILL_FILE))}
    with state.locked(report.with_suffix(".lock"), wait=60):
        state.write(report, _report(listed, facts, stanzas, known, now) | drilled)
    metrics.write(config.metrics, values | {"backup_inspect_timestamp_seconds": now})
    return [entry["message"] for entry in listed if entry["id"] in new]


def _remembered(config: Config, now: float) -> dict[str, dict[str, Any]]:
    """What state.json knows of each repository; one that is new is noted."""
    known: dict[str, dict[str, Any]] = {}

    def change(content: dict[str, Any]) -> None:
        entries = content.setdefault("repositories", {})
        for repository in config.repositories:
            entries.setdefault(repository.name, {}).setdefault("since", now)
        known.update({repository.name: entries[repository.name] for repository in config.repositories})

    state.update(config.state / state.STATE_FILE, change)
    return known


def _last(report: Path) -> dict[str, Any]:
    try:
        return state.read(report)
    except StateError:
        return {}


def _looked(last: Mapping[str, Any]) -> float:
    """When the last report was made; 0 if there is none, or none that tells."""
    try:
        return epoch(str(last["time"]))
    except (KeyError, ValueError):
        return 0


def _with_bases(config: Config, stanzas: Sequence[SeenStanza]) -> set[str]:
    """The databases that have had a base backup, ever: those that lose it are not new."""
    with_base: set[str] = set()

    def change(content: dict[str, Any]) -> None:
        known = set(content.get("based", []))
        known |= {seen.config.name for seen in stanzas if seen.stanza and seen.stanza.backups}
        content["based"] = sorted(known)
        with_base.update(known)

    state.update(config.state / state.STATE_FILE, change)
    return with_base


def _stanza_problems(seen: SeenStanza, now: float, born: float) -> list[Problem]:
    if seen.unreadable:
        return [Problem("unreadable", seen.config.name, seen.unreadable)]
    return judge_stanza(
        seen.config.name,
        seen.stanza,
        seen.wal,
        expected_seconds=seen.config.expected_hours * 3600,
        wal_seconds=seen.config.wal_minutes * 60,
        now=now,
        born=born,
    )


def _drills(config: Config, now: float, born: float) -> tuple[metrics.Values, list[Problem]]:
    """Of the drills that others do: of databases, of all files, of services on hosts of their own."""
    problems = []
    values: metrics.Values = {}
    try:
        entries = state.read(config.database_state / state.DATABASE_FILE).get("stanzas", {})
        for stanza in config.stanzas:
            found = state.outcome_of(entries[stanza.name]) if stanza.name in entries else None
            problems += judge_drill("drill_database", stanza.name, found, STALE_SECONDS, now, born=born)
        weekly = state.read(config.state / state.WEEKLY_FILE)
        outcome = _weekly(weekly) if weekly else None
        hosts = state.read(config.state / state.HOST_DRILL_FILE)
        host_outcomes = [
            (drill, host_drill.outcome(drill, hosts.get(drill.name, {}), now)) for drill in config.host_drills
        ]
    except (StateError, AttributeError, KeyError, TypeError, ValueError) as error:
        return values, [*problems, Problem("drill_database", "", f"results of drills can't be read: {error}")]
    if outcome:
        values = {"backup_weekly_drill_ok": float(outcome.ok), "backup_weekly_drill_timestamp_seconds": outcome.time}
    if config.weekly_drill_days:
        problems += judge_drill("weekly_drill", "", outcome, config.weekly_drill_days * 86400, now, born=born)
    for drill, found in host_outcomes:
        problems += judge_drill("host_drill", drill.name, found, drill.days * 86400, now, born=born)
    done = {drill.name: found for drill, found in host_outcomes if found}
    values |= {
        "backup_host_drill_ok": {name: float(found.ok) for name, found in done.items()},
        "backup_host_drill_timestamp_seconds": {name: found.time for name, found in done.items()},
        "backup_host_drill_max_age_seconds": {drill.name: drill.days * 86400 for drill in config.host_drills},
    }
    return values, problems


def _weekly(entry: Mapping[str, Any]) -> Outcome:
    return Outcome(epoch(str(entry["time"])), entry.get("ok") is True, str(entry.get("message", "")))


def _values(
    facts: Sequence[Facts], stanzas: Sequence[SeenStanza], known: Mapping[str, Mapping[str, Any]]
) -> metrics.Values:
    columns: dict[str, dict[str, float]] = {}

    def put(name: str, key: str, value: float | None) -> None:
        if value is not None:
            columns.setdefault(f"backup_{name}", {})[key] = float(value)

    for seen in facts:
        name = seen.name
        # Also of what can't be looked at: an alert asks which of these say no more.
        put("repository_quota_bytes", name, seen.quota_bytes)
        put("refused_requests_day", name, None if seen.journal_fault else seen.refusals.count)
        put("check_ok", name, all(outcome.ok for outcome in seen.checks.values()) if seen.checks else None)
        put("check_timestamp_seconds", name, max((o.time for o in seen.checks.values()), default=None))
        retain, drill = seen.runs.get("retain"), seen.runs.get("drill")
        put("retain_timestamp_seconds", name, retain.time if retain and retain.ok else None)
        put("drill_ok", name, drill.ok if drill else None)
        put("drill_files", name, known[name].get("drill", {}).get("files") if drill else None)
        put("drill_timestamp_seconds", name, drill.time if drill else None)
        if seen.unreadable:
            continue
        ordered = trusted_in_order(seen.snapshots, seen.arrived)
        newest = ordered[-1] if ordered else None
        usual = usual_size(ordered) or (None, None)
        put("last_snapshot_timestamp_seconds", name, seen.arrived[newest.id] if newest else 0)
        put("snapshots", name, len(seen.snapshots))
        put("snapshot_files", name, newest.files if newest and newest.files >= 0 else None)
        put("snapshot_bytes", name, newest.bytes if newest and newest.bytes >= 0 else None)
        put("snapshot_files_usual", name, usual[0])
        put("snapshot_bytes_usual", name, usual[1])
        put("untrusted_snapshots", name, len(untrusted(seen.snapshots, seen.arrived)))
        put("repository_keys_unknown", name, unknown_keys(seen))
        put("repository_bytes", name, seen.bytes)
    for base in stanzas:
        backups = base.stanza.backups if base.stanza else ()
        put("base_timestamp_seconds", base.config.name, backups[-1].stop if backups else 0)
        put("wal_age_seconds", base.config.name, time.time() - base.wal if base.wal is not None else None)
    return dict(columns)


def _volume_values(disk: Disk | None) -> metrics.Values:
    return {"backup_volume_free_bytes": disk.free, "backup_volume_size_bytes": disk.size} if disk else {}


def _report(
    problems: list[dict[str, str]],
    facts: Sequence[Facts],
    stanzas: Sequence[SeenStanza],
    known: Mapping[str, Mapping[str, Any]],
    now: float,
) -> dict[str, Any]:
    return {
        "time": _iso(now),
        "problems": problems,
        "repositories": [_repository(seen, known[seen.name]) for seen in facts],
        "stanzas": [_stanza(seen) for seen in stanzas],
    }


def _repository(seen: Facts, known: Mapping[str, Any]) -> dict[str, Any]:
    ordered = trusted_in_order(seen.snapshots, seen.arrived)
    bad = untrusted(seen.snapshots, seen.arrived)
    checks = sorted(known.get("checks", {}).items(), key=lambda item: float(item[1].get("time", 0)))
    return {
        "name": seen.name,
        "snapshots": len(seen.snapshots),
        "newest": _iso(seen.arrived[ordered[-1].id]) if ordered else None,
        "oldest": _iso(seen.arrived[ordered[0].id]) if ordered else None,
        "bytes": seen.bytes,
        "trusted": not bad and not seen.unreadable,
        "untrusted": bad,
        "last_check": {**_shown(checks[-1][1]), "subset": checks[-1][0]} if checks else {},
        "last_retain": _shown(known.get("retain", {})),
        "last_drill": _shown(known.get("drill", {})),
    }


def _stanza(seen: SeenStanza) -> dict[str, Any]:
    backups = seen.stanza.backups if seen.stanza else ()
    return {
        "name": seen.config.name,
        "ok": bool(seen.stanza and seen.stanza.ok) and not seen.unreadable,
        "backups": len(backups),
        "newest": _iso(backups[-1].stop) if backups else None,
        "oldest": _iso(backups[0].stop) if backups else None,
        "wal": _iso(seen.wal) if seen.wal is not None else None,
    }


def _host_drills(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _shown(entry.get("result", {})) for name, entry in sorted(entries.items())}


def _shown(outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {**outcome, "time": _iso(float(outcome["time"]))} if outcome else {}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

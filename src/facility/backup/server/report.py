# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what an inspection found: state.json, report.json for people and playbooks, backup.prom for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..health import Facts, Problem, merged, trusted_in_order, unknown_keys, untrusted, usual_size
from . import metrics, state
from .observe import Seen, SeenDrills, SeenStanza


def report(seen: Seen, problems: Sequence[Problem]) -> list[str]:
    """Write everything; return the messages of problems that are new since the last report.

    Raises:
        StateError: When a file can't be written. The metrics come last: they must not say that all was looked at when
            there is no report.
    """
    _remember(seen)
    listed, new = merged(problems, seen.last, _iso(seen.now))
    file = seen.config.state / state.REPORT_FILE
    with state.locked(file.with_suffix(".lock"), wait=60):
        state.write(file, _document(seen, listed))
    metrics.write(seen.config.metrics, _values(seen) | {"backup_problems": len(listed)})
    return [entry["message"] for entry in listed if entry["id"] in new]


def _remember(seen: Seen) -> None:
    """Note repositories and databases that are new; other commands write the same file meanwhile."""

    def change(content: dict[str, Any]) -> None:
        entries = content.setdefault("repositories", {})
        for name, known in seen.known.items():
            entries.setdefault(name, {}).setdefault("since", known["since"])
        content["based"] = sorted({*content.get("based", []), *seen.with_base})

    state.update(seen.config.state / state.STATE_FILE, change)


def _values(seen: Seen) -> metrics.Values:
    values = _backup_values(seen) | _drill_values(seen)
    values["backup_timer_active"] = {name: float(active) for name, active in seen.timers.items()}
    if seen.disk:
        values |= {"backup_volume_free_bytes": seen.disk.free, "backup_volume_size_bytes": seen.disk.size}
    return values | {"backup_inspect_timestamp_seconds": seen.now}


def _drill_values(seen: Seen) -> metrics.Values:
    values: metrics.Values = {}
    weekly, hosts = seen.drills.weekly, seen.drills.hosts
    if weekly:
        values = {"backup_weekly_drill_ok": float(weekly.ok), "backup_weekly_drill_timestamp_seconds": weekly.time}
    return values | {
        "backup_host_drill_ok": {name: float(found.ok) for name, found in hosts.items()},
        "backup_host_drill_timestamp_seconds": {name: found.time for name, found in hosts.items()},
        "backup_host_drill_max_age_seconds": {drill.name: drill.days * 86400 for drill in seen.config.host_drills},
    }


def _backup_values(seen: Seen) -> metrics.Values:
    columns: dict[str, dict[str, float]] = {}

    def put(name: str, key: str, value: float | None) -> None:
        if value is not None:
            columns.setdefault(f"backup_{name}", {})[key] = float(value)

    for facts in seen.repositories:
        name = facts.name
        # Also of what can't be looked at: an alert asks which of these say no more.
        put("repository_quota_bytes", name, facts.quota_bytes)
        put("refused_requests_day", name, None if facts.journal_fault else facts.refusals.count)
        put("check_ok", name, all(outcome.ok for outcome in facts.checks.values()) if facts.checks else None)
        put("check_timestamp_seconds", name, max((o.time for o in facts.checks.values()), default=None))
        retain, drill = facts.runs.get("retain"), facts.runs.get("drill")
        put("retain_timestamp_seconds", name, retain.time if retain and retain.ok else None)
        put("drill_ok", name, drill.ok if drill else None)
        put("drill_files", name, seen.known[name].get("drill", {}).get("files") if drill else None)
        put("drill_timestamp_seconds", name, drill.time if drill else None)
        if facts.unreadable:
            continue
        ordered = trusted_in_order(facts.snapshots, facts.arrived)
        newest = ordered[-1] if ordered else None
        usual = usual_size(ordered) or (None, None)
        put("last_snapshot_timestamp_seconds", name, facts.arrived[newest.id] if newest else 0)
        put("snapshots", name, len(facts.snapshots))
        put("snapshot_files", name, newest.files if newest and newest.files >= 0 else None)
        put("snapshot_bytes", name, newest.bytes if newest and newest.bytes >= 0 else None)
        put("snapshot_files_usual", name, usual[0])
        put("snapshot_bytes_usual", name, usual[1])
        put("untrusted_snapshots", name, len(untrusted(facts.snapshots, facts.arrived)))
        put("repository_keys_unknown", name, unknown_keys(facts))
        put("repository_bytes", name, facts.bytes)
    for base in seen.stanzas:
        backups = base.stanza.backups if base.stanza else ()
        put("base_timestamp_seconds", base.config.name, backups[-1].stop if backups else 0)
        put("wal_age_seconds", base.config.name, seen.now - base.wal if base.wal is not None else None)
    return dict(columns)


def _document(seen: Seen, problems: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "time": _iso(seen.now),
        "problems": problems,
        "repositories": [_repository(facts, seen.known[facts.name]) for facts in seen.repositories],
        "stanzas": [_stanza(stanza) for stanza in seen.stanzas],
        "host_drills": _host_drills(seen.drills),
    }


def _repository(facts: Facts, known: Mapping[str, Any]) -> dict[str, Any]:
    ordered = trusted_in_order(facts.snapshots, facts.arrived)
    bad = untrusted(facts.snapshots, facts.arrived)
    checks = sorted(known.get("checks", {}).items(), key=lambda item: float(item[1].get("time", 0)))
    return {
        "name": facts.name,
        "snapshots": len(facts.snapshots),
        "newest": _iso(facts.arrived[ordered[-1].id]) if ordered else None,
        "oldest": _iso(facts.arrived[ordered[0].id]) if ordered else None,
        "bytes": facts.bytes,
        "trusted": not bad and not facts.unreadable,
        "untrusted": bad,
        "last_check": {**_with_time(checks[-1][1]), "subset": checks[-1][0]} if checks else {},
        "last_retain": _with_time(known.get("retain", {})),
        "last_drill": _with_time(known.get("drill", {})),
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


def _host_drills(drills: SeenDrills) -> dict[str, Any]:
    return {name: _with_time(result) for name, result in drills.results.items()}


def _with_time(outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {**outcome, "time": _iso(float(outcome["time"]))} if outcome else {}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

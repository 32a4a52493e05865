# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores each database aside, up to its newest write-ahead log, and counts what came back."""

from __future__ import annotations

import time
from typing import Any

from . import metrics, state
from .config import Config, StanzaConfig
from .scratch import emptied
from .scratch_postgres import DatabaseError, Scratch, restored, stop_leftover

WAIT_SECONDS = 3600
# One query a table, made by PostgreSQL itself, so that names are quoted as it wants them.
_COUNT = """
    SELECT format('SELECT %L, count(*) FROM %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1 \\gexec
"""
# psql writes an empty text as no column at all.
_RECOVERED = "SELECT coalesce(extract(epoch FROM pg_last_xact_replay_timestamp())::text, 'never')"


def run(config: Config) -> list[str]:
    """Drill every stanza; give the complaints, one line each."""
    complaints = []
    for stanza in config.stanzas:
        started = time.time()
        outcome: dict[str, Any] = {"time": started, "ok": False, "tables": 0, "rows": 0, "message": ""}
        try:
            folder = config.scratch / "database"
            with (
                emptied(folder, wait=WAIT_SECONDS, before=stop_leftover) as place,
                restored(stanza, place, config.pgbackrest_config) as scratch,
            ):
                outcome |= _counted(scratch)
            if outcome["rows"] == 0:
                raise DatabaseError(f"{outcome['tables']} tables and no row came back")  # noqa: TRY301 - reported below
            outcome["ok"] = True
        except DatabaseError as error:
            outcome["message"] = str(error)
            complaints.append(f"drill of database {stanza.name}: {error}; see docs/runbooks/backup-drill-failed.md")
        outcome["seconds"] = time.time() - started
        _note(config, stanza, outcome)
    metrics.write(config.database_metrics, _values(config))
    return complaints


def _counted(scratch: Scratch) -> dict[str, Any]:
    databases = {name: {row[0]: int(row[1]) for row in scratch.query(_COUNT, name)} for name in scratch.databases()}
    recovered = scratch.query(_RECOVERED)[0][0]
    return {
        "tables": sum(len(tables) for tables in databases.values()),
        "rows": sum(sum(tables.values()) for tables in databases.values()),
        "databases": databases,
        # When the last change that is in it was made; None when nothing was after the base backup.
        "recovered_to": None if recovered == "never" else float(recovered),
    }


def _note(config: Config, stanza: StanzaConfig, outcome: dict[str, Any]) -> None:
    def change(content: dict[str, Any]) -> None:
        content.setdefault("stanzas", {})[stanza.name] = outcome

    state.update(config.database_state / state.DATABASE_FILE, change)


def _values(config: Config) -> metrics.Values:
    entries = state.read(config.database_state / state.DATABASE_FILE).get("stanzas", {})
    known = {stanza.name: entries[stanza.name] for stanza in config.stanzas if stanza.name in entries}
    return {
        f"backup_database_drill_{metric}": {name: float(entry[key]) for name, entry in known.items()}
        for metric, key in (("ok", "ok"), ("rows", "rows"), ("tables", "tables"), ("timestamp_seconds", "time"))
    }

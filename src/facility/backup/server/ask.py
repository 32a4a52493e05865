# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a database as it was at some time in the past: which images did a person have yesterday noon."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from .config import Config
from .drill_database import WAIT_SECONDS
from .scratch import emptied
from .scratch_postgres import DatabaseError, Scratch, restored, stop_leftover


def run(config: Config, stanza: str, moment: str, file: Path, database: str = "") -> list[dict[str, Any]]:
    """The rows of a query, as of then.

    Args:
        config: the backup server's.
        stanza: whose database.
        moment: ISO 8601 with its zone, or latest.
        file: holds one SELECT; - for standard input.
        database: which of the cluster's; "" when there is only one.

    Raises:
        DatabaseError: When the time, the query or the backup is no good.
        ConfigError: When there is no such stanza.
    """
    chosen = config.stanza(stanza)
    target = target_of(moment)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except OSError as error:
        raise DatabaseError(f"{file}: {error.strerror}: let the user pgbackrest read it") from None
    query = text.strip().rstrip(";")
    if not query:
        raise DatabaseError(f"{file}: is empty: write one SELECT into it")
    with (
        emptied(config.scratch / "database", wait=WAIT_SECONDS, before=stop_leftover) as place,
        restored(chosen, place, config.pgbackrest_config, target) as scratch,
    ):
        return rows(scratch, query, database)


def target_of(moment: str) -> str:
    """A time as PostgreSQL and pgBackRest read it; "" for "latest", which is as late as there is log.

    Raises:
        DatabaseError: If it is none, or has no zone.
    """
    if moment == "latest":
        return ""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise DatabaseError(f"{moment!r} is no time: write it like 2026-11-26T12:00:00+01:00, or latest")
    return when.isoformat(sep=" ", timespec="seconds")


def rows(scratch: Scratch, query: str, database: str) -> list[dict[str, Any]]:
    """The rows of one SELECT, read only; the database may be left empty when the cluster has only one.

    Raises:
        DatabaseError: When it isn't clear which database is meant, or PostgreSQL refuses the query.
    """
    databases = scratch.databases()
    if not database and len(databases) != 1:
        raise DatabaseError(f"the cluster has the databases {', '.join(databases)}: choose with --database")
    name = database or databases[0]
    # A newline before the bracket: the query may end in a comment.
    text = scratch.text(
        f"BEGIN READ ONLY;\nSELECT coalesce(json_agg(asked), '[]') FROM (\n{query}\n) AS asked;\nROLLBACK;\n", name
    )
    found: list[dict[str, Any]] = json.loads(_uncsv(text))
    return found


def _uncsv(text: str) -> str:
    """One value out of psql's CSV."""
    text = text.removesuffix("\n")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text

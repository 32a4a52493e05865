# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump of one PostgreSQL database, and how many rows each table has in it: both of one moment."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What is not the administrator's own: PostgreSQL's, and tables of extensions, whose data a dump leaves out.
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
    ORDER BY 1, 2
"""
# Somebody who alters a table holds the dump up; after so long it fails and says so.
_LOCK_WAIT = "10min"


class DumpError(Exception):
    """The database can't be dumped: one line with the cure."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is; what is empty is left to PostgreSQL's own library: the local socket, this user."""

    name: str
    host: str = ""
    port: str = ""
    user: str = ""

    def options(self) -> list[str]:
        """The options of pg_dump."""
        named = (("host", self.host), ("port", self.port), ("username", self.user))
        return [f"--{option}={value}" for option, value in named if value]

    def settings(self) -> dict[str, str]:
        """The same for a connection."""
        named = {"dbname": self.name, "host": self.host, "port": self.port, "user": self.user}
        return {key: value for key, value in named.items() if value}


def dump(place: Place, folder: Path, jobs: int = 2) -> dict[str, int]:
    """Dump a database into an empty folder, with tables.json: {"version": 1, "name", "tables": {"public.image": rows}}.

    The format is pg_dump's "directory", not compressed: restic finds what is as it was, and compresses itself.

    Args:
        place: the database.
        folder: is made where it isn't there.
        jobs: how many tables are dumped at the same time.

    Raises:
        DumpError: when the folder isn't empty, or PostgreSQL refuses.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DumpError(f"{folder} is not empty: name a new folder, or remove what is in it")
    with _moment(place) as (cursor, snapshot):
        command = [
            "pg_dump", "--format=directory", "--compress=0", f"--jobs={jobs}", f"--file={folder}", "--no-password",
            f"--snapshot={snapshot}", f"--lock-wait-timeout={_LOCK_WAIT}", *place.options(), place.name,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
        except OSError as error:
            raise DumpError(f"pg_dump can't be run: {error.strerror}: install postgresql-client") from None
        if done.returncode:
            raise DumpError(f"database {place.name} was not dumped: {_line(done.stderr)}")
        tables = dict(_counted(cursor))
    counted = {"version": 1, "name": place.name, "tables": tables}
    (folder / "tables.json").write_text(json.dumps(counted, indent=1) + "\n")
    return tables


@contextlib.contextmanager
def _moment(place: Place) -> Iterator[tuple[Any, str]]:
    """A transaction that sees one moment, and that moment's name for others."""
    library: Any = importlib.import_module("psycopg2")
    try:
        connection = library.connect(**place.settings(), application_name="facility-backup")
    except library.Error as error:
        raise DumpError(f"database {place.name} can't be reached: {_line(str(error))}") from None
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            yield cursor, cursor.fetchone()[0]
    except library.Error as error:
        raise DumpError(f"database {place.name} was not dumped: {_line(str(error))}") from None
    finally:
        connection.close()


def _counted(cursor: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 - psycopg2's, without types
    cursor.execute(_TABLES)
    for schema, table in cursor.fetchall():
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table))
        cursor.execute(f"SELECT count(*) FROM ONLY {quoted}")  # noqa: S608 - quoted above
        yield f"{schema}.{table}", cursor.fetchone()[0]


def _line(text: str) -> str:
    return "; ".join(line.strip() for line in text.strip().splitlines() if line.strip())

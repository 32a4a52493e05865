# SPDX-License-Identifier: GPL-3.0-or-later
"""What settle must not forget: each set from the intent to take it until it is done. SQLite, one JSON record a set.

A record is committed *before* the disk is changed, and names the one change that its state stands for; after a crash
the same state is simply acted on again (transitions.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

__all__ = ["ACTING", "Record", "Store", "read_only", "replace"]

# States in which the disk is to be changed now.
ACTING = frozenset({"claiming", "offering", "recalling", "returning", "quarantining"})
# States that only the history needs.
CLOSED = frozenset({"done", "quarantined"})


@dataclass(frozen=True, slots=True)
class Record:
    """One set that has left its person's folder, or is about to.

    Attributes:
        id: also the name of its folder in staging: "<login>~<random>".
        login, name, shelf: whose, as what and on which instrument's shelf ("": none) it lay in incoming.
        kind: "folder": the one entry of the staging folder; "bundle": the staging folder itself is the set. "file", a
            loose file as it is, comes from installations before each set had a folder of its own.
        items: the names in incoming that make it up.
        state: claiming > staged > offering > offered > done; offered > recalling > recalled > staged | quarantining;
            staged > returning > (gone) | quarantining > quarantined.
        owner: the person's user number.
        since: when this state began, epoch seconds.
        aside: whether it was taken to be put into quarantine.
        reason, detail: why it waits in staging or is quarantined; see reasons.
        target: its name in DropBox/<login>, or in quarantine/<login>.
        asked: the name in DropBox under which OMERO was last given it.
        attempts: how often it was given to OMERO again.
        offered_at: when it was last given to OMERO; progress_at: when OMERO last did something with it.
        progress: how many of its files OMERO has; files: how many it should have.
        missed: the files to take back, relative to the set; (): all of it.
        source: what the missed files are taken from, in DropBox/<login>.
        piecewise: whether OMERO is given some files at a time; the others wait in staging.
        fair: whether OMERO had its time for the last offer, so that it counts as an attempt.
        siblings: how many files of the set OMERO has, of which this is what it missed.
        content: by what the same data is known again; "" if it is not to be.
        cleared: whether what OMERO has of it was deleted from DropBox.
    """

    id: str
    login: str
    name: str
    shelf: str = ""
    kind: str = "folder"
    items: tuple[str, ...] = ()
    owner: int = -1
    state: str = "claiming"
    since: float = 0
    aside: bool = False
    reason: str = ""
    detail: str = ""
    target: str = ""
    asked: str = ""
    attempts: int = 0
    offered_at: float = 0
    progress_at: float = 0
    progress: int = 0
    files: int = 0
    bytes: int = 0
    missed: tuple[str, ...] = ()
    source: str = ""
    piecewise: bool = False
    fair: bool = True
    siblings: int = 0
    content: str = ""
    cleared: bool = False

    @property
    def key(self) -> str:
        """The set as the DropBox monitor knows it."""
        return f"{self.login}/{self.asked}"


class Store:
    """All records, in memory and on disk; memory is changed only after the disk."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        # FULL: a committed intent survives a power cut.
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA cache_size = -4000",
            "CREATE TABLE IF NOT EXISTS sets (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS names (login TEXT, name TEXT, PRIMARY KEY (login, name)) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS contents (login TEXT, digest TEXT, name TEXT, at REAL,"
            " PRIMARY KEY (login, digest)) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        ):
            self._database.execute(statement)
        self._records = {record.id: record for record in _records(self._database)}
        self._by_state: dict[str, set[str]] = {}
        for record in self._records.values():
            self._by_state.setdefault(record.state, set()).add(record.id)
        self.totals: dict[str, int] = dict(self._database.execute("SELECT name, value FROM totals"))
        # Goes up with each change.
        self.version = 0
        # Names that were given out but are not committed yet.
        self._reserved: set[tuple[str, str]] = set()

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def all(self) -> list[Record]:
        """Every record, also closed ones."""
        return list(self._records.values())

    def where(self, *states: str) -> list[Record]:
        """The records in these states."""
        return [self._records[key] for state in states for key in self._by_state.get(state, ())]

    def counts(self) -> dict[str, int]:
        """How many records there are in each state."""
        return {state: len(keys) for state, keys in self._by_state.items()}

    def put(
        self, changed: Sequence[Record], dropped: Collection[str] = (), counted: dict[str, int] | None = None
    ) -> None:
        """Write records, drop others by their ids, add to totals: all of it or nothing.

        Raises:
            sqlite3.Error: Nothing has changed, neither on disk nor in memory.
        """
        if not changed and not dropped and not counted:
            return
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany("REPLACE INTO sets VALUES (?, ?)", [(r.id, _as_json(r)) for r in changed])
            database.executemany("DELETE FROM sets WHERE id = ?", [(key,) for key in dropped])
            database.executemany(
                "INSERT OR IGNORE INTO names VALUES (?, ?)",
                [(r.login, r.target) for r in changed if r.state == "offering"],
            )
            database.executemany(
                "REPLACE INTO contents VALUES (?, ?, ?, ?)",
                [(r.login, r.content, r.name, r.since) for r in changed if r.state == "done" and r.content],
            )
            database.executemany(
                "INSERT INTO totals VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                list((counted or {}).items()),
            )
            database.execute("COMMIT")
        except BaseException:
            # After some errors, as a full disk, SQLite has rolled back already.
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        finally:
            self._reserved.clear()
        self.version += 1
        for record in changed:
            self._forget(record.id)
            self._records[record.id] = record
            self._by_state.setdefault(record.state, set()).add(record.id)
        for key in dropped:
            self._forget(key)
        for name, count in (counted or {}).items():
            self.totals[name] = self.totals.get(name, 0) + count

    def _forget(self, key: str) -> None:
        record = self._records.pop(key, None)
        if record:
            self._by_state[record.state].discard(key)

    def reserve(self, login: str, name: str) -> bool:
        """Take a name in a login's DropBox for good; False if it was ever used. Settled by the next put."""
        if (login, name) in self._reserved:
            return False
        query = "SELECT 1 FROM names WHERE login = ? AND name = ?"
        if self._database.execute(query, (login, name)).fetchone():
            return False
        self._reserved.add((login, name))
        return True

    def known(self, login: str, digest: str) -> tuple[str, float] | None:
        """The name of a person's set that had this content, and when it was imported; None if there was none."""
        query = "SELECT name, at FROM contents WHERE login = ? AND digest = ?"
        row: tuple[str, float] | None = self._database.execute(query, (login, digest)).fetchone()
        return row

    def forget_before(self, at: float) -> None:
        """Forget all data that was imported before then, epoch seconds."""
        self._database.execute("DELETE FROM contents WHERE at < ?", (at,))

    def forget(self, login: str, name: str) -> int:
        """Forget that a person's sets of this name, with "*" all of them, were imported; how many there were."""
        query = "DELETE FROM contents WHERE login = ? AND (name = ? OR ? = '*')"
        return self._database.execute(query, (login, name, name)).rowcount

    def close(self) -> None:
        """End the connection."""
        self._database.close()


def read_only(file: Path) -> list[Record]:
    """The records, for somebody who only looks; [] if settle never ran."""
    if not file.exists():
        return []
    database = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        return list(_records(database))
    finally:
        database.close()


def _records(database: sqlite3.Connection) -> Iterator[Record]:
    for (text,) in database.execute("SELECT record FROM sets"):
        values: dict[str, Any] = json.loads(text)
        yield Record(**{**values, "items": tuple(values["items"]), "missed": tuple(values["missed"])})


def _as_json(record: Record) -> str:
    # json writes bytes that are no UTF-8 (surrogates) as escapes, so they come back as they were.
    return json.dumps(asdict(record))

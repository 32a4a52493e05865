# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores everything that a database knows of, once a week, and compares each file with what the database says of it.

Two halves, since neither user may see the other's backups: as pgbackrest, the database is restored aside up to its
newest log and asked for its files; as restic's user, all of them are restored from the newest backup, part after part,
for the scratch disk is smaller than a repository.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..health import trusted_in_order
from ..restic import Repository, ResticError, arrivals
from . import state
from .ask import rows
from .config import Config, FullRestoreConfig
from .drill_database import WAIT_SECONDS
from .repositories import open_repository
from .scratch import emptied
from .scratch_postgres import DatabaseError, restored, stop_leftover

_RUNBOOK = "see docs/runbooks/backup-drill-failed.md"
_PART_FILES, _PART_BYTES = 500, 2_000_000_000
# The database is asked just before; a list of last week would prove last week.
_LIST_SECONDS = 24 * 3600
_NAMED = 5


class FullRestoreError(Exception):
    """The restore did not bring back what the database knows of; the message says what."""


def ask(config: Config) -> list[str]:
    """Ask each database for its files; give the complaints, one line each. As pgbackrest."""
    complaints = []
    for restore in config.full_restores:
        try:
            stanza = config.stanza(restore.stanza)
            folder = config.scratch / "database"
            with (
                emptied(folder, wait=WAIT_SECONDS, before=stop_leftover) as place,
                restored(stanza, place, config.pgbackrest_config) as scratch,
            ):
                found = rows(scratch, restore.query, restore.database)
            # It names people's files: for the group, which restic's user is in.
            state.write(_listing(config, restore), {"time": time.time(), "rows": found}, mode=0o640)
        except DatabaseError as error:
            complaints.append(f"full restore of {restore.stanza}: {error}; {_RUNBOOK}")
    return complaints


def run(config: Config) -> list[str]:
    """Restore and compare all files; give the complaints, one line each. As restic's user, after ask()."""
    started = time.time()
    outcome: dict[str, Any] = {"ok": False, "files": 0, "rows": 0, "bytes": 0, "message": ""}
    try:
        for restore in config.full_restores:
            outcome = _added(outcome, _restored(config, restore))
        if not outcome["files"]:
            raise FullRestoreError("nothing was restored, which proves nothing")  # noqa: TRY301 - reported below
        outcome["ok"] = True
    except (FullRestoreError, ResticError) as error:
        outcome["message"] = str(error)
    outcome |= {
        "time": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"), "seconds": time.time() - started,
    }  # fmt: skip
    state.write(config.state / state.WEEKLY_FILE, outcome)
    return [] if outcome["ok"] else [f"full restore: {outcome['message']}; {_RUNBOOK}"]


def _listing(config: Config, restore: FullRestoreConfig) -> Path:
    return config.database_state / f"full-restore-{restore.stanza}.json"


def _added(outcome: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**outcome, **{name: outcome[name] + more[name] for name in ("files", "rows", "bytes")}}


def _restored(config: Config, restore: FullRestoreConfig) -> dict[str, Any]:
    listing = state.read(_listing(config, restore))
    if time.time() - float(listing.get("time", 0)) > _LIST_SECONDS:
        raise FullRestoreError(
            f"database {restore.stanza} could not be asked for its files: see backup-drill-whole-list.service"
        )
    repository = config.repository(restore.repository)
    port = open_repository(repository)
    ordered = trusted_in_order(port.snapshots(), arrivals(repository.path))
    if not ordered:
        raise FullRestoreError(f"{restore.repository} has no snapshot that can be trusted")
    snapshot = ordered[-1]
    # What came in after the backup had begun is in the next one.
    wanted = [row for row in listing["rows"] if float(row["time"]) < snapshot.time]
    bad: list[str] = []
    with emptied(config.scratch / "restic", wait=WAIT_SECONDS) as place:
        for part in parts(wanted):
            bad += _compared(port, snapshot.id, restore.root, part, place)
    if bad:
        raise FullRestoreError(
            f"{len(bad)} of {len(wanted)} files that database {restore.stanza} knows did not come back from snapshot"
            f" {snapshot.id[:8]}: {', '.join(bad[:_NAMED])}"
        )
    return {"files": len(wanted), "rows": len(listing["rows"]), "bytes": sum(int(row["size"]) for row in wanted)}


def parts(wanted: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The files in parts that the scratch disk can hold; a file that is larger is a part by itself."""
    part: list[Mapping[str, Any]] = []
    size = 0
    for row in wanted:
        if part and (len(part) == _PART_FILES or size + int(row["size"]) > _PART_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += int(row["size"])
    if part:
        yield part


def _compared(port: Repository, snapshot: str, root: str, part: Sequence[Mapping[str, Any]], place: Path) -> list[str]:
    """Restore a part, compare it, and make room again; give the names of what did not come back as it was."""
    paths = {f"{root}/{str(row['file']).lstrip('/')}": row for row in part}
    target = place / "part"
    port.restore(snapshot, list(paths), str(target))
    bad = [str(row["file"]) for path, row in paths.items() if not _same(Path(f"{target}{path}"), row)]
    shutil.rmtree(target, ignore_errors=True)
    return bad


def _same(path: Path, row: Mapping[str, Any]) -> bool:
    try:
        if path.is_symlink() or path.stat().st_size != int(row["size"]):
            return False
        path.chmod(0o600)
        with path.open("rb") as file:
            # As OMERO notes it, by its hasher SHA1-160; a row without is compared by size.
            return not row["sha1"] or hashlib.file_digest(file, "sha1").hexdigest() == row["sha1"]
    except OSError:
        return False

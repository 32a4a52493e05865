# SPDX-License-Identifier: GPL-3.0-or-later
"""The port to what pgBackRest (2.45) knows of its stanzas: ``pgbackrest info --output=json``.

Times are epoch seconds, sizes bytes. Raises PgbackrestError only.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "/usr/bin/pgbackrest"
CONFIG = "/etc/pgbackrest/pgbackrest.conf"
_SECONDS = 120


class PgbackrestError(Exception):
    """pgBackRest can't be asked; the message names the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One base backup.

    Attributes:
        type: full, diff or incr.
        stop: when it ended.
        bytes: size of the database.
        error: whether pages with wrong checksums were found in it.
    """

    label: str
    type: str
    stop: float
    bytes: int
    error: bool


@dataclass(frozen=True, slots=True)
class Stanza:
    """One database cluster's backups, oldest first.

    Attributes:
        ok: whether pgBackRest finds nothing wrong.
        message: what it finds.
        archive: the folder of the newest write-ahead log, like "15-1"; "" without one.
        oldest_wal, newest_wal: names of the first and the last segment there; "" without one.
    """

    name: str
    ok: bool
    message: str
    backups: tuple[Backup, ...] = ()
    archive: str = ""
    oldest_wal: str = ""
    newest_wal: str = ""


def info(stanza: str = "", config: str = CONFIG, program: str = PROGRAM) -> list[Stanza]:
    """What there is of one stanza, or of all.

    Raises:
        PgbackrestError: When pgBackRest can't be run, or can't read its configuration or repository.
    """
    command = [program, f"--config={config}", "--output=json", "--log-level-console=off", "--log-level-stderr=warn"]
    command += [f"--stanza={stanza}"] if stanza else []
    try:
        done = subprocess.run(
            [*command, "info"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise PgbackrestError(f"{program} can't be run ({error.strerror}): install the package pgbackrest") from None
    except subprocess.TimeoutExpired:
        raise PgbackrestError(
            f"pgbackrest info did not answer in {_SECONDS} s: is its repository's disk well?"
        ) from None
    if done.returncode:
        raise PgbackrestError(f"pgbackrest info: {reason(done.stderr)}: mend {config}, or run as its user")
    return parsed(done.stdout)


def parsed(text: str) -> list[Stanza]:
    """The stanzas out of pgBackRest's JSON.

    Raises:
        PgbackrestError: When it is something else.
    """
    try:
        return [_stanza(entry) for entry in json.loads(text)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PgbackrestError(f"pgbackrest info said something unknown ({error!r}): is it pgBackRest 2.45?") from None


def wal_arrival(repository: Path, stanza: Stanza) -> float | None:
    """When the newest segment of write-ahead log came in; None without one.

    Args:
        repository: pgBackRest's folder on this host.
        stanza: as info() gives it.

    Raises:
        PgbackrestError: When the folder can't be read.
    """
    if not stanza.newest_wal:
        return None
    folder = repository / "archive" / stanza.name / stanza.archive / stanza.newest_wal[:16]
    newest = None
    try:
        for file in folder.iterdir():
            if file.name.startswith(stanza.newest_wal) and not file.name.endswith(".pgbackrest.tmp"):
                with contextlib.suppress(FileNotFoundError):
                    newest = max(newest or 0.0, file.stat().st_mtime)
    except OSError as error:
        raise PgbackrestError(f"{folder}: {error.strerror}: give the group pgbackrest the right to read it") from None
    return newest


def reason(stderr: str) -> str:
    """What pgBackRest complains of, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line] or lines
    return re.sub(r"^.*?ERROR:\s*", "", errors[-1])[:300] if errors else "it failed and said nothing"


def _stanza(entry: Mapping[str, Any]) -> Stanza:
    # After an upgrade of PostgreSQL there are several; the newest comes last.
    archive = next((found for found in reversed(entry["archive"]) if found.get("max")), None) or {}
    return Stanza(
        name=entry["name"],
        ok=entry["status"]["code"] == 0,
        message=str(entry["status"]["message"]),
        backups=tuple(_backup(backup) for backup in entry["backup"]),
        archive=archive.get("id") or "",
        oldest_wal=archive.get("min") or "",
        newest_wal=archive.get("max") or "",
    )


def _backup(entry: Mapping[str, Any]) -> Backup:
    return Backup(
        label=entry["label"],
        type=entry["type"],
        stop=float(entry["timestamp"]["stop"]),
        bytes=int(entry["info"]["size"]),
        error=bool(entry.get("error")),
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at everything that inspect judges; what can't be seen is told as such, never left out."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import pgbackrest
from ..health import Facts, Problem, Refusals
from ..restic import ResticError, arrivals
from . import host, state
from .check import checks_of
from .config import Config, RepositoryConfig, StanzaConfig
from .repositories import open_repository


@dataclass(frozen=True, slots=True)
class SeenStanza:
    """A database's backups: what pgBackRest says, when its newest log came in, or why that can't be told."""

    config: StanzaConfig
    stanza: pgbackrest.Stanza | None
    wal: float | None
    unreadable: str = ""


def repository(config: RepositoryConfig, known: Mapping[str, Any], now: float) -> Facts:
    """What there is to see of one repository; known is its part of state.json."""
    facts = Facts(
        name=config.name,
        kind=config.kind,
        expected_seconds=config.expected_hours * 3600,
        expected_keys=config.keys,
        quota_bytes=config.quota_bytes,
        checks=checks_of(dict(known)),
        runs={name: state.outcome_of(known[name]) for name in ("retain", "drill", "pgbackrest_copy") if name in known},
        since=float(known.get("since", now)),
    )
    unreadable = ""
    try:
        facts = replace(facts, refusals=host.refused(config.unit) if config.unit else Refusals())
    except host.HostError as error:
        facts = replace(facts, journal_fault=str(error))
    try:
        port = replace(open_repository(config), seconds=600)
        # First the arrivals: a snapshot that comes in between is in the list alone, and is judged the next time.
        arrived = arrivals(config.path)
        snapshots = port.snapshots()
        still = arrivals(config.path)
        facts = replace(
            facts,
            snapshots=tuple(snapshot for snapshot in snapshots if snapshot.id in arrived),
            arrived={key: time for key, time in arrived.items() if key in still},
            keys=tuple(port.keys()),
            key_files=sum(1 for _ in (config.path / "keys").iterdir()),
            bytes=host.folder_bytes(config.path),
            oldest_lock=_oldest(config.path / "locks"),
        )
    except (ResticError, host.HostError) as error:
        unreadable = str(error)
    except OSError as error:
        unreadable = f"{error.filename}: {error.strerror}: run as the user who owns it"
    return replace(facts, unreadable=unreadable)


def stanzas(config: Config) -> list[SeenStanza]:
    """What there is to see of the databases' backups."""
    seen = []
    for stanza in config.stanzas:
        found, wal, unreadable = None, None, ""
        try:
            told = pgbackrest.info(stanza.name, config.pgbackrest_config, stanza.pgbackrest)
            found = told[0] if told else None
            wal = pgbackrest.wal_arrival(config.pgbackrest_folder, found) if found else None
        except pgbackrest.PgbackrestError as error:
            unreadable = str(error)
        seen.append(SeenStanza(stanza, found, wal, unreadable))
    return seen


def journal(last: float) -> list[Problem]:
    """What is wrong when the journal no longer reaches back to the last look, in epoch seconds; 0 without one.

    Whoever may ask may ask very often, until the line that betrays him is pushed out.
    """
    try:
        # The report tells whole seconds.
        if not last or host.journal_begins() < last + 1:
            return []
    except host.HostError as error:
        return [Problem("unreadable", "", str(error))]
    lost = "the journal no longer reaches back to the last look, what was refused meanwhile is lost"
    return [Problem("unreadable", "", f"{lost}: see what filled it, and docs/runbooks/backup-attack.md")]


def timers(config: Config) -> tuple[dict[str, bool], list[Problem]]:
    """Whether the timers wait, and what is wrong with that."""
    try:
        active = host.active(config.timers)
    except host.HostError as error:
        return {}, [Problem("timer", "", str(error))]
    cure = "systemctl enable --now it, or run playbooks/backup.yml"
    return active, [Problem("timer", name, f"{name} isn't active: {cure}") for name, good in active.items() if not good]


def volume(config: Config) -> tuple[host.Disk | None, list[Problem]]:
    """The room on the backups' disk, and what is wrong with it."""
    try:
        disk = host.disk(config.volume)
    except host.HostError as error:
        return None, [Problem("disk", "", str(error))]
    if disk.size and 1 - disk.free / disk.size > config.near_full:
        used = f"{config.volume} is {100 - disk.free * 100 // disk.size} % full"
        return disk, [Problem("disk", "", f"{used}: make it larger, or see docs/runbooks/backup-full.md")]
    return disk, []


def _oldest(folder: Path) -> float | None:
    times = []
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return min(times, default=None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads once all that an inspection judges; anything unreadable is kept as a fault, never skipped. Changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import pgbackrest
from ..health import Facts, Outcome, Refusals
from ..restic import ResticError, arrivals, epoch, key_owners
from . import host, host_drill, state
from .check import checks_of
from .config import Config, RepositoryConfig, StanzaConfig
from .host import Disk
from .repositories import open_repository
from .state import StateError


@dataclass(frozen=True, slots=True)
class SeenStanza:
    """A database's backups: what pgBackRest says, when its newest log came in, or why that can't be read."""

    config: StanzaConfig
    stanza: pgbackrest.Stanza | None
    wal: float | None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class SeenDrills:
    """The last drills, as those who did them noted them.

    Attributes:
        databases, hosts: by name; without those that never were.
        weekly: of all files; None when there was none.
        results: of drills on hosts of their own, as they were noted.
        faults: files of results that can't be read.
    """

    databases: Mapping[str, Outcome] = field(default_factory=dict)
    weekly: Outcome | None = None
    hosts: Mapping[str, Outcome] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """All that there is to see at one moment.

    Attributes:
        now: that moment, epoch seconds.
        known: what state.json knows of each repository, with "since" for new ones, too.
        with_base: databases that have, or once had, a base backup: those that lose it are not new.
        timers: whether each waits for its time.
        looked: when the last report was made, epoch seconds; 0 if there is none, or none that says so.
        journal_begins: its oldest line, epoch seconds; None where it was not asked, or can't be read.
        timers_fault, disk_fault, journal_fault: why there is nothing of it; "" where there is.
        last: the last report; {} if there is none that can be read.
    """

    config: Config
    now: float
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    repositories: tuple[Facts, ...] = ()
    stanzas: tuple[SeenStanza, ...] = ()
    with_base: frozenset[str] = frozenset()
    timers: Mapping[str, bool] = field(default_factory=dict)
    timers_fault: str = ""
    disk: Disk | None = None
    disk_fault: str = ""
    looked: float = 0
    journal_begins: float | None = None
    journal_fault: str = ""
    drills: SeenDrills = field(default_factory=SeenDrills)
    last: Mapping[str, Any] = field(default_factory=dict)

    @property
    def born(self) -> float:
        """Since when the backup server looks, epoch seconds."""
        return min((float(entry["since"]) for entry in self.known.values()), default=self.now)


def observe(config: Config, now: float) -> Seen:
    """Everything as it is now.

    Raises:
        StateError: When state.json can't be read, without which a new repository looks like an old one.
    """
    remembered = state.read(config.state / state.STATE_FILE)
    entries = remembered.get("repositories", {})
    known = {one.name: {"since": now} | dict(entries.get(one.name, {})) for one in config.repositories}
    repositories = tuple(_repository(one, known[one.name]) for one in config.repositories)
    stanzas = tuple(_stanza(config, stanza) for stanza in config.stanzas)
    with_base = {seen.config.name for seen in stanzas if seen.stanza and seen.stanza.backups}
    timers, timers_fault = _timers(config)
    disk, disk_fault = _disk(config)
    last = _last(config.state / state.REPORT_FILE)
    looked = _looked(last)
    begins, journal_fault = _journal() if looked else (None, "")
    return Seen(
        config, now, known, repositories, stanzas, frozenset(remembered.get("based", [])) | with_base,
        timers, timers_fault, disk, disk_fault, looked, begins, journal_fault, _drills(config, now), last,
    )  # fmt: skip


def _repository(config: RepositoryConfig, known: Mapping[str, Any]) -> Facts:
    """One repository; known is its part of state.json."""
    facts = Facts(
        name=config.name,
        kind=config.kind,
        expected_seconds=config.expected_hours * 3600,
        expected_keys=config.keys,
        quota_bytes=config.quota_bytes,
        checks=checks_of(dict(known)),
        runs={name: state.outcome_of(known[name]) for name in ("retain", "drill", "pgbackrest_copy") if name in known},
        since=float(known["since"]),
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
            keys=tuple(sorted(key_owners(config.path).values())),
            key_files=sum(1 for _ in (config.path / "keys").iterdir()),
            bytes=host.folder_bytes(config.path),
            oldest_lock=_oldest(config.path / "locks"),
        )
    except (ResticError, host.HostError) as error:
        unreadable = str(error)
    except OSError as error:
        unreadable = f"{error.filename}: {error.strerror}: run as the user who owns it"
    return replace(facts, unreadable=unreadable)


def _stanza(config: Config, stanza: StanzaConfig) -> SeenStanza:
    try:
        listed = pgbackrest.info(stanza.name, config.pgbackrest_config, stanza.pgbackrest)
        found = listed[0] if listed else None
        wal = pgbackrest.wal_arrival(config.pgbackrest_folder, found) if found else None
    except pgbackrest.PgbackrestError as error:
        return SeenStanza(stanza, None, None, str(error))
    return SeenStanza(stanza, found, wal)


def _timers(config: Config) -> tuple[dict[str, bool], str]:
    try:
        return host.active(config.timers), ""
    except host.HostError as error:
        return {}, str(error)


def _disk(config: Config) -> tuple[Disk | None, str]:
    try:
        return host.disk(config.volume), ""
    except host.HostError as error:
        return None, str(error)


def _journal() -> tuple[float | None, str]:
    try:
        return host.journal_begins(), ""
    except host.HostError as error:
        return None, str(error)


def _drills(config: Config, now: float) -> SeenDrills:
    faults: list[str] = []
    found = SeenDrills()
    # What a command of another version, or a hand, wrote must not keep the rest from being judged.
    broken = (StateError, AttributeError, KeyError, TypeError, ValueError)
    try:
        entries = state.read(config.database_state / state.DATABASE_FILE).get("stanzas", {})
        names = [stanza.name for stanza in config.stanzas if stanza.name in entries]
        found = replace(found, databases={name: state.outcome_of(entries[name]) for name in names})
    except broken as error:
        faults.append(str(error))
    try:
        weekly = state.read(config.state / state.WEEKLY_FILE)
        found = replace(found, weekly=_weekly(weekly) if weekly else None)
    except broken as error:
        faults.append(str(error))
    try:
        hosts = state.read(config.state / state.HOST_DRILL_FILE)
        outcomes = {one.name: host_drill.outcome(one, hosts.get(one.name, {}), now) for one in config.host_drills}
        results = {name: dict(entry.get("result", {})) for name, entry in sorted(hosts.items())}
        found = replace(found, hosts={name: outcome for name, outcome in outcomes.items() if outcome}, results=results)
    except broken as error:
        faults.append(str(error))
    return replace(found, faults=tuple(faults))


def _weekly(entry: Mapping[str, Any]) -> Outcome:
    return Outcome(epoch(str(entry["time"])), entry.get("ok") is True, str(entry.get("message", "")))


def _last(report: Path) -> dict[str, Any]:
    try:
        return state.read(report)
    except StateError:
        return {}


def _looked(last: Mapping[str, Any]) -> float:
    """When the last report was made; 0 if there is none, or none that says when."""
    try:
        return epoch(str(last["time"]))
    except (KeyError, ValueError):
        return 0


def _oldest(folder: Path) -> float | None:
    times = []
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return min(times, default=None)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core import settings
from ...core.settings import ConfigError

__all__ = ["Config", "ConfigError", "FullRestoreConfig", "HostDrillConfig", "RepositoryConfig", "StanzaConfig", "load"]

_KEEP = ("within", "within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly")
_DURATION = re.compile(r"(?:\d+[hdmy])+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """One restic repository.

    Attributes:
        kind: "client" has a rest-server and is drilled; "pgbackrest_copy" is written by protect-pgbackrest.
        unit: the unit of its rest-server, whose journal is read; "" without one.
        keep: durations of restic's --keep-within options.
    """

    name: str
    path: Path
    kind: str
    keep: dict[str, str]
    expected_hours: float = 26
    unit: str = ""
    quota_bytes: int = 0
    keys: int = 2


@dataclass(frozen=True, slots=True)
class StanzaConfig:
    """One database cluster in pgBackRest.

    Attributes:
        binaries: the folder with postgres, psql, pg_ctl of the same major version.
        superuser: the role that may see everything in the restored cluster.
        time_zone: of the database's host; times without a zone are read in it.
    """

    name: str
    binaries: Path
    expected_hours: float = 26
    wal_minutes: float = 5
    pgbackrest: str = "/usr/bin/pgbackrest"
    superuser: str = "postgres"
    time_zone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class FullRestoreConfig:
    """What is restored whole each week: a database and the files that it knows.

    Attributes:
        stanza, database: the database; repository: where its files are.
        root: the folder below which the files lie, as in the backup.
        query: one SELECT of file (below root), size in bytes, sha1 ("" if unknown), time (of arrival, epoch seconds).
    """

    stanza: str
    database: str
    repository: str
    root: str
    query: str


@dataclass(frozen=True, slots=True)
class HostDrillConfig:
    """A service that is restored whole onto a host of its own, by a playbook, which notes it here.

    Attributes:
        days: a drill must have ended well in so many days.
        hours: one that has begun so long ago and has not ended is one that failed.
    """

    name: str
    days: float = 8
    hours: float = 12


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of backup-server.toml.

    Attributes:
        volume: the file system that holds all; pgBackRest's repository is its folder pgbackrest.
        drill_files, drill_bytes: at most so much is restored and compared in each drill of a repository.
        near_full: part of a quota or of the disk.
        shrink_alarm: part of the usual size.
        weekly_drill_days: a full restore must have been proven in so many days; 0: nobody judges it.
    """

    state: Path
    metrics: Path
    database_state: Path
    database_metrics: Path
    scratch: Path
    volume: Path
    cycle_days: int = 7
    drill_files: int = 20
    drill_bytes: int = 268435456
    near_full: float = 0.85
    shrink_alarm: float = 0.5
    weekly_drill_days: float = 0
    sample: str = "/var/lib/facility-backup/sample.json"
    pgbackrest_config: str = "/etc/pgbackrest/pgbackrest.conf"
    timers: tuple[str, ...] = ()
    repositories: tuple[RepositoryConfig, ...] = field(
        default=(), metadata={"key": "repository", "table": RepositoryConfig}
    )
    stanzas: tuple[StanzaConfig, ...] = field(default=(), metadata={"key": "stanza", "table": StanzaConfig})
    full_restores: tuple[FullRestoreConfig, ...] = field(
        default=(), metadata={"key": "full_restore", "table": FullRestoreConfig}
    )
    host_drills: tuple[HostDrillConfig, ...] = field(
        default=(), metadata={"key": "host_drill", "table": HostDrillConfig}
    )

    @property
    def pgbackrest_folder(self) -> Path:
        """PgBackRest's repository."""
        return self.volume / "pgbackrest"

    def repository(self, name: str) -> RepositoryConfig:
        """The repository of this name.

        Raises:
            ConfigError: If there is none.
        """
        for repository in self.repositories:
            if repository.name == name:
                return repository
        raise ConfigError(f"there is no repository {name}: choose of {', '.join(r.name for r in self.repositories)}")

    def stanza(self, name: str) -> StanzaConfig:
        """The stanza of this name.

        Raises:
            ConfigError: If there is none.
        """
        for stanza in self.stanzas:
            if stanza.name == name:
                return stanza
        raise ConfigError(f"there is no stanza {name}: choose of {', '.join(s.name for s in self.stanzas) or 'none'}")


def load(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        ConfigError: One line a problem: file, key, what is wrong, the cure.
    """
    return settings.load(path, Config, _contradictions)


def _contradictions(config: Config) -> list[str]:
    problems = _repository_contradictions(config.repositories, [stanza.name for stanza in config.stanzas])
    if config.cycle_days < 1:
        problems.append("cycle_days: is 0: write in how many days all data are to be read once")
    return problems


def _repository_contradictions(repositories: Sequence[RepositoryConfig], stanzas: Sequence[str]) -> list[str]:
    problems = []
    names = [repository.name for repository in repositories]
    problems += [f"repository {name}: comes twice: remove one" for name in sorted(set(names)) if names.count(name) > 1]
    for name in (*names, *stanzas):
        if not _NAME.fullmatch(name):
            problems.append(f"{name!r}: can't be a name: write it with letters, digits, dots, - and _")
    for repository in repositories:
        if repository.kind not in {"client", "pgbackrest_copy"}:
            problems.append(f"repository {repository.name}: kind is {repository.kind!r}: write client or local")
        if "within" not in repository.keep:
            problems.append(
                f"repository {repository.name}: keep has no within: without it all snapshots may go; add it"
            )
        for key, value in repository.keep.items():
            if key not in _KEEP:
                problems.append(f"repository {repository.name}: keep has {key}: choose of {', '.join(_KEEP)}")
            elif not isinstance(value, str) or not _DURATION.fullmatch(value):
                problems.append(f"repository {repository.name}: keep {key} is {value!r}: write it like 14d or 1y6m")
    return problems

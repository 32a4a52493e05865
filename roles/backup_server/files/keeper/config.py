# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_KEEP = ("within", "within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly")
_DURATION = re.compile(r"(?:\d+[hdmy])+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ConfigError(Exception):
    """All problems of a configuration, one line each."""


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """One restic repository.

    Attributes:
        kind: "client" has a rest-server and is drilled; "local" is written by protect-pgbackrest.
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
class WholeConfig:
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
    """The keys of keeper.toml.

    Attributes:
        volume: the file system that holds all; pgBackRest's repository is its folder pgbackrest.
        drill_files, drill_bytes: at most so much is restored and compared in each drill of a repository.
        near_full: part of a quota or of the disk.
        shrink_alarm: part of the usual size.
        weekly_drill_days: a whole restore must have been proven in so many days; 0: nobody judges it.
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
    repositories: tuple[RepositoryConfig, ...] = field(default=(), metadata={"key": "repository"})
    stanzas: tuple[StanzaConfig, ...] = field(default=(), metadata={"key": "stanza"})
    wholes: tuple[WholeConfig, ...] = field(default=(), metadata={"key": "whole"})
    host_drills: tuple[HostDrillConfig, ...] = field(default=(), metadata={"key": "host_drill"})

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


_TABLES = (
    ("repositories", "repository", RepositoryConfig), ("stanzas", "stanza", StanzaConfig),
    ("wholes", "whole", WholeConfig), ("host_drills", "host_drill", HostDrillConfig),
)  # fmt: skip


def load(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        ConfigError: One line a problem: file, key, what is wrong, the cure.
    """
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}): name the file with --config") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from None
    problems: list[str] = []
    values = _values(problems, Config, document, "")
    parts: dict[str, list[Any]] = {}
    for name, key, kind in _TABLES:
        parts[name] = []
        for number, entry in enumerate(values.pop(name, ()), start=1):
            before = len(problems)
            checked = _values(problems, kind, entry, f"{key} {number}: ")
            if len(problems) == before:
                parts[name].append(kind(**checked))
    problems += _contradictions(parts["repositories"], parts["stanzas"])
    if isinstance(values.get("cycle_days"), int) and values["cycle_days"] < 1:
        problems.append("cycle_days: is 0: write in how many days all data are to be read once")
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    values |= {name: tuple(found) for name, found in parts.items()}
    return Config(**values)


def _contradictions(repositories: list[RepositoryConfig], stanzas: list[StanzaConfig]) -> list[str]:
    problems = []
    names = [repository.name for repository in repositories]
    problems += [f"repository {name}: comes twice: remove one" for name in sorted(set(names)) if names.count(name) > 1]
    for name in (*names, *(stanza.name for stanza in stanzas)):
        if not _NAME.fullmatch(name):
            problems.append(f"{name!r}: can't be a name: write it with letters, digits, dots, - and _")
    for repository in repositories:
        if repository.kind not in {"client", "local"}:
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


def _values(problems: list[str], kind: type, given: object, place: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems.append(f"{place}must be a table: write [[repository]] or [[stanza]] above it")
        return {}
    known = {f.metadata.get("key", f.name): f for f in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            problems.append(f"{place}{key}: unknown key: {f'did you mean {close[0]}?' if close else 'remove it'}")
            continue
        checked, problem = _checked(str(known[key].type), value)
        values[known[key].name] = checked
        if problem:
            problems.append(f"{place}{key}: is {value!r}: {problem}")
    problems.extend(
        f"{place}{key}: is missing: add it"
        for key, f in known.items()
        if f.default is MISSING and f.default_factory is MISSING and key not in given
    )
    return values


def _checked(kind: str, value: object) -> tuple[object, str]:
    """The value in its proper type, and what is wrong with it."""
    problem = ""
    if kind == "Path":
        if isinstance(value, str) and value.startswith("/"):
            value = Path(value)
        else:
            problem = "write an absolute path"
    elif kind == "tuple[str, ...]":
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            value = tuple(value)
        else:
            problem = "write a list of texts"
    elif kind.startswith("tuple["):
        if not isinstance(value, list):
            value, problem = (), "write [[...]] above each"
    elif kind == "str":
        problem = "" if isinstance(value, str) else "write a text"
    elif kind.startswith("dict"):
        problem = "" if isinstance(value, dict) else 'write a table like {within = "14d"}'
    elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        problem = "write a number that isn't negative"
    elif kind == "int" and not isinstance(value, int):
        problem = "write a whole number"
    return value, problem

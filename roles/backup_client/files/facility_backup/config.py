# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from facility_backup.exclusion import ExclusionError, Exclusions

FOLDER = "{folder}"


class ConfigError(Exception):
    """All problems of a configuration, one line each."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is run before the files are read.

    Attributes:
        name: what people call it; "a-z 0-9 . _ -" of it are its folder's name.
        command: the program and its arguments; {folder} is where it writes: empty, and its user's alone.
        user: the system user as which it runs.
    """

    name: str
    command: tuple[str, ...]
    user: str = "root"

    @property
    def folder(self) -> str:
        """The name of its folder below dumps/."""
        return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in self.name)


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of backup.toml."""

    # The name of this client: that of its repository, and of its user at the server.
    client: str
    # As rest:https://backup1.imaging.example.org:8101/omero1.imaging.example.org/
    repository: str
    ca_file: Path
    paths: tuple[Path, ...]
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    # Users and groups of the system whose numbers are noted.
    identities: tuple[str, ...] = ()
    # How long a second run waits for the first.
    wait_minutes: float = 0
    # How long a server that can't be reached is asked again before anything was sent.
    patience_minutes: float = 5
    state: Path = Path("/var/lib/facility-backup")
    cache: Path = Path("/var/cache/facility-backup")
    metrics: Path | None = None
    restic: Path = Path("/usr/bin/restic")
    # Files repository-password and server-password; a unit's own credentials come before it.
    credentials: Path = Path("/etc/facility-backup")
    steps: tuple[Step, ...] = field(default=(), metadata={"key": "before"})

    @property
    def dumps(self) -> Path:
        """Where the steps' folders are."""
        return self.state / "dumps"

    def secret(self, name: str) -> Path:
        """The file that holds a password."""
        return Path(os.environ.get("CREDENTIALS_DIRECTORY", self.credentials), name)

    def roots(self) -> tuple[Path, ...]:
        """All that is backed up: the paths, and the state folder."""
        inside = not self.one_file_system and any(self.state.is_relative_to(path) for path in self.paths)
        return self.paths if inside else (*self.paths, self.state)

    def left_out(self) -> tuple[str, ...]:
        """All exclusions: restic's own cache is never backed up."""
        return (*self.exclude, str(self.cache))


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
    entries = values.pop("steps", ())
    steps = [
        _values(problems, Step, entry, f"before {number}: ")
        for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1)
    ]
    if not problems:
        config = Config(**values, steps=tuple(Step(**step) for step in steps))
        problems = _contradictions(config)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return config


def _contradictions(config: Config) -> list[str]:
    problems = []
    if not config.paths:
        problems.append("paths: is empty: name at least one folder to back up")
    if not config.repository.startswith("rest:https://"):
        problems.append(f"repository: is {config.repository!r}: write rest:https://SERVER:PORT/CLIENT/")
    try:
        Exclusions(config.exclude)
    except ExclusionError as error:
        problems.append(f"exclude: {error}")
    folders = [step.folder for step in config.steps]
    problems += [
        f"before: more than one step writes to dumps/{folder}: give them other names"
        for folder in sorted({folder for folder in folders if folders.count(folder) > 1})
    ]
    problems += [
        f"before: the name {step.name!r} makes no folder's name: begin it with a letter or digit"
        for step in config.steps
        if not step.folder[:1].isalnum()
    ]
    problems += [f"before: {step.name!r} has no command: add it" for step in config.steps if not step.command]
    return problems


def _values(problems: list[str], kind: type, given: object, place: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        problems.append(f"{place}must be a table: write [[before]] above it")
        return {}
    known = {f.metadata.get("key", f.name): f for f in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            problems.append(f"{place}{key}: unknown key: {f'did you mean {close[0]}?' if close else 'remove it'}")
            continue
        values[known[key].name], problem = _checked(str(known[key].type), value)
        if problem:
            problems.append(f"{place}{key}: {problem}")
    problems.extend(
        f"{place}{key}: is missing: add it" for key, f in known.items() if f.default is MISSING and key not in given
    )
    return values


def _checked(kind: str, value: object) -> tuple[object, str]:
    """The value in its proper type, and what is wrong with it."""
    kind = kind.removesuffix(" | None")
    texts = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits, cure = {
        "Path": (isinstance(value, str) and value.startswith("/"), "write an absolute path"),
        "tuple[Path, ...]": (
            texts and all(item.startswith("/") for item in cast("list[str]", value)),
            "write a list of absolute paths",
        ),
        "tuple[str, ...]": (texts, "write a list of texts"),
        "tuple[Step, ...]": (isinstance(value, list), "write [[before]] above each"),
        "str": (isinstance(value, str) and value != "", "write a text"),
        "bool": (isinstance(value, bool), "write true or false"),
        "float": (number and cast("float", value) >= 0, "write a number that isn't negative"),
    }[kind]
    if not fits:
        return value, f"is {value!r}: {cure}"
    if kind == "Path":
        return Path(cast("str", value)), ""
    if kind == "tuple[Path, ...]":
        return tuple(Path(item) for item in cast("list[str]", value)), ""
    return (tuple(value) if isinstance(value, list) and kind == "tuple[str, ...]" else value), ""

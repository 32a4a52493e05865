# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ...core import settings
from ...core.settings import ConfigError
from .exclusion import ExclusionError, Exclusions

__all__ = ["FOLDER", "Config", "ConfigError", "Step", "load"]

FOLDER = "{folder}"


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
    steps: tuple[Step, ...] = field(default=(), metadata={"key": "before", "table": Step})

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
    return settings.load(path, Config, _contradictions)


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

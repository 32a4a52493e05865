# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands remember for each other: JSON files, each replaced as a whole.

state.json of the commands that run as restic's user:
    {"repositories": {NAME: {"since": s, "checks": {"2/7": outcome}, "retain": outcome, "drill": outcome, ...}}}
database.json of those that run as pgBackRest's: {"stanzas": {NAME: outcome}}.
An outcome is {"time": epoch seconds, "ok": bool, "message": text} and numbers of its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...core import lock
from ...core.replace_file import replace_file
from ..health import Outcome

STATE_FILE = "state.json"
REPORT_FILE = "report.json"
DATABASE_FILE = "database.json"
WEEKLY_FILE = "weekly-drill.json"
HOST_DRILL_FILE = "host-drills.json"


class StateError(Exception):
    """A file of the backup server's own can't be read or written; the message names the cure."""


def read(file: Path) -> dict[str, Any]:
    """What is in a file; {} if it isn't there.

    Raises:
        StateError: When it can't be read, or is no JSON object.
    """
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}: let it belong to the user of this unit") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StateError(f"{file}: is no JSON object: remove it; what it says is learned anew")
    return found


def write(file: Path, content: Mapping[str, Any], mode: int = 0o644) -> None:
    """Replace a file that one command alone writes, or under its lock; everybody may read it unless mode forbids it.

    Raises:
        StateError: When that fails; then the old one is there.
    """
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    try:
        replace_file(file, text, mode=mode)
    except OSError as error:
        raise StateError(
            f"{file}: {error.strerror}: let its folder belong to this unit's user, with room on it"
        ) from None


def update(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a file that other commands change at the same time."""
    with locked(file.with_suffix(".lock"), wait=60):
        content = read(file)
        change(content)
        write(file, content)


def note(folder: Path, repository: str, what: str, outcome: Mapping[str, Any]) -> None:
    """Remember how a command went for a repository."""

    def change(content: dict[str, Any]) -> None:
        content.setdefault("repositories", {}).setdefault(repository, {})[what] = dict(outcome)

    update(folder / STATE_FILE, change)


def outcome_of(entry: Mapping[str, Any] | None) -> Outcome:
    """A remembered outcome in its type."""
    entry = entry or {}
    return Outcome(float(entry.get("time", 0)), bool(entry.get("ok", True)), str(entry.get("message", "")))


@contextlib.contextmanager
def locked(file: Path, wait: float) -> Iterator[None]:
    """Hold a lock, which ends with this process however that ends.

    Raises:
        StateError: When another process holds it for longer than wait seconds.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock.locked(file, wait))
        except lock.LockedError:
            raise StateError(f"{file}: another run of the backup server holds it: wait for its end") from None
        except OSError as error:
            raise StateError(f"{file}: {error.strerror}: let its folder belong to this unit's user") from None
        yield

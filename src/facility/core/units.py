# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's units on this host: asked all at once, then only those touched that are not as they should be."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

STARTED, STOPPED = STATES = ("started", "stopped")
_RUNNING = {"active", "activating", "reloading", "refreshing"}
# What systemctl is-enabled calls well; a unit without an [Install] section can't be enabled any further.
_ENABLED = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "transient"}
_PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload")

Run = Callable[[Sequence[str]], str]


class UnitsError(Exception):
    """A unit can't be brought to its state; the message names it, the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it should be; None leaves it as it is.

    Attributes:
        state: one of STATES.
        enabled: whether it starts with the host.
        masked: whether nothing can start it.
    """

    name: str
    state: str | None = None
    enabled: bool | None = None
    masked: bool | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit as systemd shows it, in its own words (systemctl show)."""

    load: str
    active: str
    file: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One call of systemctl, as start or enable, for one unit."""

    verb: str
    name: str


def systemctl(words: Sequence[str]) -> str:
    """Run systemctl and return what it prints.

    Raises:
        UnitsError: with what it complains of.
    """
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"status {done.returncode}"
        raise UnitsError(f"systemctl {' '.join(words)}: {said}")
    return done.stdout


def seen(names: Sequence[str], run: Run = systemctl) -> dict[str, Seen]:
    """Ask systemd for units, in one call; by the names that were asked for.

    Raises:
        UnitsError: when systemd can't be asked.
    """
    if not names:
        return {}
    blocks = run(["show", f"--property={','.join(_PROPERTIES)}", "--", *names]).strip().split("\n\n")
    if len(blocks) != len(names):
        raise UnitsError(f"systemd showed {len(blocks)} units instead of {len(names)}: write each unit's whole name")
    found = {}
    for name, block in zip(names, blocks, strict=True):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        found[name] = Seen(
            values.get("LoadState", ""),
            values.get("ActiveState", ""),
            values.get("UnitFileState", ""),
            values.get("NeedDaemonReload") == "yes",
        )
    return found


def plan(wanted: Sequence[Unit], there: Mapping[str, Seen], *, check_mode: bool = False) -> list[Step]:
    """What leads from the units as they are to what they should be, in the order of the list.

    Args:
        wanted: units as they should be.
        there: all of them as they are.
        check_mode: a unit that is not there yet would be, once its file is.

    Raises:
        UnitsError: for a unit that doesn't exist and should run or be enabled.
    """
    steps = []
    for unit in wanted:
        now = there[unit.name]
        missing = now.load in {"not-found", "error", "bad-setting"}
        if missing and (unit.state == STARTED or unit.enabled) and not check_mode:
            raise UnitsError(
                f"{unit.name} can't be started or enabled ({now.load}): install what brings it, "
                f"or correct its file; see systemctl status {unit.name} on the host"
            )
        steps += [Step(verb, unit.name) for verb in _verbs(unit, now)]
    return steps


def _verbs(unit: Unit, now: Seen) -> list[str]:
    masked = now.load == "masked" or now.file.startswith("masked")
    verbs = []
    if unit.masked is False and masked:
        verbs.append("unmask")
    if unit.enabled is True and (now.file not in _ENABLED or masked):
        verbs.append("enable")
    if unit.enabled is False and now.file in {"enabled", "enabled-runtime"}:
        verbs.append("disable")
    if unit.state == STARTED and now.active not in _RUNNING:
        verbs.append("start")
    if unit.state == STOPPED and now.active in _RUNNING:
        verbs.append("stop")
    if unit.masked is True and not masked:
        verbs.append("mask")
    return verbs


def apply(steps: Sequence[Step], there: Mapping[str, Seen], run: Run = systemctl) -> None:
    """Do what was planned; before that systemd reads units whose files are newer than what it knows.

    Raises:
        UnitsError: with the first unit that does not come to its state; those before it have.
    """
    if any(one.stale for one in there.values()):
        run(["daemon-reload"])
    for step in steps:
        try:
            run([step.verb, "--quiet", "--", step.name])
        except UnitsError as error:
            raise UnitsError(f"{error}; see journalctl --unit={step.name} on the host") from None

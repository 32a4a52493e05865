# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's units on this host: asked all at once, then only those touched that are not as they should be.

A unit that runs with older files than those on the disk is not as it should be, whoever changed them: a run that was
killed before it restarted the service leaves exactly that behind.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

STARTED, STOPPED = STATES = ("started", "stopped")
_UNREADABLE = frozenset({"error", "bad-setting"})
_RUNNING = {"active", "activating", "reloading", "refreshing"}
# What systemctl is-enabled calls well; a unit without an [Install] section can't be enabled any further.
_ENABLED = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "transient"}
_PROPERTIES = (
    *("Id", "LoadState", "ActiveState", "UnitFileState"),
    *("InactiveExitTimestamp", "InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"),
    *("StateChangeTimestamp", "StateChangeTimestampMonotonic", "ReloadResult"),
)
_ADMINISTRATOR = Path("/etc/systemd/system")
RESTART, RELOAD = "restart", "reload-or-restart"

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
        restart_for: paths of files and folders that it reads when it starts; a running unit that began to start before
            one of them changed is restarted.
        reload_for: the same of what it also reads when it reloads.
    """

    name: str
    state: str | None = None
    enabled: bool | None = None
    masked: bool | None = None
    restart_for: Sequence[str] = ()
    reload_for: Sequence[str] = ()

    def all_files(self) -> tuple[str, ...]:
        """All that counts for when it must start again or reload, there or not."""
        return (*self.own_files(), *self.restart_for, *self.reload_for)

    def own_files(self) -> tuple[str, ...]:
        """Where the administrator's unit file and drop-ins of a unit lie, if there are any, by which it starts."""
        if self.state != STARTED:
            return ()
        stem, at, rest = self.name.partition("@")
        names = [self.name, *([f"{stem}@.{rest.rpartition('.')[2]}"] if at else [])]
        return tuple(str(_ADMINISTRATOR / f"{name}{suffix}") for name in names for suffix in ("", ".d"))


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit as systemd shows it, in its own words (systemctl show).

    Attributes:
        started: when it last began to start, in seconds since 1970 by the clock of now; None if it never did.
        read: the same of when it last was through with a reload that went well, or began to start.
    """

    load: str
    active: str
    file: str
    started: float | None = None
    read: float | None = None


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
    shown = run(["show", "--timestamp=us+utc", f"--property={','.join(_PROPERTIES)}", "--", *names])
    now, age = time.time(), time.clock_gettime(time.CLOCK_MONOTONIC)
    blocks = shown.strip().split("\n\n")
    if len(blocks) != len(names):
        raise UnitsError(f"systemd showed {len(blocks)} units instead of {len(names)}: write each unit's whole name")
    found = {}
    for name, block in zip(names, blocks, strict=True):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        started = _moment(values, "InactiveExitTimestamp", now, age)
        # A unit changes its state at the end of a start, and of each reload after that.
        reloaded = int(values.get("StateChangeTimestampMonotonic") or 0) > int(
            values.get("ActiveEnterTimestampMonotonic") or 0
        )
        well = reloaded and values.get("ReloadResult") == "success"
        found[name] = Seen(
            values.get("LoadState", ""),
            values.get("ActiveState", ""),
            values.get("UnitFileState", ""),
            started,
            _moment(values, "StateChangeTimestamp", now, age) if well else started,
        )
    return found


def _moment(values: Mapping[str, str], name: str, now: float, age: float) -> float | None:
    """When something was, the earlier of what the clock said then and what it would have said if it had been today's.

    A clock that was put back since then would else make the unit look younger than files that changed after it.
    """
    since = int(values.get(f"{name}Monotonic") or 0)
    if not since or not values.get(name, "").endswith("UTC"):
        return None
    by_clock = datetime.strptime(values[name], "%a %Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=UTC).timestamp()
    return min(by_clock, now - (age - since / 1_000_000))


def file_times(paths: Sequence[str]) -> dict[str, float]:
    """When each path last changed, in seconds since 1970; a folder with all that is in it; only those that are there.

    It is the change of the inode that counts: a file that was put in place with its old date, or by renaming, counts as
    new. Links count by themselves, not where they lead.
    """
    return {path: max(map(_changed_at, found)) for path in paths if (found := _below(Path(path)))}


def _changed_at(path: Path) -> float:
    return path.lstat().st_ctime


def _below(path: Path) -> list[Path]:
    if not path.is_symlink() and path.is_dir():
        inside = (Path(folder, name) for folder, folders, files in os.walk(path) for name in (*folders, *files))
        return [path, *inside]
    return [path] if path.is_symlink() or path.exists() else []


def no_later_than_now(paths: Sequence[str]) -> None:
    """Let what seems to have changed in the future have changed now: else its unit would be restarted until then.

    Files get there by a clock that was wrong. Their dates stay.
    """
    now = time.time()
    for path in (inside for one in paths for inside in _below(Path(one))):
        if _changed_at(path) > now:
            there = path.lstat()
            os.utime(path, ns=(there.st_atime_ns, there.st_mtime_ns), follow_symlinks=False)


def plan(
    wanted: Sequence[Unit],
    there: Mapping[str, Seen],
    times: Mapping[str, float],
    *,
    stale: Collection[str] = (),
    changing: Sequence[str] | None = None,
) -> list[Step]:
    """What leads from the units as they are to what they should be, in the order of the list.

    Args:
        wanted: units as they should be.
        there: all of them as they are.
        times: of file_times, for the files of all units.
        stale: units that run by older unit files than those on the disk, whenever they were started.
        changing: only in check mode: paths that this run would have changed by now. A unit that is not there yet would
            be, and a file, too.

    Raises:
        UnitsError: for a unit that isn't there and should run or be enabled, or that reads a file that isn't.
    """
    steps = []
    for unit in wanted:
        now = there[unit.name]
        missing = now.load in {"not-found", *_UNREADABLE}
        if missing and (unit.state == STARTED or unit.enabled) and changing is None:
            raise UnitsError(
                f"{unit.name} can't be started or enabled ({now.load}): install what brings it, "
                f"or correct its file; see systemctl status {unit.name} on the host"
            )
        unread = [path for path in (*unit.restart_for, *unit.reload_for) if path not in times]
        if unread and changing is None:
            raise UnitsError(
                f"{unit.name} is said to read {unread[0]}, which is not there: correct restart_for or reload_for"
            )
        verbs = _verbs(unit, now)
        if unit.state != STOPPED and now.active in _RUNNING and "start" not in verbs:
            old = unit.name in stale and unit.state == STARTED
            verbs += [RESTART] if old else _again(unit, now, times, changing or ())
        steps += [Step(verb, unit.name) for verb in verbs]
    return steps


def _again(unit: Unit, now: Seen, times: Mapping[str, float], changing: Sequence[str]) -> list[str]:
    def newer(paths: Sequence[str], than: float | None) -> bool:
        return any(
            (than is not None and times.get(path, than) > than)
            or any(one == path or one.startswith(f"{path}/") for one in changing)
            for path in paths
        )

    if newer((*unit.own_files(), *unit.restart_for), now.started):
        return [RESTART]
    return [RELOAD] if newer(unit.reload_for, now.read) else []


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


def know_newer_files(run: Run = systemctl, *, check_mode: bool = False) -> frozenset[str]:
    """Let systemd read its units anew if a file of any is newer than what it knows, or could not be read until now.

    Args:
        run: systemctl.
        check_mode: only look.

    Returns:
        The units whose files are newer or could not be read; those of them that run were started by what systemd knew
        before.

    Raises:
        UnitsError: when systemd can't be asked.
    """
    # Also those at rest: a start would be by what it knows.
    blocks = run(["show", "--all", "--property=Id,NeedDaemonReload,LoadState", "*"]).strip().split("\n\n")
    known = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in blocks]
    # Of a unit whose file made no sense, systemd does not say whether it is another one now.
    stale = frozenset(
        values["Id"]
        for values in known
        if values.get("NeedDaemonReload") == "yes" or values.get("LoadState") in _UNREADABLE
    )
    if stale and not check_mode:
        run(["daemon-reload"])
    return stale


def apply(steps: Sequence[Step], run: Run = systemctl) -> None:
    """Do what was planned.

    Raises:
        UnitsError: with the first unit that does not come to its state; those before it have.
    """
    for step in steps:
        try:
            run([step.verb, "--quiet", "--", step.name])
        except UnitsError as error:
            raise UnitsError(f"{error}; see journalctl --unit={step.name} on the host") from None

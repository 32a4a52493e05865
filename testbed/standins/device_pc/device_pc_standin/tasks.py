# SPDX-License-Identifier: GPL-3.0-or-later
"""Registered tasks: kept on disk, started when they are due, ended when they take too long."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from . import clock, task_times, task_xml, wine
from .drive import STATE

NEVER_RAN = 0x41303
RUNNING = 0x41301
TERMINATED = 0x41306
NOT_LOGGED_ON = 0x800710E0
_VARIABLES = {
    "%PROGRAMDATA%": "C:\\ProgramData", "%ALLUSERSPROFILE%": "C:\\ProgramData", "%SYSTEMROOT%": "C:\\windows",
    "%WINDIR%": "C:\\windows", "%PROGRAMFILES%": "C:\\Program Files", "%SYSTEMDRIVE%": "C:",
}  # fmt: skip


class Program(Protocol):
    """A program that a task started."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""

    def kill(self) -> None:
        """End it and what it started."""


@dataclass
class State:
    """What came of a task.

    Attributes:
        registered: when, in s since 1970 by the PC's clock.
        last_run: when it was last started; 0 for never.
        last_result: the exit code of its last run, or one of Task Scheduler's own.
        runs: how often it was started.
    """

    registered: float
    last_run: float = 0
    last_result: int = NEVER_RAN
    runs: int = 0


class Scheduler:
    """All tasks of the PC.

    Args:
        folder: where they are kept.
        launch: starts a task's action; raises LookupError when nobody is there to run it.
    """

    def __init__(
        self, folder: Path = STATE / "tasks", launch: Callable[[task_xml.Task], Program] | None = None
    ) -> None:
        self._folder = folder
        self._launch = launch or start_action
        self._lock = threading.RLock()
        self._running: dict[str, list[Program]] = {}
        self._zone = ZoneInfo(wine.ZONE)
        self._looked = clock.now()
        self._booted = [self._looked]
        self._logged_on: list[datetime] = []
        self._console = wine.console()
        folder.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        r"""Return the paths of all tasks, such as ``\PPMS\Agent``."""
        found = (path.relative_to(self._folder).with_suffix("") for path in self._folder.rglob("*.xml"))
        return sorted("\\" + str(path).replace("/", "\\") for path in found)

    def register(self, name: str, text: str) -> None:
        """Keep a definition under a path; an older one of that path goes.

        Raises:
            TaskError: when the definition is refused.
            UnknownAccountError: when it names nobody.
        """
        root = task_xml.parse(text)
        task_xml.read(root)
        with self._lock:
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, task_xml.stored(root, _uri(name)))
            self._save(name, State(registered=clock.seconds()))

    def definition(self, name: str) -> str:
        """Return a task's definition as it is kept.

        Raises:
            KeyError: when there is no such task.
        """
        try:
            return self._path(name).read_bytes().decode()
        except FileNotFoundError as error:
            raise KeyError(name) from error

    def state(self, name: str) -> State:
        """Return what came of a task; its last result says so while it runs."""
        self.definition(name)
        found = State(**json.loads(self._path(name).with_suffix(".json").read_text()))
        if self.is_running(name):
            found.last_result = RUNNING
        return found

    def enable(self, name: str, *, enabled: bool) -> None:
        """Let a task start, or not."""
        with self._lock:
            root = task_xml.parse(self.definition(name))
            task_xml.enable(root, enabled=enabled)
            _write(self._path(name), task_xml.stored(root, _uri(name)))

    def delete(self, name: str) -> None:
        """Forget a task. What it started goes on, as on Windows."""
        with self._lock:
            self.definition(name)
            self._path(name).unlink()
            self._path(name).with_suffix(".json").unlink(missing_ok=True)

    def run(self, name: str) -> None:
        """Start a task now, as its policy allows.

        Raises:
            PermissionError: when it is disabled or not to be started by hand.
        """
        task = task_xml.read(task_xml.parse(self.definition(name)))
        if not (task.enabled and task.on_demand):
            raise PermissionError(name)
        self._start(name, task)

    def end(self, name: str) -> None:
        """End what a task started."""
        self.definition(name)
        with self._lock:
            running = list(self._running.get(_key(name), ()))
        for program in running:
            program.kill()

    def is_running(self, name: str) -> bool:
        """Return whether something that the task started still runs."""
        with self._lock:
            return bool(self._running.get(_key(name)))

    def next_run(self, name: str) -> datetime | None:
        """Return when the task starts next, in UTC; None when nothing is planned."""
        task = task_xml.read(task_xml.parse(self.definition(name)))
        if not task.enabled:
            return None
        moments = (
            task_times.next_start(trigger, clock.now(), self._zone, self._activations(name, trigger))
            for trigger in task.triggers
        )
        return min((moment for moment in moments if moment), default=None)

    def look(self) -> None:
        """Start what became due since the last look."""
        now, after = clock.now(), self._looked
        person = wine.console()
        if person and person != self._console:
            self._logged_on = [now]
        self._console = person
        after = min(after, now)  # the clock was set back: nothing is made up for
        for name in self.names():
            try:
                task = task_xml.read(task_xml.parse(self.definition(name)))
                since = max(after, datetime.fromtimestamp(self.state(name).registered, UTC))
            except (KeyError, FileNotFoundError):
                continue  # deleted since
            if task.enabled and any(
                task_times.is_due(trigger, since, now, self._zone, self._activations(name, trigger))
                for trigger in task.triggers
            ):
                self._start(name, task)
        self._looked = now

    def _activations(self, name: str, trigger: task_xml.Trigger) -> list[datetime]:
        if trigger.kind == "LogonTrigger":
            mine = not trigger.user or trigger.user.casefold() == self._console.casefold()
            return self._logged_on if mine else []
        if trigger.kind == "RegistrationTrigger":
            return [datetime.fromtimestamp(self.state(name).registered, UTC) + timedelta(milliseconds=1)]
        return [moment + timedelta(milliseconds=1) for moment in self._booted]

    def _start(self, name: str, task: task_xml.Task) -> None:
        with self._lock:
            running = self._running.setdefault(_key(name), [])
            if running and task.policy in {"IgnoreNew", "Queue"}:
                return
            if task.policy == "StopExisting":
                for program in running:
                    program.kill()
            state = State(**json.loads(self._path(name).with_suffix(".json").read_text()))
            state.last_run = clock.seconds()
            state.runs += 1
            try:
                program = self._launch(task)
            except LookupError:
                state.last_result = NOT_LOGGED_ON
                self._save(name, state)
                return
            running.append(program)
            self._save(name, state)
        threading.Thread(target=self._await, args=(name, task, program), daemon=True).start()

    def _await(self, name: str, task: task_xml.Task, program: Program) -> None:
        try:
            code = program.wait(task.time_limit or None)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
            code = TERMINATED
        with self._lock:
            self._running[_key(name)].remove(program)
            path = self._path(name).with_suffix(".json")
            if path.exists():
                state = State(**json.loads(path.read_text()))
                state.last_result = code
                self._save(name, state)

    def _save(self, name: str, state: State) -> None:
        path = self._path(name).with_suffix(".json")
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(asdict(state)))
        partial.rename(path)

    def _path(self, name: str) -> Path:
        wanted = Path(*_uri(name).strip("\\").split("\\"))
        for path in self._folder.rglob("*.xml"):
            if str(path.relative_to(self._folder).with_suffix("")).casefold() == str(wanted).casefold():
                return path
        return self._folder / f"{wanted}.xml"


def _write(path: Path, text: str) -> None:
    """Write a definition whole: the scheduler looks at any moment, and takes no lock for it."""
    partial = path.with_suffix(".part")
    partial.write_text(text, newline="")
    partial.rename(path)


def start_action(task: task_xml.Task) -> wine.Program:
    """Start a task's action as its principal.

    Raises:
        LookupError: when it runs as whoever sits at the console and nobody does.
    """
    if task.principal == "S-1-5-19":
        account = wine.LOCAL_SERVICE
    elif task.principal in {"S-1-5-18", "S-1-5-32-544"}:
        account = wine.ADMINISTRATOR
    elif wine.console():
        account = wine.PERSON
    else:
        raise LookupError(task.principal)
    # Task Scheduler quotes the command itself, if it must.
    command = expanded(task.command).strip('"')
    line = f'"{command}" {expanded(task.arguments)}'.strip()
    return wine.start(line, account=account, folder=expanded(task.folder) or "C:\\windows\\system32", utf8=False)


def expanded(text: str) -> str:
    """Return a text with the environment variables of a service replaced."""
    for name, value in _VARIABLES.items():
        at = text.upper().find(name)
        while at >= 0:
            text = text[:at] + value + text[at + len(name) :]
            at = text.upper().find(name)
    return text


def keep_looking(scheduler: Scheduler) -> None:
    """Start tasks when they are due, until the process ends."""
    while True:
        scheduler.look()
        time.sleep(0.2)


def _uri(name: str) -> str:
    return "\\" + name.strip("\\")


def _key(name: str) -> str:
    return _uri(name).casefold()

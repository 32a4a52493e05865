# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote shells and their commands, with the quotas of Windows 7, the narrowest of all Windows that have WinRM 2."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from . import faults
from .faults import WSManFaultError

SHELLS_PER_USER = 5
OPERATIONS_PER_USER = 15
IDLE_SECONDS = {"7": 180.0, "10": 7200.0}
"""After so long Windows closes a shell that nobody uses, by its version, unless the shell asks for less."""
PIECE = 32_768
"""Bytes of output in one answer, as Windows sends them."""


class Running(Protocol):
    """A command that runs."""

    def write(self, data: bytes, *, end: bool) -> None:
        """Give it input; ``end`` closes its standard input."""

    def kill(self) -> None:
        """End it and what it started."""


class Command:
    """A command of a shell and its output so far."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4()).upper()
        self.running: Running | None = None
        self._changed = threading.Condition()
        self._output: list[tuple[str, bytes]] = []
        self._code: int | None = None

    def printed(self, stream: str, data: bytes) -> None:
        """Take a piece of output."""
        with self._changed:
            self._output.append((stream, data))
            self._changed.notify_all()

    def finished(self, code: int) -> None:
        """Take its exit code; no output comes after it."""
        with self._changed:
            self._code = code
            self._changed.notify_all()

    def receive(self, timeout: float) -> tuple[list[tuple[str, bytes]], int | None]:
        """Wait for output or the end; return pieces of it and the exit code, None while there is more to come.

        Raises:
            WSManFaultError: when nothing came within ``timeout`` s.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._output or self._code is not None, timeout):
                raise WSManFaultError(faults.TIMED_OUT)
            pieces: list[tuple[str, bytes]] = []
            room = PIECE
            while self._output and room > 0:
                stream, data = self._output.pop(0)
                pieces.append((stream, data[:room]))
                if data[room:]:
                    self._output.insert(0, (stream, data[room:]))
                room -= len(data)
            return pieces, None if self._output else self._code


@dataclass
class Shell:
    """A shell of one user.

    Attributes:
        user: who opened it; nobody else may use it.
        utf8: whether its code page is 65001.
        folder: the Windows folder that its commands start in; empty for the user's own.
        variables: its environment variables.
        idle_seconds: after so long without a request it ends; 0 for as long as this Windows takes.
        profile: whether its user's profile is loaded. Without it, its variables are the system's (WINRS_NOPROFILE).
        operations: how many operations it holds of its user's quota. Windows gives none back before the shell is
            deleted, not even after Signal [MS-WSMV, note 118].
    """

    user: str
    utf8: bool = False
    folder: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    idle_seconds: float = 0.0
    profile: bool = True
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    commands: dict[str, Command] = field(default_factory=dict)
    operations: int = 0
    busy: int = 0
    last_used: float = 0.0


class Shells:
    """All shells of the PC.

    Args:
        start: starts a command line in a shell; it calls ``printed`` and ``finished`` of the command.
        clock: s that only go forward.
        version: the PC's Windows, 7 or 10.
    """

    def __init__(
        self,
        start: Callable[[Shell, Command, str], Running],
        clock: Callable[[], float] = time.monotonic,
        version: Callable[[], str] = lambda: "7",
    ) -> None:
        self._start = start
        self._version = version
        self._clock = clock
        self._lock = threading.Lock()
        self._shells: dict[str, Shell] = {}

    def create(self, shell: Shell) -> str:
        """Open a shell and return its id.

        Raises:
            WSManFaultError: when its user has too many.
        """
        with self._lock:
            if sum(other.user == shell.user for other in self._shells.values()) >= SHELLS_PER_USER:
                raise WSManFaultError(faults.TOO_MANY_SHELLS)
            shell.last_used = self._clock()
            shell.idle_seconds = shell.idle_seconds or IDLE_SECONDS[self._version()]
            self._shells[shell.id] = shell
        return shell.id

    def command(self, user: str, shell_id: str | None, line: str) -> str:
        """Start a command line and return the command's id.

        Raises:
            WSManFaultError: for an unknown shell, or when the user's operations are used up.
        """
        shell = self._find(user, shell_id)
        with self._lock:
            if sum(other.operations for other in self._shells.values() if other.user == user) >= OPERATIONS_PER_USER:
                raise WSManFaultError(faults.TOO_MANY_OPERATIONS)
            shell.operations += 1
            command = Command()
            shell.commands[command.id] = command
        command.running = self._start(shell, command, line)
        return command.id

    def receive(
        self, user: str, shell_id: str | None, command_id: str, timeout: float
    ) -> tuple[list[tuple[str, bytes]], int | None]:
        """Wait for output of a command; see Command.receive."""
        shell = self._find(user, shell_id)
        command = self._command(shell, command_id)
        shell.busy += 1
        try:
            return command.receive(timeout)
        finally:
            shell.busy -= 1
            shell.last_used = self._clock()

    def send(self, user: str, shell_id: str | None, command_id: str, data: bytes, *, end: bool) -> None:
        """Give a command input."""
        command = self._command(self._find(user, shell_id), command_id)
        if command.running is not None:
            command.running.write(data, end=end)

    def terminate(self, user: str, shell_id: str | None, command_id: str) -> None:
        """End a command; its shell stays, and so does its share of the quota."""
        shell = self._find(user, shell_id)
        command = shell.commands.pop(command_id, None)
        if command is not None and command.running is not None:
            command.running.kill()

    def delete(self, user: str, shell_id: str | None) -> None:
        """Close a shell; its commands end with it."""
        shell = self._find(user, shell_id)
        with self._lock:
            self._shells.pop(shell.id, None)
        for command in shell.commands.values():
            if command.running is not None:
                command.running.kill()

    def expire(self) -> list[str]:
        """Close the shells that nobody used for their idle time; return their ids."""
        now = self._clock()
        with self._lock:
            idle = [
                shell
                for shell in self._shells.values()
                if not shell.busy and now - shell.last_used > shell.idle_seconds
            ]
        for shell in idle:
            self.delete(shell.user, shell.id)
        return [shell.id for shell in idle]

    def _find(self, user: str, shell_id: str | None) -> Shell:
        with self._lock:
            shell = self._shells.get((shell_id or "").upper())
            # Another user's shell is as unknown as none.
            if shell is None or shell.user != user:
                raise WSManFaultError(faults.NOT_THERE)
            shell.last_used = self._clock()
            return shell

    def _command(self, shell: Shell, command_id: str) -> Command:
        try:
            return shell.commands[command_id.upper()]
        except KeyError as error:
            raise WSManFaultError(faults.BAD_PARAMETER) from error

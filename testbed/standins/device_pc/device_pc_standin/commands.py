# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a shell's commands in Wine and carry their output."""

import os
import subprocess
import threading
from typing import IO

from . import wine
from .cmd_line import CMD
from .drive import unix_path
from .shells import Command, Shell

LONGEST_LINE = 8191
LINE_TOO_LONG = "Die Befehlszeile ist zu lang.\r\n"


class RunningProgram:
    """A command that runs in Wine."""

    def __init__(self, program: wine.Program) -> None:
        self._program = program
        self._input = program.process.stdin

    def write(self, data: bytes, *, end: bool) -> None:
        """Give it input; ``end`` closes its standard input."""
        if self._input is None or self._input.closed:
            return
        try:
            self._input.write(data)
            self._input.flush()
        except BrokenPipeError:
            end = True
        if end:
            self._input.close()

    def kill(self) -> None:
        """End it and what it started."""
        self._program.kill()


class Refused:
    """A command that never ran."""

    def write(self, data: bytes, *, end: bool) -> None:
        """Nobody reads it."""

    def kill(self) -> None:
        """Nothing runs."""


def start(shell: Shell, command: Command, line: str) -> RunningProgram | Refused:
    """Start a command line; its output and its end go to ``command``."""
    # cmd.exe is limited to this, itself included; a program that is started without it isn't.
    if line.startswith(CMD) and len(line) > LONGEST_LINE:
        command.printed("stderr", LINE_TOO_LONG.encode() if shell.utf8 else LINE_TOO_LONG.encode("cp850"))
        command.finished(1)
        return Refused()
    program = wine.start(
        line,
        folder=shell.folder or f"C:\\users\\{shell.user}",
        utf8=shell.utf8,
        # Wine takes the name of the user from there.
        variables={"USER": shell.user, "LOGNAME": shell.user, **shell.variables},
        windows_variables=own_variables(shell),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    threading.Thread(target=_carry, args=(program, command), daemon=True).start()
    return RunningProgram(program)


def own_variables(shell: Shell) -> dict[str, str]:
    """Return the variables of a shell that depend on its user.

    Those of the user's profile are there only when it is loaded; else a program gets the system's, as Microsoft says of
    CreateEnvironmentBlock: TEMP is a folder in which all users may make files.
    """
    name = {"USERNAME": shell.user, "USERDOMAIN": wine.computer_name()}
    if not shell.profile:
        temporary, profile = "C:\\windows\\temp", "C:\\users\\Default"
        return {**name, "TEMP": temporary, "TMP": temporary, "USERPROFILE": profile, "APPDATA": "", "LOCALAPPDATA": ""}
    profile = f"C:\\users\\{shell.user}"
    temporary = f"{profile}\\AppData\\Local\\Temp"
    unix_path(temporary).mkdir(parents=True, exist_ok=True)
    return {**name, "TEMP": temporary, "TMP": temporary, "USERPROFILE": profile}


def _carry(program: wine.Program, command: Command) -> None:
    readers = [
        threading.Thread(target=_read, args=(stream, name, command), daemon=True)
        for name, stream in (("stdout", program.process.stdout), ("stderr", program.process.stderr))
        if stream is not None
    ]
    for reader in readers:
        reader.start()
    code = program.wait()
    for reader in readers:
        # What the command left running in the background may hold its output open.
        reader.join(2)
    command.finished(code)


def _read(stream: IO[bytes], name: str, command: Command) -> None:
    while data := os.read(stream.fileno(), 65536):
        command.printed(name, data)
    stream.close()

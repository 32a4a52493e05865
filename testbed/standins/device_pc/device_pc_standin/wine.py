# SPDX-License-Identifier: GPL-3.0-or-later
"""Start Windows command lines in the PC, as one of its accounts, and end them with everything they started."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import clock
from .cmd_line import CMD, mended
from .drive import PREFIX, RUNTIME, STATE

STARTER = "/usr/local/lib/device-pc/bin/run_line.exe"
RUN = "/usr/local/lib/device-pc/wine/run"
JOBS = RUNTIME / "jobs"
CONSOLE = STATE / "console"
ZONE = "Europe/Berlin"


@dataclass(frozen=True)
class Account:
    """An account of the PC.

    Attributes:
        unix: the Unix account that its programs run as, so that the kernel refuses what its access rights refuse.
        prefix: its Wine prefix: Wine wants one for each Unix account. All have the same drive C:.
    """

    unix: str
    prefix: Path


ADMINISTRATOR = Account("root", PREFIX)
LOCAL_SERVICE = Account("local-service", STATE / "local-service")
PERSON = Account("console-user", STATE / "console-user")
ACCOUNTS = {"administrator": ADMINISTRATOR, "local-service": LOCAL_SERVICE, "person": PERSON}


class Program:
    """A Windows command line that runs, or has run."""

    def __init__(self, process: subprocess.Popen[bytes], job: Path) -> None:
        self.process = process
        self._job = job

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code, 0 to 2**32-1.

        Raises:
            subprocess.TimeoutExpired: when it still runs after ``timeout`` s.
        """
        status = self.process.wait(timeout)
        return self._code(status)

    def kill(self) -> None:
        """End it and all programs that it started: they are one Windows job."""
        self.process.send_signal(signal.SIGKILL)

    def _code(self, status: int) -> int:
        try:
            code = int((self._job / "code").read_text() or 1)
        except FileNotFoundError:
            code = 1 if status >= 0 else 0xC000013A  # STATUS_CONTROL_C_EXIT
        shutil.rmtree(self._job, ignore_errors=True)
        return code


def start(
    line: str,
    *,
    account: Account = ADMINISTRATOR,
    folder: str = "C:\\",
    utf8: bool = True,
    variables: dict[str, str] | None = None,
    windows_variables: dict[str, str] | None = None,
    time: str | None = None,
    zone: str = ZONE,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = subprocess.DEVNULL,
) -> Program:
    """Start a Windows command line exactly as written.

    Args:
        line: what CreateProcess gets; for a cmd command ``cmd.exe /c ...``.
        account: who runs it.
        folder: the working directory.
        utf8: the console has code page 65001; else the code pages of a German PC, 850 and 1252.
        variables: more environment variables of Unix, most of which programs see, too.
        windows_variables: variables that Wine makes by itself, like TEMP; an empty value takes one away.
        time: what the program takes for the time at its start, ``YYYY-MM-DD HH:MM:SS`` UTC; None is the PC's clock.
        zone: the PC's time zone.
        stdin: as in subprocess.Popen.
        stdout: as in subprocess.Popen.
        stderr: as in subprocess.Popen.
    """
    entry = pwd.getpwnam(account.unix)
    job = JOBS / uuid.uuid4().hex
    job.mkdir(mode=0o700)
    if line.startswith(f"{CMD} /C "):
        line = f"{CMD} /C {mended(line.removeprefix(f'{CMD} /C '))}"
    (job / "line").write_bytes(line.encode("utf-16-le"))
    (job / "folder").write_bytes(folder.encode("utf-16-le"))
    if windows_variables:
        lines = "\n".join(f"{name}={value}" for name, value in windows_variables.items())
        (job / "variables").write_bytes(lines.encode("utf-16-le"))
    for path in (job, *job.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    windows_job = "Z:" + str(job).replace("/", "\\")
    if time is None and not clock.is_true():
        time = clock.now().strftime("%Y-%m-%d %H:%M:%S")
    command = ["wine", STARTER, windows_job]
    if time is not None or zone != ZONE:
        arguments = [] if time is None else ["--time", time]
        command = [RUN, *arguments, "--zone", zone, "--", *command[1:]]
    process = subprocess.Popen(
        command,
        env=environment(account, entry, utf8=utf8, zone=zone) | (variables or {}),
        stdin=stdin, stdout=stdout, stderr=stderr,
        user=entry.pw_uid, group=entry.pw_gid, extra_groups=[],
        cwd="/", start_new_session=True,
    )  # fmt: skip
    return Program(process, job)


def environment(account: Account, entry: pwd.struct_passwd, *, utf8: bool, zone: str) -> dict[str, str]:
    """Return the Unix environment that makes Wine the PC of an account."""
    overrides = "mscoree,mshtml="
    if (STATE / "vbscript-off").exists():
        overrides += ";vbscript="
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LOGNAME": entry.pw_name,
        "WINEPREFIX": str(account.prefix),
        "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        "WINEDLLOVERRIDES": overrides,
        # Wine takes its code pages from the one and its language from the other. Hindi is a language of Windows that
        # has no code page but UTF-8; a console with code page 65001 can't be had in another way without a screen.
        "LC_CTYPE": "hi_IN" if utf8 else "de_DE.UTF-8",
        "LC_MESSAGES": "de_DE.UTF-8",
        "LANG": "de_DE.UTF-8",
        "TZ": zone,
    }


def version() -> str:
    """Return whose tools and quotas the PC has: 7 or 10."""
    file = STATE / "windows"
    return file.read_text().strip() if file.exists() else "10"


def console() -> str:
    r"""Return who sits at the PC, as DOMAIN\user; empty when nobody does."""
    return CONSOLE.read_text().strip() if CONSOLE.exists() else ""


def computer_name() -> str:
    """Return the PC's NetBIOS name."""
    return os.environ.get("NETBIOS_COMPUTER_NAME") or socket.gethostname().split(".", 1)[0].upper()[:15]

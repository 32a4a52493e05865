# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in PC of the test bed with an agent on it, minute by minute."""

from __future__ import annotations

import csv
import datetime as dt
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from testbed.podman import inspect

RUN = "/usr/local/lib/device-pc/wine/run"
STATE = "/var/lib/device-pc"
FOLDER = f"{STATE}/prefix/drive_c/ProgramData/PPMS-Agent"
ZONE = "Europe/Berlin"
ENGINES = {"vbscript": "vbs", "jscript": "js"}
CODE = "Geheim-4711"
START = dt.datetime(2026, 3, 2, 10, 0, 30)  # noqa: DTZ001 - always UTC, as the agent's own times
"""A Monday in winter. Half a minute past, as the task does it: a slow start stays in its minute."""

AADLER, BERG = "IMAGING\\aadler", "IMAGING\\bbergstroem"
BROKEN_WMI = None

# What Wine says of scripts on its error output; an error that a script doesn't catch is told nowhere else.
DEBUG = "WINEDEBUG=-all,fixme+vbscript,fixme+wscript,fixme+jscript,fixme+winhttp"
UNCAUGHT = "OnScriptError"
# By way of a file: programs that Wine leaves running would hold a pipe open.
OUTPUT = "echo --; cat $out; rm $out"


class Line(NamedTuple):
    """One line of the journal."""

    time: dt.datetime
    login: str
    minutes: int
    result: str
    detail: str


class Host:
    """The Linux host that plays the PC."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = str(inspect("container", [name])[name]["State"]["Pid"])

    @property
    def root(self) -> Path:
        """Its files, as its own processes see them: with what a test has mounted there."""
        return Path(f"/proc/{self._process}/root")

    def start(self, script: str) -> subprocess.Popen[str]:
        """Start a script of the shell there. podman exec would take as long as the script."""
        command = ["nsenter", "--target", self._process, "--all", "--", "sh", "-ec", script]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def shell(self, script: str) -> str:
        """Run a script of the shell; return its output."""
        process = self.start(script)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output

    def trust(self, certificate: Path) -> None:
        """Make this the one authority of tests that the PC knows."""
        (self.root / "usr/local/share/ca-certificates/conformance.crt").write_bytes(certificate.read_bytes())
        self.shell("update-ca-certificates --fresh >/dev/null 2>&1")

    def knows(self, address: str, name: str) -> None:
        """Make a name known."""
        self.shell(f"grep -q {name} /etc/hosts || echo {address} {name} >>/etc/hosts")


class Agent:
    """An agent in one engine, in its folder on the PC; every method is what somebody does there or sees."""

    def __init__(self, host: Host, engine: str, source: Path) -> None:
        self.host = host
        self.engine = engine
        self.program = f"ppms-agent.{ENGINES[engine]}"
        self.root = host.root
        self.folder = self.root / FOLDER[1:]
        self.settings: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.wine_says = ""
        host.shell(
            f"for m in {FOLDER}/journal {FOLDER}; do ! mountpoint -q $m || umount -l $m; done; "
            f"rm -rf {FOLDER} {STATE}/sessions; mkdir -p {FOLDER}; echo 20260101000000.000000+000 >{STATE}/boot"
        )
        (self.folder / self.program).write_bytes(source.read_bytes())
        (self.folder / "tracker.code").write_text(f"{CODE}\n")

    def configure(self, **settings: object) -> None:
        """Change keys of ppms-agent.ini."""
        self.settings.update({key: str(value) for key, value in settings.items()})
        text = "; by a test\r\n\r\n" + "".join(f"{key}={value}\r\n" for key, value in self.settings.items())
        (self.folder / "ppms-agent.ini").write_text(text, newline="")

    def minutes(self, *consoles: str | None, start: dt.datetime = START, zone: str = ZONE, step: int = 60) -> list[int]:
        """Let the task run once for each console user, ``step`` s apart; return the exit codes.

        A user of None means that WMI is broken, "" that nobody is there.
        """
        script = ["out=$(mktemp)"]
        for number, user in enumerate(consoles):
            script.append(_sits(user))
            script.append(self._command(start + dt.timedelta(seconds=number * step), zone, ""))
        output, _, self.wine_says = self.host.shell("\n".join([*script, OUTPUT])).partition("--\n")
        assert UNCAUGHT not in self.wine_says, f"a script error that nothing caught: {self.wine_says}"
        codes = [int(line.removeprefix("code ")) for line in output.splitlines()]
        assert len(codes) == len(consoles)
        return codes

    def minute(self, user: str | None = AADLER, **options: object) -> int:
        """One minute; its exit code."""
        return self.minutes(user, **options)[0]  # type: ignore[arg-type]

    def says(self, option: str, user: str | None = AADLER) -> str:
        """What the agent prints with an option, as an administrator sees it."""
        command = self._command(START, ZONE, option)
        output = self.host.shell(f"out=$(mktemp)\n{_sits(user)}\n{command}\n{OUTPUT}")
        code, _, text = output.partition("--\n")
        assert code == "code 0\n", output
        return "\n".join(line.strip() for line in text.splitlines() if "fixme:" not in line)

    def check(self, user: str | None = AADLER) -> dict[str, str]:
        """What /check prints."""
        return dict(line.split("=", 1) for line in self.says("/check", user).splitlines())

    @contextmanager
    def running(self, start: dt.datetime, user: str = AADLER) -> Iterator[subprocess.Popen[str]]:
        """A run that is still at work; it prints its exit code."""
        process = self.host.start(f"{_sits(user)}\nout=/dev/null\n{self._command(start, ZONE, '')}")
        try:
            yield process
        finally:
            process.wait(60)

    def kill(self) -> None:
        """End every run at once, as a power cut does."""
        self.host.shell("pkill -9 cscript; while pgrep cscript >/dev/null; do sleep 0.05; done")

    def desktops(self, numbers: str) -> None:
        """Let somebody have a desktop in the sessions of these numbers."""
        (self.root / f"{STATE[1:]}/sessions").write_text(f"{numbers}\n")

    def boots(self, moment: dt.datetime) -> None:
        """Let Windows say that it started then."""
        (self.root / f"{STATE[1:]}/boot").write_text(f"{moment:%Y%m%d%H%M%S}.000000+000\n")

    @property
    def journal(self) -> list[Line]:
        """The lines of all days, in the order of days."""
        return [line for path in self.journal_files for line in _lines(path)]

    @property
    def journal_files(self) -> list[Path]:
        return sorted((self.folder / "journal").glob("*.csv"))

    @property
    def results(self) -> list[str]:
        """The journal in short."""
        return [line.result for line in self.journal]

    @property
    def state(self) -> dict[str, str]:
        text = (self.folder / "state.ini").read_text("ascii")
        assert text.endswith("\ncomplete=yes\n"), "state.ini is not whole"
        return dict(line.split("=", 1) for line in text.splitlines())

    def everything_written(self) -> str:
        """All that the agent has written, names of files included."""
        own = {"tracker.code", "ppms-agent.ini", self.program}
        paths = [path for path in self.folder.rglob("*") if path.is_file() and path.name not in own]
        return "".join(f"{path.name}\n{path.read_text('latin-1')}" for path in paths)

    def _command(self, time: dt.datetime, zone: str, option: str) -> str:
        script = f"C:\\ProgramData\\PPMS-Agent\\{self.program}"
        words = [RUN, "--time", f"{time:%Y-%m-%d %H:%M:%S}", "--zone", zone, "--", "cscript", "//Nologo", script]
        line = shlex.join([*words, option] if option else words)
        # A PC of a German facility: decimal commas, other dates and messages.
        variables = shlex.join(f"{key}={value}" for key, value in self.environment.items())
        return f'code=0; env LANG=de_DE.UTF-8 {DEBUG} {variables} {line} >>$out 2>&1 || code=$?; echo "code $code"'


def _sits(user: str | None) -> str:
    if user is BROKEN_WMI:
        return f"rm -f {STATE}/console"
    return f"printf %s {shlex.quote(user)} >{STATE}/console"


def _lines(path: Path) -> list[Line]:
    text = path.read_text("ascii")
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == ["time_utc", "login", "minutes", "result", "detail"]
    return [
        Line(dt.datetime.strptime(row[0], "%Y-%m-%dT%H:%M:%SZ"), row[1], int(row[2]), *row[3:])  # noqa: DTZ007
        for row in rows[1:]
        if len(row) == 5 and row[0].endswith("Z")
    ]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of a scenario goes: molecule's phases, read off what molecule prints."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from testbed.paths import BUILD, REPOSITORY

PHASES = ("create", "prepare", "converge", "idempotence", "verify", "destroy")
"""In the order of a table. A scenario is destroyed twice, before and after; both count as one."""

_MARK = re.compile(r"➜ (\w+): (Executing$|Executed:)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def notes(scenario: str) -> Path:
    """Return the file for the times of a scenario's last run."""
    return BUILD / "results" / f"scenario-{scenario}.phases.json"


def used(scenario: str) -> Path:
    """Return the file that lists which tasks and roles a scenario's last run used (testbed/callback)."""
    return BUILD / "results" / f"scenario-{scenario}.used"


def timed(lines: Iterable[str], clock: Callable[[], float] = time.monotonic) -> dict[str, float]:
    """Pass molecule's lines on to standard output and return the seconds of each phase that began.

    Args:
        lines: read one by one as molecule prints them.
        clock: seconds.
    """
    seconds: dict[str, float] = {}
    running, since = "", 0.0
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.flush()
        mark = _MARK.search(_COLOUR.sub("", line).rstrip()) if "➜" in line else None
        if mark is None or mark[1] not in PHASES:
            continue
        if mark[2] == "Executing":
            running, since = mark[1], clock()
        elif running == mark[1]:
            seconds[running] = seconds.get(running, 0) + clock() - since
            running = ""
    if running:  # molecule was ended in the middle of it
        seconds[running] = seconds.get(running, 0) + clock() - since
    return seconds


def run(command: Sequence[str], environment: Mapping[str, str], file: Path, **more: str) -> int:
    """Run molecule, write the seconds of its phases to a file as JSON together with ``more``, return its status."""
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        phases = timed(process.stdout)
    file.write_text(json.dumps({**more, "phases": {name: round(took, 1) for name, took in phases.items()}}) + "\n")
    return process.returncode


def read(file: Path) -> dict[str, float]:
    """Return the seconds of each phase from a file that ``run`` wrote; nothing where there is none."""
    found: dict[str, float] = json.loads(file.read_text())["phases"] if file.exists() else {}
    return found

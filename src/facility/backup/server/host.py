# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backup server asks of its host: the journals of the rest-servers, timers, the disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..health import Refusals
from .access_log import IN_ORDER, refusals

DAY = 24 * 3600
_SECONDS = 120
# What is in order stays in journalctl: a first backup makes hundreds of thousands of lines.
_STRANGE = f"^(?!{IN_ORDER}$)"


class HostError(Exception):
    """The host doesn't answer; the message names the cure."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Room on a file system, in bytes; free is what this user may use."""

    free: int
    size: int


def refused(unit: str) -> Refusals:
    """What a unit's rest-server refused within the last day, or was asked that restic doesn't ask.

    Raises:
        HostError: When the journal can't be read: silence would look like peace.
    """
    command = ["journalctl", f"--unit={unit}", f"--since=-{DAY}s", f"--grep={_STRANGE}", "--case-sensitive=yes"]
    done = _run([*command, "--output=cat", "--no-pager", "--quiet"])
    # journalctl ends with 1, too, when nothing fits.
    if done.returncode not in {0, 1} or done.stderr.strip():
        said = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[0]
        raise HostError(f"the journal of {unit} can't be read ({said}): put this user into the group systemd-journal")
    if done.returncode == 1 and not _readable_journal():
        raise HostError(f"the journal of {unit} can't be read: put this user into the group systemd-journal")
    # Not splitlines: a form feed in a request would break its line.
    return refusals(done.stdout.split("\n"))


def journal_begins() -> float:
    """When the oldest line of the journal was written, in epoch seconds.

    Raises:
        HostError: When it can't be read.
    """
    command = ["journalctl", "--output=short-unix", "--no-pager", "--quiet"]
    try:
        # Its first line is enough: journalctl of systemd 252 ends too early with both --until and --lines.
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            errors="replace",
        ) as process:  # fmt: skip
            line = process.stdout.readline() if process.stdout else ""
            process.kill()
        return float(line.split(maxsplit=1)[0])
    except OSError as error:
        raise HostError(f"journalctl can't be run ({error.strerror}): install systemd") from None
    except (IndexError, ValueError):
        raise HostError("the journal can't be read: put this user into the group systemd-journal") from None


def active(timers: Iterable[str]) -> dict[str, bool]:
    """Whether each timer waits for its time.

    Raises:
        HostError: When systemd can't be asked.
    """
    found = {}
    for timer in timers:
        done = _run(["systemctl", "is-active", timer])
        if "connect to bus" in done.stderr:
            raise HostError("systemd can't be asked for timers: install the package dbus")
        found[timer] = done.stdout.strip() == "active"
    return found


def disk(folder: Path) -> Disk:
    """The room on a folder's file system.

    Raises:
        HostError: When there is no such folder.
    """
    try:
        status = os.statvfs(folder)
    except OSError as error:
        raise HostError(f"{folder}: {error.strerror}: mount the volume of the backups") from None
    return Disk(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder, as the rest-server counts it for a quota.

    Raises:
        HostError: When it can't be read.
    """
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
        except OSError as error:
            raise HostError(f"{error.filename}: {error.strerror}: run as the user who owns it") from None
    return total


def _readable_journal() -> bool:
    """Whether this user may read the system's journal: with --quiet, journalctl does not say that it may not."""
    return any(
        os.access(file, os.R_OK)
        for place in ("/var/log/journal", "/run/log/journal")
        for file in Path(place).glob("*/system*.journal")
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise HostError(f"{command[0]} can't be run ({error.strerror}): install systemd") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{command[0]} gave no answer in {_SECONDS} s: see the load of this host") from None

# SPDX-License-Identifier: GPL-3.0-or-later
"""restic backup: started, listened to, and ended where it would try what is hopeless for long."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..restic import Repository, ResticError, end
from ..restic_faults import INCOMPLETE, LOCKED
from . import faults
from .config import Config, ConfigError
from .faults import Fault

log = logging.getLogger("backup_client")
# A lock that nobody renews is stale after half an hour; "unlock" takes away only such.
_LOCK_WAIT = "35m"
_ATTEMPTS = 3
_PROGRESS_SECONDS = 60
_NAMED = 20


class BackupError(Exception):
    """Nothing was stored: one sentence with the cure."""


@dataclass(slots=True)
class Outcome:
    """What a run of restic gave.

    Attributes:
        summary: restic's own; empty when it stored no snapshot.
        unread: what could not be read, each with the reason.
        fault: the one that says most, when there was any.
    """

    summary: Mapping[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    last: str = ""
    status: int = 0


def port(config: Config) -> Repository:
    """The port to this host's repository.

    Raises:
        ConfigError: when the passwords can't be read.
    """
    try:
        server_password = config.secret("server-password").read_text().strip()
        config.secret("repository-password").open().close()
    except OSError as error:
        raise ConfigError(f"{error.filename}: can't be read ({error.strerror}): run this host's playbook") from None
    return Repository(
        config.repository, str(config.secret("repository-password")), user=config.client, password=server_password,
        ca_file=str(config.ca_file), cache=str(config.cache), program=str(config.restic),
    )  # fmt: skip


def stored(config: Config, files: int, most: int) -> Outcome:
    """Store one snapshot of all that is backed up, of about so many files, without those of more than `most` bytes.

    Raises:
        BackupError: when there is none.
    """
    repository = port(config)
    environment = repository.environment() | {"HOME": "/root", "RESTIC_PROGRESS_FPS": f"{1 / _PROGRESS_SECONDS:.4f}"}
    command = [
        str(config.restic), "backup", "--json", "--host", config.client, "--tag", "nightly", "--retry-lock", _LOCK_WAIT,
        # The newest snapshot of this host is what files are compared with, also when a path was added.
        "--group-by", "host", "--cleanup-cache",
        # Its own count of what is to come would read every folder once more; the sample's is there already.
        "--no-scan",
        *(["--one-file-system"] if config.one_file_system else []),
        f"--exclude-larger-than={most}",
        *(f"--exclude={pattern}" for pattern in config.left_out()),
        "--", *(str(path) for path in config.roots()),
    ]  # fmt: skip
    for attempt in range(_ATTEMPTS):
        outcome = _listened_to(command, environment, config, files)
        if outcome.status != LOCKED or attempt == _ATTEMPTS - 1:
            break
        log.info("the repository is locked: a lock that nobody renews is taken away, then it is tried again")
        try:
            repository.unlock()
        except ResticError as error:
            log.warning("%s", error)
    if not outcome.summary.get("snapshot_id"):
        reason = outcome.fault.message if outcome.fault else outcome.last or f"restic ended with {outcome.status}"
        raise BackupError(reason)
    _forget_gone(outcome)
    if outcome.status not in {0, INCOMPLETE}:
        raise BackupError(outcome.last or f"restic ended with {outcome.status}")
    return outcome


def _forget_gone(outcome: Outcome) -> None:
    """A file that went away between its folder's list and its turn is no loss: servers do that all the time."""
    for path in [path for path in outcome.unread if path.startswith("/") and not os.path.lexists(path)]:
        del outcome.unread[path]
        log.info("%s went away while the backup ran", path)


def _listened_to(command: list[str], environment: Mapping[str, str], config: Config, files: int) -> Outcome:
    outcome = Outcome()
    listener = _Listener(config, outcome, files)
    # Below /: restic asks for the folder it was started in.
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd="/"
    ) as restic:
        assert restic.stdout is not None  # noqa: S101 - for the type checker
        try:
            for line in restic.stdout:
                listener.hear(line.decode(errors="replace"))
                if listener.enough and restic.poll() is None:
                    # What it still says changes nothing.
                    end(restic)
                    break
        except BaseException:
            restic.terminate()
            raise
    outcome.status = restic.returncode
    return outcome


class _Listener:
    """Takes restic's lines in, one by one."""

    def __init__(self, config: Config, outcome: Outcome, files: int) -> None:
        self.enough = False
        self._config = config
        self._outcome = outcome
        self._files = files
        self._progress = time.monotonic()
        self._unreached = 0.0

    def hear(self, line: str) -> None:
        line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).strip()
        if not line:
            return
        try:
            message = json.loads(line) if line.startswith("{") else None
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self._complaint(line)
            return
        kind = message.get("message_type")
        if kind == "status":
            self._tell(message)
        elif kind == "summary":
            self._outcome.summary = message
        elif kind == "error":
            reason = str(message.get("error", {}).get("message", "unknown"))
            path = str(message.get("item") or "")
            if path:
                self._outcome.unread[path] = reason.removesuffix(path).strip() if reason.endswith(path) else reason
                if len(self._outcome.unread) <= _NAMED:
                    log.error("not read: %s: %s", path, reason)
            else:
                self._complaint(reason)
        elif kind == "exit_error":
            self._complaint(str(message.get("message", "")).removeprefix("Fatal: ").replace("\n", " "))

    def _complaint(self, line: str) -> None:
        log.warning("restic: %s", line)
        self._outcome.last = line
        fault = faults.of_line(line, self._config)
        if fault is None:
            return
        if self._outcome.fault is None or fault.weight >= self._outcome.fault.weight:
            self._outcome.fault = fault
        now = time.monotonic()
        if "config/" in line:
            # Nothing was sent yet. During a backup restic itself waits for the network, a quarter of an hour a request.
            self._unreached = self._unreached or now
            if now - self._unreached > self._config.patience_minutes * 60:
                self.enough = True
        self.enough = self.enough or fault.hopeless

    def _tell(self, status: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._progress < _PROGRESS_SECONDS * 0.9:
            return
        self._progress = now
        done = status.get("files_done", 0)
        log.info(
            "%.0f %%: %s of %s files, %.1f GB",
            100 * min(done / self._files, 1) if self._files else 0,
            f"{done:,}",
            f"about {self._files:,}" if self._files else "unknown number of",
            status.get("bytes_done", 0) / 1e9,
        )


def missing(paths: tuple[Path, ...]) -> list[str]:
    """What is wrong with the paths themselves, which restic passes over without a complaint."""
    problems = []
    for path in paths:
        if path.is_symlink():
            problems.append(f"{path} is a link, of which only the link itself is backed up: name what it leads to")
        elif not os.path.lexists(path):
            problems.append(f"{path} isn't there: see whether its disk is mounted, or take it out of the paths")
    return problems

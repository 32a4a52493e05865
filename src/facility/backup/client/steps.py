# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps before the files: each writes into a new folder, which takes the old one's place when it is whole."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from .config import FOLDER, Step

log = logging.getLogger("backup_client")
_NEW = ".new-"
_OLD = ".old-"
_LINES = 5


class StepError(Exception):
    """A step failed: its name and what it said."""


def tidied(dumps: Path, steps: Iterable[Step]) -> None:
    """Make the folder of the dumps as a run expects it, whatever an earlier one that was cut off has left there."""
    # Others may pass through to their own dump, and list nothing.
    dumps.mkdir(mode=0o711, exist_ok=True)
    dumps.chmod(0o711)
    for folder in list(dumps.iterdir()):
        if folder.name.startswith(_OLD):
            whole = dumps / folder.name.removeprefix(_OLD)
            if whole.exists():
                _remove(folder)
            else:
                # Cut off between the two renames.
                folder.rename(whole)
        elif folder.name.startswith(_NEW):
            _remove(folder)
    known = {step.folder for step in steps}
    for folder in dumps.iterdir():
        if folder.name not in known:
            log.info("%s is of no step any more and is removed", folder)
            _remove(folder)


def run(step: Step, dumps: Path) -> None:
    """Run a step; put what it wrote in place.

    Raises:
        StepError: when it fails; then the dump of an earlier run is still there.
    """
    begun = time.monotonic()
    new, old, whole = (dumps / f"{kind}{step.folder}" for kind in (_NEW, _OLD, ""))
    try:
        user = pwd.getpwnam(step.user)
    except KeyError:
        raise StepError(f"step {step.name!r}: this host has no user {step.user}: correct its user") from None
    new.mkdir(mode=0o700)
    os.chown(new, user.pw_uid, user.pw_gid)
    try:
        _execute(step, new, user)
    except BaseException:
        _remove(new)
        raise
    if whole.exists():
        whole.rename(old)
    new.rename(whole)
    if old.exists():
        _remove(old)
    log.info("step %r took %.0f s", step.name, time.monotonic() - begun)


def _execute(step: Step, folder: Path, user: pwd.struct_passwd) -> None:
    other = os.getuid() != user.pw_uid
    last: deque[str] = deque(maxlen=_LINES)
    try:
        running = subprocess.Popen(
            [argument.replace(FOLDER, str(folder)) for argument in step.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment(user),
            umask=0o077,
            user=user.pw_uid if other else None,
            group=user.pw_gid if other else None,
            extra_groups=os.getgrouplist(user.pw_name, user.pw_gid) if other else None,
        )
    except OSError as error:
        raise StepError(f"step {step.name!r}: {step.command[0]} can't be run: {error.strerror}") from None
    with running:
        assert running.stdout is not None  # noqa: S101 - for the type checker
        for line in running.stdout:
            text = line.decode(errors="replace").strip()
            if text:
                log.info("step %r: %s", step.name, text)
                last.append(text)
    if running.returncode:
        status = running.returncode
        ended = f"ended with {status}" if status > 0 else f"was ended by signal {-status}"
        raise StepError(f"step {step.name!r} {ended}: {'; '.join(last) or 'it said nothing'}")


def environment(user: pwd.struct_passwd) -> dict[str, str]:
    """What a step finds set: none of this service's own, least of all where its passwords are."""
    own = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    # Messages are read by this program's readers, so in one language.
    return own | {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "LC_ALL": "C.UTF-8"}


def _remove(folder: Path) -> None:
    """Remove a folder that may be another user's, with the right to change owners but not to pass over modes."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    _take_over(folder)
    shutil.rmtree(folder)


def _take_over(folder: Path) -> None:
    if folder.stat().st_uid != os.getuid():
        os.chown(folder, os.getuid(), os.getgid())
    folder.chmod(0o700)
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            _take_over(entry)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock is for one, is waited for, and ends with its holder."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.core.lock import LockedError, locked

HOLD = "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); "


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock, and lets it go when its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD + "sys.stdin.read()", tmp_path / "lock"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_lock_is_for_one_and_free_again_afterwards(tmp_path):
    file = tmp_path / "lock"
    with locked(file), pytest.raises(LockedError, match="lock is locked by another process"), locked(file):
        pass
    with locked(file):
        pass
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_who_waits_gets_it_when_the_holder_lets_go(tmp_path, holder):
    with pytest.raises(LockedError), locked(tmp_path / "lock", wait=0.3):
        pass
    holder.stdin.close()
    with locked(tmp_path / "lock", wait=30):
        assert holder.wait(30) == 0


def test_a_holder_that_was_killed_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "lock"):
        pass


def test_what_goes_wrong_inside_frees_it_and_comes_out(tmp_path):
    with pytest.raises(LockedError, match="mine"), locked(tmp_path / "lock"):
        raise LockedError("mine")
    begun = time.monotonic()
    with locked(tmp_path / "lock", wait=30):
        assert time.monotonic() - begun < 20


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError), locked(tmp_path / "no" / "lock"):
        pass

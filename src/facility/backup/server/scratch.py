# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder for one drill: empty when it starts, gone when it ends, and made empty by the next one after a crash."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .state import StateError, locked


@contextlib.contextmanager
def emptied(folder: Path, wait: float = 0, before: Callable[[Path], None] = lambda _: None) -> Iterator[Path]:
    """The folder "now" in a scratch folder, for this run alone.

    Args:
        folder: the scratch folder; must be there, of this user and mode 0700.
        wait: seconds to wait for another run that uses it.
        before: called with what an interrupted run left, before that is removed.

    Raises:
        StateError: When it can't be had.
    """
    with locked(folder / ".lock", wait):
        place = folder / "now"
        try:
            _remove(place, before)
            place.mkdir(mode=0o700)
        except OSError as error:
            raise StateError(f"{place}: {error.strerror}: let {folder} belong to this unit's user, mode 0700") from None
        try:
            yield place
        finally:
            _remove(place, before)


def _remove(place: Path, before: Callable[[Path], None]) -> None:
    if not place.exists():
        return
    before(place)
    # Restored folders may forbid to be changed, as they did at home.
    for parent, folders, _ in os.walk(place):
        Path(parent).chmod(0o700)
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(place)

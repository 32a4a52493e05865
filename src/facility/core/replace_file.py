# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is replaced as a whole: whoever reads it finds the old content or the new, also after a crash.

The new content lies beside the old one, as ``.NAME.new``, until it is on the disk. One process at a time may replace a
file: its folder belongs to the program, and several runs of it hold a lock (lock.py).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace_file(
    path: Path, content: str | bytes, *, mode: int = 0o644, owner: tuple[int, int] | None = None, sync: bool = True
) -> None:
    """Write a file as a whole or not at all; a link of its name is replaced, and not followed.

    Args:
        path: The file; its folder is there.
        content: Text is written as UTF-8; names of files that are none are kept as they came (surrogateescape).
        mode: The file's rights, whatever the umask.
        owner: Numbers of its user and group; None leaves it to this process's.
        sync: False for what is written anew within minutes, so that losing it in a power cut loses nothing.

    Raises:
        OSError: Then the old file is there, and nothing beside it.
    """
    new = prepared_file(path, content, mode=mode, owner=owner, sync=sync)
    try:
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if sync:
        _sync_folder(path.parent)


def prepared_file(
    path: Path, content: str | bytes, *, mode: int = 0o644, owner: tuple[int, int] | None = None, sync: bool = True
) -> Path:
    """Write the new content beside a file and return where; ``.replace(path)`` then puts it in place.

    For several files that change together: all are prepared before the first is replaced. Arguments and errors are
    those of replace_file.
    """
    new = path.with_name(f".{path.name}.new")
    # A crash may have left one. It is made anew: who made the old one may still have it open.
    new.unlink(missing_ok=True)
    data = content.encode(errors="surrogateescape") if isinstance(content, str) else content
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if owner is not None:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    return new


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

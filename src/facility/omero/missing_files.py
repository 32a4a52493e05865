# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the files that a database knows are not on the disk, or not of the size that it knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def missing_files(root: Path, known: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries whose file is missing or of another size, in their order.

    Args:
        root: the folder below which files lie.
        known: entries with file (below root, a leading slash is ignored) and size (bytes); more in them is kept.

    Raises:
        ValueError: for a name that leads out of root.
        OSError: when a folder can't be read, which says nothing of its files.
    """
    return [entry for entry in known if _size(root, str(entry["file"])) != int(entry["size"])]


def _size(root: Path, name: str) -> int:
    """A file's size in bytes; -1 where there is no such file."""
    below = name.lstrip("/")
    if ".." in Path(below).parts:
        raise ValueError(f"{name} leads out of {root}: no file of the repository is named so")
    path = root / below
    try:
        return path.stat().st_size if path.is_file() else -1
    except FileNotFoundError:
        return -1

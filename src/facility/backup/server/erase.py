# SPDX-License-Identifier: GPL-3.0-or-later
"""Erases a person's files from all snapshots of a repository, and shows before how much that is.

A rewritten snapshot is a new file; it gets the arrival time of the one that it replaces, or it would seem back-dated.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..restic import Repository, Snapshot, arrivals
from . import state
from .config import Config, RepositoryConfig
from .repositories import WAIT, open_repository

JOURNAL_FILE = "erasing.json"


class EraseError(Exception):
    """Nothing was erased; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What of the paths is in one snapshot."""

    files: frozenset[str]
    bytes: int


def run(config: Config, name: str, paths: Sequence[str], at_most: int, *, dry_run: bool) -> dict[str, Any]:
    """Erase these paths from all snapshots.

    Args:
        config: the backup server's.
        name: of the repository.
        paths: absolute, of files or folders; a * at the end stands for a number,
            as in OMERO's aadler_*.
        at_most: refuse when more different files would go.
        dry_run: only show.

    Returns:
        {"repository", "paths", "files": different files, "bytes": of all their versions in all snapshots,
        "snapshots": ids that hold them, "erased": bool, "stored_bytes_before", "stored_bytes_after"}

    Raises:
        EraseError: Paths make no sense, or more would go than allowed.
        ConfigError: There is no such repository.
        ResticError: From restic; then a part of the snapshots may be rewritten: run it again.
    """
    for path in paths:
        if not path.startswith("/") or os.path.normpath(path) != path or path == "/":
            raise EraseError(f"{path!r}: write an absolute path without . and .. and / at its end")
    repository = config.repository(name)
    port = open_repository(repository)
    paths = _spelt_out(port, paths)
    found = {snapshot.id: seen for snapshot in port.snapshots() if (seen := _found(port, snapshot, paths)).files}
    files: frozenset[str] = frozenset().union(*(seen.files for seen in found.values()))
    counts: dict[str, Any] = {
        "repository": repository.name, "paths": list(paths), "files": len(files),
        "bytes": sum(seen.bytes for seen in found.values()), "snapshots": sorted(found), "erased": False,
    }  # fmt: skip
    if len(files) > at_most:
        raise EraseError(
            f"{len(files)} files in {len(found)} snapshots would go, at most {at_most} may: see the paths, or raise it"
        )
    if dry_run:
        return counts
    port.unlock()
    finish(config)
    if found:
        counts["stored_bytes_before"] = port.stored_bytes()
        _rewrite(config.state, repository, port, sorted(found), paths)
    # Also without any: an earlier run may have been cut off after it had rewritten all.
    port.prune(wait=WAIT)
    counts["stored_bytes_after"] = port.stored_bytes()
    left = [snapshot.id for snapshot in port.snapshots() if _found(port, snapshot, paths).files]
    if left:
        raise EraseError(f"snapshot {left[0][:8]} still has some, it came in meanwhile: run it again")
    return counts | {"erased": True}


def _spelt_out(port: Repository, paths: Sequence[str]) -> list[str]:
    """The paths, with * replaced by every number that there is in any snapshot."""
    numbered = [path for path in paths if path.endswith("*")]
    parents = sorted({str(Path(path).parent) for path in numbered})
    matched: set[str] = set()
    for snapshot in port.snapshots() if numbered else ():
        for node in port.nodes(snapshot.id, parents):
            # Digits only: a person's pattern must not match the folder of another one with a longer login.
            matched |= {node["path"] for path in numbered if re.fullmatch(re.escape(path[:-1]) + r"\d+", node["path"])}
    return [path for path in paths if not path.endswith("*")] + sorted(matched)


def _found(port: Repository, snapshot: Snapshot, paths: Sequence[str]) -> Found:
    names, size = set(), 0
    if not paths:
        return Found(frozenset(), 0)
    for node in port.nodes(snapshot.id, paths, recursive=True):
        if node.get("type") != "dir" and any(_within(node["path"], path) for path in paths):
            names.add(node["path"])
            size += int(node.get("size", 0))
    return Found(frozenset(names), size)


def _within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent + "/")


def _rewrite(
    state_folder: Path, repository: RepositoryConfig, port: Repository, ids: Sequence[str], paths: Sequence[str]
) -> None:
    arrived = arrivals(repository.path)
    # restic notes the first of a line of rewritten snapshots, however often it is rewritten.
    lines = {snapshot.id: snapshot.original or snapshot.id for snapshot in port.snapshots()}
    before = {lines[key]: arrived[key] for key in ids if key in arrived}
    file = state_folder / JOURNAL_FILE
    # Written down first: cut off between the two, the new snapshot would seem back-dated for good.
    state.write(file, {"repository": repository.name, "arrived": before, "old": sorted(arrived)})
    for key in ids:
        port.rewrite(key, paths, wait=WAIT)
        _restore_times(repository, port.snapshots(), before, arrived)
    file.unlink()


def finish(config: Config) -> None:
    """Give rewritten snapshots their arrival times where an earlier run was cut off before it could."""
    file = config.state / JOURNAL_FILE
    journal = state.read(file)
    if journal:
        repository = config.repository(journal["repository"])
        _restore_times(repository, open_repository(repository).snapshots(), journal["arrived"], journal["old"])
        file.unlink()


def _restore_times(
    repository: RepositoryConfig, snapshots: Sequence[Snapshot], before: Mapping[str, float], old: Collection[str]
) -> None:
    """Give new snapshots the arrival time of the one in whose place they are.

    Args:
        repository: theirs.
        snapshots: all there are now.
        before: arrival times, by the first snapshot of the line.
        old: ids of those that were there before.
    """
    for snapshot in snapshots:
        if snapshot.original in before and snapshot.id not in old:
            os.utime(Path(repository.path, "snapshots", snapshot.id), (time.time(), before[snapshot.original]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores some random files of each client's newest backup and compares them with the checksums the client took.

The client writes sample.json before its backup: what it says is part of the backup. A file that was changed between is
known by its ctime, which nobody can set, and left out.
"""

from __future__ import annotations

import hashlib
import json
import random
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..health import trusted_in_order
from ..restic import ResticError, arrivals, epoch_ns
from . import state
from .config import Config, RepositoryConfig
from .repositories import open_repository
from .scratch import emptied

# A day's work of a client that does nothing but write would leave little else.
_SPARE = 3


class DrillError(Exception):
    """The drill failed; the message says of what."""


def run(config: Config) -> list[str]:
    """Drill every client's repository; give the complaints, one line each."""
    complaints = []
    for repository in config.repositories:
        if repository.kind != "client":
            continue
        started = time.time()
        outcome: dict[str, Any] = {"time": started, "ok": False, "files": 0, "bytes": 0, "message": ""}
        try:
            with emptied(config.scratch / "restic", wait=3600) as place:
                outcome |= _drill(config, repository, place)
            outcome["ok"] = True
        except (DrillError, ResticError) as error:
            outcome["message"] = str(error)
            complaints.append(f"drill of {repository.name}: {error}; see docs/runbooks/backup-drill-failed.md")
        outcome["seconds"] = time.time() - started
        state.note(config.state, repository.name, "drill", outcome)
    return complaints


def _drill(config: Config, repository: RepositoryConfig, place: Path) -> dict[str, Any]:
    port = open_repository(repository)
    ordered = trusted_in_order(port.snapshots(), arrivals(repository.path))
    if not ordered:
        raise DrillError("it has no snapshot that can be trusted")
    snapshot = ordered[-1].id
    try:
        sample = sample_of(port.read(snapshot, config.sample))
    except ResticError as error:
        raise DrillError(f"{error}; does the client's facility-backup.service write {config.sample}?") from None
    picked = pick(sample, config.drill_files * _SPARE, config.drill_bytes, random.SystemRandom())
    known = {node["path"]: node for node in port.nodes(snapshot, [entry["path"] for entry in picked])}
    missing = [entry["path"] for entry in picked if entry["path"] not in known]
    # What an erasure took away is missed by nobody; the client's next run makes a new sample.
    if missing and not ordered[-1].original:
        raise DrillError(
            f"snapshot {snapshot[:8]} lacks {missing[0]}, which was there before it ({len(missing)} files)"
        )
    same = [entry for entry in picked if unchanged(entry, known.get(entry["path"], {}))][: config.drill_files]
    trouble = port.restore(snapshot, [entry["path"] for entry in same], str(place))
    bad = [entry["path"] for entry in same if not matches(entry, place)]
    if bad:
        raise DrillError(f"{bad[0]} of snapshot {snapshot[:8]} came back wrong ({len(bad)} of {len(same)}) {trouble}")
    if not same:
        raise DrillError(f"nothing of snapshot {snapshot[:8]} could be compared: all {len(picked)} files were changed")
    return {"snapshot": snapshot, "files": len(same), "bytes": sum(entry["size"] for entry in same)}


def sample_of(text: str) -> list[dict[str, Any]]:
    """The files of a sample.json: path, size, ctime_ns, sha256.

    Raises:
        DrillError: If it is none.
    """
    try:
        document = json.loads(text)
        files = document["files"]
        if document["version"] != 1:
            raise DrillError(f"sample.json is of version {document['version']}: update the backup host")
        dumps = [f"{entry['dump']}/" for entry in document.get("databases", ())]
        return [
            {
                "path": str(entry["path"]), "size": int(entry["size"]), "ctime_ns": int(entry["ctime_ns"]),
                "sha256": str(entry["sha256"]), "dump": str(entry["path"]).startswith(tuple(dumps)),
            }
            for entry in files
            if str(entry["path"]).startswith("/")
        ]  # fmt: skip
    # A client writes it, and may write sixty thousand brackets or a size of Infinity.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise DrillError(f"sample.json can't be read ({error!r}): see the client's facility-backup.service") from None


def pick(sample: Sequence[Mapping[str, Any]], files: int, most: int, chance: random.Random) -> list[Mapping[str, Any]]:
    """Random files of a sample, of together at most so many bytes; a dump's table of contents always among them."""
    shuffled = list(sample)
    chance.shuffle(shuffled)
    shuffled.sort(key=lambda entry: not (entry["dump"] and entry["path"].endswith("/toc.dat")))
    picked: list[Mapping[str, Any]] = []
    total = 0
    for entry in shuffled:
        if len(picked) < files and total + entry["size"] <= most:
            picked.append(entry)
            total += entry["size"]
    return picked


def unchanged(entry: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Whether the file in the snapshot is the one that was sampled."""
    try:
        return node.get("type") == "file" and epoch_ns(node["ctime"]) == entry["ctime_ns"]
    except (KeyError, ValueError):
        return False


def matches(entry: Mapping[str, Any], place: Path) -> bool:
    """Whether the restored file has the bytes that were sampled."""
    path = Path(f"{place}{entry['path']}")
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != entry["size"]:
            return False
        path.chmod(0o600)
        return _sha256(path) == str(entry["sha256"])
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

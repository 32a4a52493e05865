# SPDX-License-Identifier: GPL-3.0-or-later
"""Afterwards: where is every file? Knows nothing of the actors; also judges a real smbd and OMERO.dropbox.

The rules: a file that was written whole was imported once, or lies in its person's folder, or in quarantine with a
reason; what was imported may be gone from DropBox. No set is imported in part, nothing twice, nothing that nobody
wrote, nothing into somebody else's name.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facility.drive.settle.aside import PUT_ASIDE
from tests.faults.manifest import Written


@dataclass(frozen=True)
class Imported:
    """One import, as OMERO knows it: path relative to DropBox."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Found:
    """A regular file found afterwards, below one of the folders."""

    path: str
    sha256: str

    @property
    def login(self) -> str:
        return self.path.partition("/")[0]


def found_below(folder: Path) -> list[Found]:
    """Every regular file below a folder with its checksum."""
    return [
        Found(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    ]


def without_aside(incoming: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """What lies in people's folders, and what was put aside there, with paths as in quarantine."""
    mark = f"/{PUT_ASIDE}/"
    aside = [replace(file, path=file.path.replace(mark, "/", 1)) for file in incoming if mark in file.path]
    return [file for file in incoming if mark not in file.path], aside


def problems(
    written: Sequence[Written],
    imports: Iterable[Imported],
    *,
    incoming: Sequence[Found],
    staging: Sequence[Found],
    dropbox: Sequence[Found],
    quarantine: Sequence[Found],
) -> list[str]:
    """Everything that is wrong, one line each; [] if nothing is."""
    imports = list(imports)
    wrong = [f"left in staging: {file.path}" for file in staging]
    by_sum = {file.sha256: file for file in written}
    counts = Counter(entry.sha256 for entry in imports)
    for entry in imports:
        origin = by_sum.get(entry.sha256)
        if origin is None:
            wrong.append(f"imported half, or never written: {entry.path}")
        elif origin.sort != "image":
            wrong.append(f"imported although it is {origin.sort}: {entry.path}")
        elif entry.path.partition("/")[0] != origin.login:
            wrong.append(f"imported for another person: {entry.path} of {origin.login}")
    wrong += [
        f"imported {count} times: {by_sum[s].name if s in by_sum else s}" for s, count in counts.items() if count > 1
    ]
    reasons = {file.path.removesuffix(".reason.txt") for file in quarantine if file.path.endswith(".reason.txt")}
    for file in quarantine:
        if file.path not in {f"{reason}.reason.txt" for reason in reasons}:
            container = "/".join(file.path.split("/")[:2])
            if container not in reasons:
                wrong.append(f"in quarantine without a reason: {file.path}")
    wrong += _lost(written, counts, incoming, quarantine, dropbox)
    there = {Path(file.path).name for file in (*incoming, *staging, *dropbox, *quarantine)}
    wrong += _parts(written, counts, there)
    return wrong


def _lost(
    written: Sequence[Written],
    imported: Counter[str],
    incoming: Sequence[Found],
    quarantine: Sequence[Found],
    dropbox: Sequence[Found],
) -> list[str]:
    kept: dict[str, set[str]] = defaultdict(set)
    for place, files in (("incoming", incoming), ("quarantine", quarantine), ("DropBox", dropbox)):
        for found in files:
            kept[found.sha256].add(f"{place}/{found.login}")
    wrong = []
    for file in written:
        if file.state != "complete" or file.sort in {"empty", "refused"}:
            continue
        places = kept[file.sha256]
        if not places and not imported[file.sha256]:
            wrong.append(f"lost: {file.login}/{file.set}/{file.name}")
        if any(place.partition("/")[2] != file.login for place in places):
            wrong.append(f"with another person: {file.name}: {sorted(places)}")
        if file.sort == "image" and not imported[file.sha256]:
            if places == {f"DropBox/{file.login}"}:
                wrong.append(f"in DropBox, but never imported: {file.login}/{file.set}/{file.name}")
        elif file.sort == "image" and f"incoming/{file.login}" in places:
            wrong.append(f"imported, and still in incoming: {file.name}")
    return wrong


def _parts(written: Sequence[Written], imported: Counter[str], there: set[str]) -> list[str]:
    """Sets of which a writer left a file undone that lies somewhere, and of which something was imported."""
    sets: dict[str, list[Written]] = defaultdict(list)
    for file in written:
        sets[file.set].append(file)
    wrong = []
    for name, files in sets.items():
        # A writer that dies between its last byte and its note has written the file whole.
        begun = [
            file
            for file in files
            if file.state != "complete" and not imported[file.sha256] and Path(file.name).name in there
        ]
        undone = begun + [file for file in files if file.sort == "refused"]
        taken = [file for file in files if imported[file.sha256]]
        if undone and taken:
            wrong.append(f"a part of {name} was imported: {taken[0].name}, but not {undone[0].name}")
    return wrong

# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of OMERO's images, as OMERO itself hands them out, beside what OMERO knows of them."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .connection import ALL_GROUPS, OmeroError, call

_FILES = (
    "select distinct f.id, f.path, f.name, f.size, f.hash, f.details.owner.omeName"
    " from FilesetEntry e join e.originalFile f order by f.id"
)
_PAGE = 10_000
# Below Ice's limit on the size of one message.
_PIECE_BYTES = 1_000_000
# OMERO's usual hasher is SHA1-160; what another one wrote is compared by size.
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """One file that belongs to images.

    Attributes:
        path: below the managed repository.
        size: in bytes.
        sha1: of the content, in hexadecimal digits; "" where OMERO noted none.
        owner: the login of the person whose it is.
    """

    id: int
    path: str
    size: int
    sha1: str
    owner: str


def image_files(session: Any) -> list[OriginalFile]:
    """Return all files that belong to images, by id.

    Args:
        session: OMERO's ServiceFactory, of somebody who may see everything.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    query = session.getQueryService()
    found: list[OriginalFile] = []
    while True:
        parameters = omero.sys.ParametersI().page(len(found), _PAGE)
        rows = call("files of images", query.projection, _FILES, parameters, ALL_GROUPS)
        for row in rows:
            values: list[Any] = [value.val if value is not None else "" for value in row]
            key, folder, name, size, digest, owner = values
            sha1 = digest if _SHA1.fullmatch(digest) else ""
            found.append(OriginalFile(key, f"{folder}{name}", size, sha1, owner))
        if len(rows) < _PAGE:
            return found


def chosen(
    files: Iterable[OriginalFile], most_files: int, most_bytes: int, draw: random.Random | None = None
) -> list[OriginalFile]:
    """Return a sample: one file of each owner first, then of all, as many as there is room for.

    Args:
        files: all that there are.
        most_files: at most so many.
        most_bytes: at most so many bytes together; what is larger than the rest of the room is passed over.
        draw: decides; each time other files, when it is left out.
    """
    order = list(files)
    (draw or random.Random()).shuffle(order)  # noqa: S311 - a sample, no secret
    seen: set[str] = set()
    firsts: list[OriginalFile] = []
    rest: list[OriginalFile] = []
    for file in order:
        (rest if file.owner in seen else firsts).append(file)
        seen.add(file.owner)
    result: list[OriginalFile] = []
    room = most_bytes
    for file in firsts + rest:
        if len(result) < most_files and file.size <= room:
            result.append(file)
            room -= file.size
    return result


def fault_of(session: Any, file: OriginalFile) -> str:
    """Read a file through OMERO and compare it; return what is wrong with it, or "".

    Raises:
        OmeroError: when OMERO can't be asked at all.
    """
    what = f"OriginalFile {file.id} ({file.path})"
    store = call(what, session.createRawFileStore)
    try:
        call(what, store.setFileId, file.id, ALL_GROUPS)
        return compared(file, call(what, store.size), lambda at, length: call(what, store.read, at, length))
    except OmeroError as error:
        return str(error)
    finally:
        call(what, store.close)


def compared(file: OriginalFile, size: int, read: Callable[[int, int], bytes]) -> str:
    """Compare what is handed out with what is known; return what is wrong with it, or ""."""
    if size != file.size:
        return f"has {size} bytes instead of {file.size}"
    if not file.sha1:
        return ""
    digest = hashlib.sha1(usedforsecurity=False)
    for at, length in _pieces(size):
        digest.update(read(at, length))
    return "" if digest.hexdigest() == file.sha1 else "has another SHA-1 than OMERO noted"


def _pieces(size: int) -> Iterator[tuple[int, int]]:
    for at in range(0, size, _PIECE_BYTES):
        yield at, min(_PIECE_BYTES, size - at)

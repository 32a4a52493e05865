# SPDX-License-Identifier: GPL-3.0-or-later
"""One tiny image that goes the way of people's images: into DropBox, into OMERO, read back, and taken away again."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import random
import shutil
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .connection import OmeroError, Server, as_omero_error, open_client, submit, until
from .files import fault_of, image_files
from .imports import Imported, imported_images


@dataclass(frozen=True, slots=True)
class Way:
    """Where a probe goes in.

    Attributes:
        login: the probe's account in OMERO.
        dropbox: OMERO's DropBox folder.
        report: the DropBox monitor's report.
        owner: the user of the host as whom OMERO.dropbox reads.
        seconds: how long each step may take.
    """

    login: str
    dropbox: Path
    report: Path
    owner: str
    seconds: float

    @property
    def folder(self) -> Path:
        """The account's folder."""
        return self.dropbox / self.login


def picture(seed: str) -> bytes:
    """Return a grey image of 16 x 16 pixels as PNG, another one for each seed."""
    draw = random.Random(seed)  # noqa: S311 - an image, no secret
    rows = b"".join(b"\0" + draw.randbytes(16) for _ in range(16))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def is_watched(report: Mapping[str, Any], login: str, since: float) -> bool:
    """Whether OMERO.dropbox hears and watches a person's folder, by a report that is not older than ``since``."""
    return bool(report.get("time", 0) >= since and report.get("alive") and login in report.get("watching", ()))


def offer(way: Way, name: str, content: bytes) -> None:
    """Put a file into the folder of the account, once that is watched; in one step, as settle does.

    Raises:
        OmeroError: when there is no such user, OMERO.dropbox does not watch the folder in time, or it can't be written.
    """
    try:
        owner = pwd.getpwnam(way.owner)
    except KeyError:
        raise OmeroError(f"there is no user {way.owner} on this host: is OMERO.server installed here?") from None
    began = time.time()
    if not way.folder.is_dir():
        way.folder.mkdir(mode=0o750)
        os.chown(way.folder, owner.pw_uid, owner.pw_gid)
    until(
        lambda: is_watched(_report(way.report), way.login, began), way.seconds,
        f"OMERO.dropbox does not watch {way.folder}: look at journalctl -u omero-dropbox-monitor, and restart OMERO if "
        "the folder was removed and made again",
    )  # fmt: skip
    # Beside DropBox, so that it appears there whole.
    aside = way.dropbox.parent / f".{name}"
    try:
        # The folder is OMERO's and this is root: a link that somebody lays there must lead nothing elsewhere.
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            os.fchown(file.fileno(), owner.pw_uid, owner.pw_gid)
            file.write(content)
    except OSError as error:
        raise OmeroError(f"{aside}: {error.strerror}: make room there, or remove what lies in its place") from error
    aside.rename(way.folder / name)


def imported(session: Any, way: Way, name: str) -> Imported:
    """Wait for the image of a file, and return it.

    Raises:
        OmeroError: when it doesn't come in time, or belongs to somebody else.
    """
    found = until(
        lambda: [one for one in imported_images(session, str(way.dropbox), way.login) if one.path.endswith(f"/{name}")],
        way.seconds,
        f"{name} lies in {way.folder} and OMERO.dropbox does not import it: look at its var/log/DropBox.log",
    )[0]
    if found.owner != way.login:
        raise OmeroError(f"the image of {name} belongs to {found.owner} instead of {way.login}")
    return found


def read_back(server: Server, image: int, content: bytes) -> None:
    """Read an image as its owner, by the gateway that OMERO's Python scripts use, and compare it.

    Raises:
        OmeroError: when OMERO shows no such image, no thumbnail, or another file.
    """
    from omero.gateway import BlitzGateway  # noqa: PLC0415 - only OMERO's own Python has it

    with open_client(server) as client, as_omero_error(f"image {image} as {server.user}"):
        shown = BlitzGateway(client_obj=client).getObject("Image", image)
        if shown is None:
            raise OmeroError(f"image {image} was imported, and {server.user}, whose it is, does not see it")
        if not shown.getThumbnail():
            raise OmeroError(f"image {image} has no thumbnail: look at Blitz-0.log of OMERO.server")
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        files = [file for file in image_files(client.getSession()) if file.owner == server.user and file.sha1 == digest]
        if not files:
            raise OmeroError(f"image {image}: OMERO has no file with what was put into DropBox")
        if fault := fault_of(client.getSession(), files[-1]):
            raise OmeroError(f"image {image}: its file {fault}")


def remove(session: Any, way: Way) -> list[int]:
    """Delete all images of the account, and what lies in its folder in DropBox; return the ids of the images.

    Raises:
        OmeroError: when OMERO doesn't delete them.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    # The folder stays: OMERO.dropbox never again watches one of a name that was there before.
    for entry in way.folder.iterdir() if way.folder.is_dir() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    images = [one.image for one in imported_images(session, str(way.dropbox), way.login) if one.owner == way.login]
    if images:
        submit(session, "delete the probe's images", omero.cmd.Delete2(targetObjects={"Image": images}), way.seconds)
    return images


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs as files: each under the SHA-256 of its content, readable by the register alone, never shown in a page.

A file is kept when its form is previewed, and belongs to a document once that is recorded; what belongs to none is
deleted a day later.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from io import BufferedReader
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile

from ..people.entries import RegisterError
from ..people.fact_fields import LARGEST_DOCUMENT
from .models import Entry, Kept

_BEGINNINGS = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}
_UNUSED_SECONDS = 86400
_SALT = "register.proof"


class Proof(TypedDict):
    """A kept file, with the keys that a document has."""

    sha256: str
    type: str
    size: int


def keep(upload: UploadedFile) -> Proof:
    """Keep a file that somebody sent.

    Raises:
        RegisterError: It is no PDF, JPEG or PNG by its first bytes, is empty, or is too large.
    """
    kind = _kind(upload)
    folder, digest = _folder(), hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file:
        name = Path(file.name)
        try:
            for chunk in upload.chunks():
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            name.unlink()
            raise
    name.replace(folder / digest.hexdigest())
    return Proof(sha256=digest.hexdigest(), type=kind, size=upload.size)


def _kind(upload: UploadedFile) -> str:
    # Django counted the bytes itself as they came.
    if not upload.size:
        raise RegisterError(["the proof is an empty file: choose another"])
    if upload.size > LARGEST_DOCUMENT:
        most = LARGEST_DOCUMENT // 1_000_000
        raise RegisterError([f"the proof is larger than {most} MB: scan it with a lower resolution"])
    first = upload.read(16)
    upload.seek(0)
    for begin, kind in _BEGINNINGS.items():
        if first.startswith(begin):
            return kind
    raise RegisterError(["the proof is no PDF, JPEG or PNG, whatever its name says: scan it as one"])


def ticket(proof: Proof) -> str:
    """What the form shows for a file that is kept already; it can't be made up."""
    return str(signing.dumps(dict(proof), salt=_SALT))


def of_ticket(text: str) -> Proof:
    """The file of a ticket.

    Raises:
        RegisterError: It is no ticket, or the file was deleted meanwhile.
    """
    try:
        proof: Proof = signing.loads(text, salt=_SALT, max_age=_UNUSED_SECONDS // 2)
    except signing.BadSignature:
        raise RegisterError(["the proof was kept too long ago: choose the file again"]) from None
    if not is_there(proof["sha256"]):
        raise RegisterError(["the proof is no longer there: choose the file again"])
    return proof


def opened(sha256: str) -> BufferedReader | None:
    """A kept file; None if there is none."""
    try:
        return (_folder() / Path(sha256).name).open("rb")
    except FileNotFoundError:
        return None


def must_be_there(sha256: str) -> None:
    """A document that stands rests on this file."""
    Kept.objects.get_or_create(sha256=sha256)


def is_there(sha256: str) -> bool:
    """Whether the file is kept here."""
    return (_folder() / Path(sha256).name).exists()


def delete(sha256: str) -> None:
    """Delete a file."""
    Kept.objects.filter(sha256=sha256).delete()
    (_folder() / Path(sha256).name).unlink(missing_ok=True)


def delete_unused() -> int:
    """Delete files that belong to no document and have not been used for a day; give how many."""
    used = {one["sha256"] for one in Entry.objects.filter(kind="document").values_list("body", flat=True)}
    oldest = time.time() - _UNUSED_SECONDS
    unused = [file for file in _folder().iterdir() if file.name not in used and file.stat().st_mtime < oldest]
    for file in unused:
        file.unlink(missing_ok=True)
    return len(unused)


def missing() -> list[str]:
    """What is wrong with the files of documents that stand, a line each."""
    problems = []
    kept = set(Kept.objects.values_list("sha256", flat=True))
    for entry in Entry.objects.filter(kind="document", revoked_by=None):
        if entry.body["sha256"] not in kept:
            continue
        file = opened(entry.body["sha256"])
        if file is None:
            problems.append(f"document {entry.id}: its file is missing: restore it from a backup")
            continue
        with file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.body["sha256"]:
                problems.append(f"document {entry.id}: its file was changed: restore it from a backup")
    return problems


def _folder() -> Path:
    folder: Path = settings.FACILITY.proofs_folder
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder

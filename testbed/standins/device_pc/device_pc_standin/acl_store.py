# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep access control lists with the files of drive C:, and let the kernel enforce them as POSIX ACLs.

A list stands in an extended attribute, so it moves with its file. Programs of LOCAL SERVICE and of people at the
console run as Unix accounts of their own, and what the list refuses them, the kernel refuses. An administrator is never
refused.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .acl import DRIVE, LOCAL_SERVICE, PERSON, Acl, Entry, effective, rights
from .drive import DRIVE_C

ATTRIBUTE = "trusted.device_pc.acl"


def own(path: Path) -> Acl:
    """Return what stands at a file itself."""
    try:
        stored = json.loads(os.getxattr(path, ATTRIBUTE))
    except OSError:
        return DRIVE if path == DRIVE_C else Acl()
    entries = tuple(Entry(**{**one, "flags": tuple(one["flags"])}) for one in stored["entries"])
    return Acl(entries, protected=stored["protected"])


def all_entries(path: Path) -> tuple[Entry, ...]:
    """Return all entries that count for a file."""
    above = () if path == DRIVE_C or not path.is_relative_to(DRIVE_C) else all_entries(path.parent)
    return effective(own(path), above, is_folder=path.is_dir())


def put(path: Path, acl: Acl) -> None:
    """Give a file a list; what lies below follows."""
    os.setxattr(path, ATTRIBUTE, json.dumps(asdict(acl)).encode())
    for one in below(path):
        _enforce(one)


def below(path: Path) -> Iterator[Path]:
    """Yield a file, or a folder and all that lies in it."""
    yield path
    if path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            yield from below(child)


def _enforce(path: Path) -> None:
    entries = all_entries(path)
    service, person = rights(entries, LOCAL_SERVICE), rights(entries, PERSON)
    if path.is_dir():
        # Windows lets everybody pass through folders ("bypass traverse checking").
        service, person = service[:2] + "x", person[:2] + "x"
    text = f"u::rwx,u:local-service:{service},g::---,m::rwx,o::{person}"
    if path.is_dir():
        # A file made without the right to run loses x again by its mode.
        service = rights(entries, LOCAL_SERVICE, passed_on=True)[:2] + "x"
        person = rights(entries, PERSON, passed_on=True)[:2] + "x"
        text += f",d:u::rwx,d:u:local-service:{service},d:g::---,d:m::rwx,d:o::{person}"
    subprocess.run(["setfacl", "--set", text, str(path)], check=True, capture_output=True)

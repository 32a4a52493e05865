# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout by rooms: parts of it, each with a digest of its own, so that a change is known by where it was made."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from testbed.paths import REPOSITORY

ALL = "all"
"""The digest of the whole checkout."""
SITE = "site"
"""The digest of what a facility and its acceptance tests are made of: all but documents and tests of other kinds."""
REST = "rest"
"""Whatever has no room of its own: modules, filters, the test bed, the lock, configuration. All steps depend on it."""

INTERFACE = {"defaults", "vars", "meta"}
"""What a role says of itself is known in every run (vars_plugins/role_interfaces.py), whichever roles that has."""


class RoomsError(Exception):
    """The checkout's files can't be listed; the message says why."""


def room(path: str) -> str:
    """Return the room of a file; ``path`` is relative to the checkout."""
    parts = path.split("/")
    if parts[0] == "docs" or (path.endswith(".md") and (len(parts) == 1 or parts[0] == "roles")):
        return "docs"
    if parts[0] == "roles" and len(parts) > 3 and parts[2] in INTERFACE:
        return REST
    if parts[0] in {"roles", "molecule", "tests"} and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if parts[0] in {"playbooks", "inventories", "tests"} else REST


def files(checkout: Path = REPOSITORY) -> list[str]:
    """Return the files of the checkout that git knows or would add: no secrets, nothing that a run made.

    Raises:
        RoomsError: when git can't list them.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=checkout, check=False, capture_output=True)
    except OSError as error:
        raise RoomsError(f"git can't be started: {error}") from error
    if done.returncode:
        raise RoomsError(f"git lists no files of {checkout}: {done.stderr.decode().strip()}")
    return sorted(set(done.stdout.decode().split("\0")) - {""})


def digests(checkout: Path = REPOSITORY) -> dict[str, str]:
    """Return the SHA-256 of each room, over names, contents and rights of its files, and of ``ALL`` and ``SITE``."""
    found: dict[str, Any] = {name: hashlib.sha256() for name in (ALL, SITE)}
    for path in files(checkout):
        place, name = checkout / path, room(path)
        entry = path.encode() + b"\0" + _content(place) + b"\0"
        found.setdefault(name, hashlib.sha256()).update(entry)
        found[ALL].update(entry)
        if name in {REST, "playbooks", "inventories", "tests", "tests/acceptance"} or name.startswith("roles/"):
            found[SITE].update(entry)
    return {name: digest.hexdigest() for name, digest in found.items()}


def _content(place: Path) -> bytes:
    if place.is_symlink():
        return b"-> " + os.fsencode(place.readlink())
    if not place.is_file():
        return b"absent"
    executable = b"x" if place.stat().st_mode & 0o111 else b"-"
    return executable + hashlib.sha256(place.read_bytes()).digest()


def mentioned(start: str, known: Iterable[str], checkout: Path = REPOSITORY) -> set[str]:
    """Return a room, tests/, and the rooms that their files name; folders of tests are followed, roles are not.

    A name is a path (``tests/alerts``), a module (``tests.alerts``), its parts apart (``"roles" / "wiki"``), and of one
    word no mere word (``"playbooks"``).
    """
    patterns = {
        name: re.compile(r"\b" + r"\W+".join(name.split("/")) + (r"\b" if "/" in name else "[\"'/]")) for name in known
    }
    texts: dict[str, str] = {}
    for path in files(checkout):
        if (checkout / path).is_file():
            texts[room(path)] = texts.get(room(path), "") + (checkout / path).read_text(errors="replace")
        if (checkout / path).is_symlink():
            # A link into another room names it.
            texts[room(path)] = texts.get(room(path), "") + f"\n{(checkout / path).readlink()}\n"
    found, queue = {start, "tests"}, [start, "tests"]
    while queue:
        text = texts.get(queue.pop(), "")
        for name, pattern in patterns.items():
            if name not in found and pattern.search(text):
                found.add(name)
                if name.startswith(("tests/", "molecule/")):
                    queue.append(name)
    return found


def of_paths(paths: Iterable[str], checkout: Path = REPOSITORY) -> set[str]:
    """Return the rooms of absolute paths; those outside the checkout are left out."""
    inside = (Path(path).resolve() for path in paths)
    return {room(f"{path.relative_to(checkout)}/x") for path in inside if path.is_relative_to(checkout)}

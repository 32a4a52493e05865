# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy that the controller laid beside the register: read again when the file has changed, never edited here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..people import policy as policies
from ..people.entries import RegisterError
from ..people.facts import IT_ADMIN, Person, people_of_register
from ..people.inventory import today_in
from ..people.policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class Reviewed:
    """The policy, and what belongs to it.

    Attributes:
        policy: what the pages decide by.
        administrators: IT administrators, who are in no fact and are never changed.
        digest: SHA-256 of the file: another one means another policy.
    """

    policy: Policy
    administrators: tuple[Person, ...]
    digest: str

    @property
    def today(self) -> date:
        """The day that it is in the facility."""
        return today_in(self.policy)


_read: dict[Path, tuple[tuple[int, int], Reviewed]] = {}


def reviewed(path: Path) -> Reviewed:
    """The policy in a file.

    Raises:
        RegisterError: It can't be read, or makes no sense.
    """
    try:
        status = path.stat()
        version = (status.st_mtime_ns, status.st_ino)
        if path not in _read or _read[path][0] != version:
            _read[path] = version, _parsed(path.read_bytes(), path)
    except OSError as error:
        raise RegisterError([f"{path}: can't be read ({error.strerror}): run playbooks/register.yml"]) from None
    return _read[path][1]


def _parsed(content: bytes, path: Path) -> Reviewed:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise RegisterError([f"{path}: is no JSON ({error}): run playbooks/register.yml"]) from None
    if not isinstance(document, Mapping) or set(document) != {"facility", "administrators"}:
        raise RegisterError([f"{path}: must have facility and administrators: run playbooks/register.yml"])
    policy = policies.validated(document["facility"])
    administrators = _administrators(document["administrators"])
    return Reviewed(policy, administrators, hashlib.sha256(content).hexdigest())


def _administrators(listed: list[Mapping[str, Any]]) -> tuple[Person, ...]:
    people = people_of_register(listed)
    strangers = [person.login for person in people if person.kind != IT_ADMIN]
    if strangers:
        raise RegisterError([f'administrators: "{login}" is no IT administrator: remove it' for login in strangers])
    return tuple(people)

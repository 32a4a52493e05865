# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the register's export to the controller, which believes none of it before it has checked all of it.

A new export takes the place of the one before as a whole, or not at all. For the controller: it uses requests.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import requests

from ..core.replace_file import replace_file
from . import policy as policies
from .entries import RegisterError
from .facts import IT_ADMIN, Facts, people_of_register
from .interchange import read_lines
from .inventory import EXPORT_FILE, export_in, today_in
from .register import read

_SECONDS = (10, 60)
# 60,000 facts are 15 MB.
_LARGEST = 100_000_000
_NOTE_FILE = f".{EXPORT_FILE}.source"
_CURE = "look at the register's host with playbooks/verify.yml"


class PullError(Exception):
    """The export can't be had; the message names the address, what is wrong and the cure."""


@dataclass(frozen=True)
class Source:
    """Where the export is and what opens it.

    Attributes:
        url: like https://register1.example.org/export.
        token: what the register's host knows the controller by.
        ca_file: authorities that the address is verified by; "" for the controller's own.
    """

    url: str
    token: str = field(repr=False)
    ca_file: str = ""


@dataclass(frozen=True)
class Note:
    """What is kept beside the export, for the owner alone: where it came from, and its tag there."""

    source: Source
    tag: str = ""


@dataclass(frozen=True)
class Pulled:
    """What came of it: whether the export is another than before, and how many facts it has now."""

    changed: bool
    facts: int


def pull(source: Source, folder: Path, facility: Mapping[str, Any], *, write: bool = True) -> Pulled:
    """Fetch the export into a register's folder, if it is another than the one that is there.

    Args:
        source: Where from.
        folder: The register's, with people.yml.
        facility: The policy of this checkout, as policy.validated takes it.
        write: Whether to replace the file; a check mode doesn't.

    Raises:
        PullError: It can't be had.
        RegisterError: It is had, and makes no sense: the one from before stays.
    """
    policy = policies.validated(facility)
    people = people_of_register(read(folder, facility)["people"])
    administrators = [person for person in people if person.kind == IT_ADMIN]
    before = export_in(folder)
    note = _note_of(folder)
    found = _asked(source, note.tag if before is not None and note.source.url == source.url else "")
    if found is None and before is not None:
        if write and note.source != source:
            _keep(folder, Note(source, note.tag))
        return Pulled(changed=False, facts=_facts_in(before))
    text, tag = found or ("", "")
    facts: Facts = read_lines(text, policy, administrators, today_in(policy), name=source.url)
    if write:
        if text != before:
            replace_file(folder / EXPORT_FILE, text, mode=0o600)
        _keep(folder, Note(source, tag))
    return Pulled(changed=text != before, facts=len(facts.all))


def moved(folder: Path) -> bool:
    """Whether the export is another than the one that was fetched last, without fetching it.

    Raises:
        PullError: It was never fetched, or can't be asked.
    """
    note = _note_of(folder)
    if not note.source.url:
        raise PullError(f"{folder}: no export was ever fetched: run playbooks/people.yml once")
    return export_in(folder) is None or _asked(note.source, note.tag) is not None


def tell(folder: Path, systems: Mapping[str, str]) -> None:
    """Tell the register's host how far systems follow the export that was fetched last.

    Args:
        folder: The register's.
        systems: By system what is wrong; "" if it follows.

    Raises:
        PullError: It was never fetched, or can't be told.
    """
    note = _note_of(folder)
    if not note.source.url:
        raise PullError(f"{folder}: no export was ever fetched: run playbooks/people.yml once")
    address = note.source.url.rpartition("/")[0] + "/applied"
    headers = {"Authorization": f"Bearer {note.source.token}"}
    try:
        answer = _session(note.source).post(
            address, json={"tag": note.tag, "systems": dict(systems)}, headers=headers, timeout=_SECONDS,
            allow_redirects=False,
        )  # fmt: skip
    except requests.RequestException as error:
        raise PullError(f"{address}: doesn't answer ({type(error).__name__}): {_CURE}") from None
    if answer.status_code != requests.codes.no_content:
        raise PullError(f"{address}: answers {answer.status_code} {answer.text.strip()[:200]}: {_CURE}")


def _session(source: Source) -> requests.Session:
    session = requests.Session()
    # Without a file the machine's own store, not the one that requests brings along.
    session.verify = source.ca_file or ssl.get_default_verify_paths().capath
    session.trust_env = False
    return session


def _note_of(folder: Path) -> Note:
    try:
        found = json.loads((folder / _NOTE_FILE).read_text(encoding="utf-8"))
        return Note(Source(str(found["url"]), str(found["token"]), str(found["ca_file"])), str(found["tag"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Note(Source("", ""))


def _keep(folder: Path, note: Note) -> None:
    replace_file(folder / _NOTE_FILE, json.dumps({**asdict(note.source), "tag": note.tag}), mode=0o600)


def _asked(source: Source, tag: str) -> tuple[str, str] | None:
    """The export and its tag; None if it is the one of this tag."""
    if not source.url.startswith("https://"):
        raise PullError(f"{source.url}: only https, for the token goes with each request")
    headers = {"Authorization": f"Bearer {source.token}", **({"If-None-Match": tag} if tag else {})}
    try:
        with _session(source).get(
            source.url, headers=headers, timeout=_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            if answer.status_code == requests.codes.not_modified:
                return None
            if answer.status_code == requests.codes.forbidden:
                raise PullError(
                    f"{source.url}: refuses the token: run playbooks/register.yml, which sets it on both ends"
                )
            if answer.status_code != requests.codes.ok:
                raise PullError(f"{source.url}: answers {answer.status_code} {answer.reason}: {_CURE}")
            content = b""
            for part in answer.iter_content(1 << 20):
                content += part
                if len(content) > _LARGEST:
                    raise PullError(f"{source.url}: is larger than {_LARGEST // 1_000_000} MB: no register is")
            return content.decode("utf-8"), answer.headers.get("ETag", "")
    except UnicodeDecodeError:
        raise RegisterError([f"{source.url}: is no UTF-8 text: {_CURE}"]) from None
    except requests.exceptions.SSLError as error:
        raise PullError(f"{source.url}: its certificate isn't believed ({error}): renew it, or mend ca_file") from None
    except requests.RequestException as error:
        raise PullError(f"{source.url}: doesn't answer ({type(error).__name__}): {_CURE}") from None


def _facts_in(text: str) -> int:
    return max(0, text.count("\n") - 2)

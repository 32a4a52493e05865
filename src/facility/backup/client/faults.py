# SPDX-License-Identifier: GPL-3.0-or-later
"""What restic complains about, in words that name the cure; its texts are those of 0.17 and 0.18."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .config import Config


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a backup fails.

    Attributes:
        message: one sentence, with the cure.
        hopeless: trying again changes nothing, though restic would for a quarter of an hour.
        weight: of several, the one with the greatest tells most.
    """

    message: str
    hopeless: bool
    weight: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """A pattern and its words, with {server}, {client}, {ca_file}, {cache}, {state}, and {found}, its last group."""

    pattern: str
    words: str
    hopeless: bool
    weight: int


_KINDS = (
    _Kind(
        r"\((?:507|413)\)",
        "the repository is full: {server} takes no more for {client}. On the backup host raise this client's quota, or "
        "free room by keeping less, and start facility-backup.service again",
        hopeless=True,
        weight=9,
    ),
    _Kind(
        r".*(?:x509|tls): (.*)",
        "{server} shows a certificate that {ca_file} doesn't vouch for ({found}): give both certificates of "
        "the same authority (playbooks/base.yml), and name the server as its certificate does",
        hopeless=True,
        weight=8,
    ),
    _Kind(
        r"\(401\)",
        "{server} refuses the user {client}: its password is another one there, or the repository is another client's. "
        "Run the playbooks of the backup host and of this host with the same vault",
        hopeless=True,
        weight=8,
    ),
    _Kind(
        r"wrong password or no key found",
        "the repository of {client} can't be opened with the repository's password of this host: it was made with "
        "another one. Set that one in the vault, or add a key on the backup host",
        hopeless=True,
        weight=8,
    ),
    _Kind(
        r"repository does not exist|\(404\)",
        "{server} has no repository of {client}: the backup host's playbook makes it; run it first",
        hopeless=True,
        weight=7,
    ),
    _Kind(
        r"no space left on device|disk quota exceeded",
        "this host's disk is full: make room where {cache} and {state} are",
        hopeless=True,
        weight=7,
    ),
    _Kind(
        r"already locked",
        "the repository of {client} is locked by work on the backup host that takes longer than this run waited: see "
        "there what holds it (restic list locks)",
        hopeless=False,
        weight=6,
    ),
    _Kind(
        r"(connection refused|no such host|i/o timeout|no route to host|network is unreachable|connection reset"
        r"|server misbehaving|request timeout|context deadline exceeded|unexpected EOF|broken pipe|\(50[0234]\))",
        "{server} can't be reached ({found}): see that it runs, that its name is known here, and that firewalls let "
        "this host in",
        hopeless=False,
        weight=5,
    ),
)


def of_line(line: str, config: Config) -> Fault | None:
    """What a line of restic's means; None when it is no fault that is known here."""
    for kind in _KINDS:
        match = re.search(kind.pattern, line)
        if match:
            words = kind.words.format(
                server=re.sub(r"^rest:https://([^/]+)/.*$", r"\1", config.repository),
                client=config.client,
                ca_file=config.ca_file,
                cache=config.cache,
                state=config.state,
                found=match.group(match.lastindex or 0).strip(),
            )
            return Fault(words, kind.hopeless, kind.weight)
    return None

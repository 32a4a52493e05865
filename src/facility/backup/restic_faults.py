# SPDX-License-Identifier: GPL-3.0-or-later
"""What restic complains about: how each fault is recognized, and its cure. Texts are those of restic 0.17 and 0.18.

Exit statuses: https://restic.readthedocs.io/en/stable/075_scripting.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

INCOMPLETE = 3
"""Exit status: a snapshot was stored, and some files could not be read."""
LOCKED = 11
"""Exit status: somebody else holds the repository's lock."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault.

    Attributes:
        pattern: what restic says then, without regard to case; its last group is what a message may quote.
        cure: cause and cure in one line for whoever called restic, with {said} for its own words.
        hopeless: trying again changes nothing, though restic would for a quarter of an hour.
        weight: of several faults in one run, the one with the greatest is the cause of the others.
        status: the exit status that means it, too; 0 where there is none.
    """

    pattern: str
    cure: str
    hopeless: bool = True
    weight: int = 0
    status: int = 0


class Fault(Enum):
    """All faults that are known; where a text fits several, the first one counts."""

    FOREIGN_LOCK = Kind(
        r"create lock.*(?:ciphertext|unmarshal|invalid)",
        "{said}: restic did not make what is in its folder locks: see docs/runbooks/backup-attack.md,"
        " unlock --remove-all",
    )
    FOREIGN_FILE = Kind(
        r"panic:|unmarshal|ciphertext verification failed|invalid character",
        "{said}: what lies in it is no work of restic's: see docs/runbooks/backup-attack.md,"
        " 'Files that restic did not make'",
    )
    DAMAGED = Kind(r"contains errors", "{said}: its data are damaged: see docs/runbooks/backup-drill-failed.md")
    NO_PASSWORD = Kind(
        r"resolving password failed|empty password",
        "{said}: it got no password: write it into the password file",
    )
    FULL = Kind(
        r"\((?:507|413)\)|insufficient storage",
        "{said}: it is full: see docs/runbooks/backup-full.md",
        weight=9,
    )
    CERTIFICATE = Kind(
        r".*(?:x509|tls): (.*)|certificate",
        "{said}: the server's certificate isn't trusted: name the authority with ca_file",
        weight=8,
    )
    REFUSED = Kind(
        r"\(401\)|unauthorized",
        "{said}: the server refuses user or password: compare them with its htpasswd file",
        weight=8,
    )
    WRONG_PASSWORD = Kind(
        r"wrong password or no key found",
        "no key fits the password: give this repository's own, or its recovery password",
        weight=8,
        status=12,
    )
    NO_REPOSITORY = Kind(
        r"repository does not exist|\(404\)",
        "there is no repository: fix the address, or make it (role backup_server does)",
        weight=7,
        status=10,
    )
    DISK_FULL = Kind(
        r"no space left|disk quota exceeded",
        "{said}: its disk is full: see docs/runbooks/backup-full.md",
        weight=7,
    )
    IN_USE = Kind(
        r"already locked",
        "it is locked ({said}): wait for that run; if none is alive: restic unlock",
        hopeless=False,
        weight=6,
        status=LOCKED,
    )
    # What comes out of a damaged file of a folder ends in "unexpected EOF", too; a network's has an address before it.
    UNREACHABLE = Kind(
        r"(connection refused|no such host|no route to host|network is unreachable|connection reset|server misbehaving"
        r"|(?:i/o|request) timeout|timed out|deadline exceeded|\(50[0234]\))"
        r"|https?://[^ ]+ .*(unexpected EOF|broken pipe)",
        "{said}: it can't be reached: look at the server's unit, the address and the firewall",
        hopeless=False,
        weight=5,
    )
    FORBIDDEN = Kind(
        r"permission denied",
        "{said}: its files can't be read or written: run as the user who owns it",
    )


def fault_of(text: str, status: int = 0) -> tuple[Fault, str] | None:
    """The fault that a text of restic's, or its exit status, stands for, and the words that a message may quote.

    None when it is none that is known.
    """
    for fault in Fault:
        if status and fault.value.status == status:
            return fault, ""
    for fault in Fault:
        match = re.search(fault.value.pattern, text, flags=re.IGNORECASE)
        if match:
            return fault, (match[match.lastindex or 0] or "").strip()
    return None

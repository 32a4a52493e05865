# SPDX-License-Identifier: GPL-3.0-or-later
"""What restic's faults mean on a client, in words that name what is to be done there and on the backup host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import restic_faults
from .config import Config


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a backup fails.

    Attributes:
        message: one sentence, with the cure.
        hopeless: trying again changes nothing, though restic would for a quarter of an hour.
        weight: of several, the one with the greatest says most.
    """

    message: str
    hopeless: bool
    weight: int


# With {server}, {client}, {ca_file}, {cache}, {state}, and {found}, what restic says.
_WORDS = {
    restic_faults.Fault.FULL: (
        "the repository is full: {server} takes no more for {client}. On the backup host raise this client's quota, or "
        "free room by keeping less, and start facility-backup.service again"
    ),
    restic_faults.Fault.CERTIFICATE: (
        "{server} shows a certificate that {ca_file} doesn't vouch for ({found}): give both certificates of "
        "the same authority (playbooks/base.yml), and name the server as its certificate does"
    ),
    restic_faults.Fault.REFUSED: (
        "{server} refuses the user {client}: its password is another one there, or the repository is another client's. "
        "Run the playbooks of the backup host and of this host with the same vault"
    ),
    restic_faults.Fault.WRONG_PASSWORD: (
        "the repository of {client} can't be opened with the repository's password of this host: it was made with "
        "another one. Set that one in the vault, or add a key on the backup host"
    ),
    restic_faults.Fault.NO_REPOSITORY: (
        "{server} has no repository of {client}: the backup host's playbook makes it; run it first"
    ),
    restic_faults.Fault.DISK_FULL: "this host's disk is full: make room where {cache} and {state} are",
    restic_faults.Fault.IN_USE: (
        "the repository of {client} is locked by work on the backup host that takes longer than this run waited: see "
        "there what holds it (restic list locks)"
    ),
    restic_faults.Fault.UNREACHABLE: (
        "{server} can't be reached ({found}): see that it runs, that its name is known here, and that firewalls let "
        "this host in"
    ),
}


def of_line(line: str, config: Config) -> Fault | None:
    """What a line of restic's means; None when it is no fault that is known here."""
    recognized = restic_faults.fault_of(line)
    if recognized is None or recognized[0] not in _WORDS:
        return None
    fault, found = recognized
    words = _WORDS[fault].format(
        server=re.sub(r"^rest:https://([^/]+)/.*$", r"\1", config.repository),
        client=config.client,
        ca_file=config.ca_file,
        cache=config.cache,
        state=config.state,
        found=found,
    )
    return Fault(words, fault.value.hopeless, fault.value.weight)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory, reached as an attacker reaches it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

import ldap

from tests.attacks.facility import CONTROLLER


class Asker(Protocol):
    """Asks the controller with rpcclient or smbclient."""

    def __call__(
        self, client: str, where: str, command: str, *, known: bool = False, login: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Return what came of a command; ``{}`` in ``where`` is the controller."""


def connected(authority: Path, uri: str = f"ldaps://{CONTROLLER}") -> ldap.ldapobject.LDAPObject:
    """Return a connection that verifies the controller, and that nobody has logged in with."""
    connection = ldap.initialize(uri)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(authority))
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 10)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    return connection

# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of accounts through `directory_user`, against bare python-ldap doing the same on the same server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import ldap
from ldap.controls.libldap import SimplePagedResultsControl

HOST = "dc1.bench.test"
BASE = "DC=bench,DC=test"
PEOPLE = f"OU=People,{BASE}"
# The module asks for the same, in pages of the same size.
CONDITION = "(&(objectCategory=person)(objectClass=user))"
ATTRIBUTES = [
    "sAMAccountName", "userAccountControl", "accountExpires", "givenName", "sn", "displayName", "mail", "description",
]  # fmt: skip
PAGE_SIZE = 500
# 2031-01-01T00:00:00+00:00, for people and for Active Directory (100 ns since 1601).
EXPIRES = "2031-01-01T00:00:00+00:00"
EXPIRES_FILETIME = b"135694656000000000"


def accounts(prefix: str, count: int) -> list[dict[str, str]]:
    """Accounts of people who don't exist, as `directory_user` wants them."""
    return [
        {
            "login": f"{prefix}{number:06}",
            "given_name": f"Given{number % 97}",
            "family_name": f"Family{number}",
            "display_name": f"Given{number % 97} Family{number}",
            "mail": f"{prefix}{number:06}@bench.test",
            "description": f"Research group {number % 40}",
            "account_expires": EXPIRES,
        }
        for number in range(count)
    ]


def connected(folder: Path, login: str) -> ldap.ldapobject.LDAPObject:
    """A verified connection, bound as an account whose password is kept in the folder."""
    connection = ldap.initialize(f"ldaps://{HOST}")
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(folder / "authority" / "ca.crt"))
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    connection.simple_bind_s(f"{login}@bench.test", (folder / login).read_text().strip())
    return connection


def bare_creation(folder: Path, prefix: str, count: int) -> float:
    """Seconds a bare loop takes to add accounts, as the same account that the module binds as; they are gone after."""
    people = accounts(prefix, count)
    began = time.monotonic()
    connection = connected(folder, "svc-controller")
    try:
        for person in people:
            connection.add_s(_dn(person["login"]), _attributes(person))
        return time.monotonic() - began
    finally:
        connection.unbind_s()
        _delete(folder, [person["login"] for person in people])


def bare_search(folder: Path) -> tuple[float, int]:
    """Seconds to connect and read every account's attributes in pages, and how many there were."""
    began = time.monotonic()
    connection = connected(folder, "svc-controller")
    paging = SimplePagedResultsControl(True, size=PAGE_SIZE, cookie="")
    found = 0
    while True:
        request = connection.search_ext(BASE, ldap.SCOPE_SUBTREE, CONDITION, ATTRIBUTES, serverctrls=[paging])
        _, rows, _, controls = connection.result3(request)
        found += sum(dn is not None for dn, _ in rows)
        cookies = [c.cookie for c in controls if c.controlType == SimplePagedResultsControl.controlType]
        if not any(cookies):
            break
        paging.cookie = cookies[0]
    connection.unbind_s()
    return time.monotonic() - began, found


def _dn(login: str) -> str:
    return f"CN={login},{PEOPLE}"


def _attributes(person: dict[str, str]) -> list[tuple[str, list[bytes]]]:
    password = f'"{secrets.token_urlsafe(18)}Aa1"'.encode("utf-16-le")
    return [
        ("objectClass", [b"user"]),
        ("sAMAccountName", [person["login"].encode()]),
        ("userPrincipalName", [person["mail"].encode()]),
        ("userAccountControl", [b"512"]),
        ("givenName", [person["given_name"].encode()]),
        ("sn", [person["family_name"].encode()]),
        ("displayName", [person["display_name"].encode()]),
        ("mail", [person["mail"].encode()]),
        ("description", [person["description"].encode()]),
        ("accountExpires", [EXPIRES_FILETIME]),
        ("unicodePwd", [password]),
    ]


def _delete(folder: Path, logins: Sequence[str]) -> None:
    connection = connected(folder, "administrator")
    for login in logins:
        try:
            connection.delete_s(_dn(login))
        except ldap.NO_SUCH_OBJECT:
            continue  # the loop above ended before it
    connection.unbind_s()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Log-in against the directory, by the omero.ldap.* properties as OMERO documents them."""

import ssl
from dataclasses import dataclass
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from omero_standin.configuration import Configuration


class PartialResultError(Exception):
    """The directory answered with references to other servers, as Active Directory does at a domain's root."""


@dataclass(frozen=True)
class Person:
    """A directory entry: its DN, OMERO's fields, and all its attributes."""

    dn: str
    fields: dict[str, str]
    attributes: dict[str, Any]


class Directory:
    """Finds people and groups and checks passwords by binding."""

    def __init__(self, configuration: Configuration) -> None:
        self.get = configuration.__getitem__

    @property
    def active(self) -> bool:
        """Whether LDAP is switched on."""
        return self.get("omero.ldap.config") == "true"

    @property
    def syncs(self) -> bool:
        """Whether groups follow the directory at each log-in."""
        return self.get("omero.ldap.sync_on_login") == "true"

    def find(self, login: str) -> Person | None:
        """Return the person with this login, None when there is none, or more than one."""
        mapping = _mapping(self.get("omero.ldap.user_mapping"))
        wanted = f"(&{self.get('omero.ldap.user_filter')}({mapping['omeName']}={escape_filter_chars(login)}))"
        found = self._search(wanted, ["*"])
        return _person(found[0], mapping) if len(found) == 1 else None

    def groups(self, person: Person) -> list[str]:
        """Return the names of the groups that omero.ldap.new_user_group gives this person."""
        rule = self.get("omero.ldap.new_user_group")
        if not rule.startswith(":"):
            return [rule]
        kind, _, query = rule[1:].partition(":")
        if kind != "query":
            raise ValueError(f"the stand-in knows omero.ldap.new_user_group as a name or :query:, not :{kind}:")
        query = query.replace("@{dn}", escape_filter_chars(person.dn))
        for name, value in person.attributes.items():
            first = value[0] if isinstance(value, list) and value else value
            query = query.replace(f"@{{{name}}}", escape_filter_chars(str(first)))
        name = _mapping(self.get("omero.ldap.group_mapping"))["name"]
        wanted = f"(&{self.get('omero.ldap.group_filter')}{query})"
        return sorted(str(_first(entry["attributes"][name])) for entry in self._search(wanted, [name]))

    def check(self, dn: str, password: str) -> bool:
        """Return whether the directory lets this DN in; an empty password never is right."""
        if not password:
            return False
        try:
            with self._connection(dn, password) as connection:
                return bool(connection.bound)
        except LDAPException:
            return False

    def _connection(self, dn: str, password: str) -> ldap3.Connection:
        # The system's trust store, as Debian's Java has it.
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file="/etc/ssl/certs/ca-certificates.crt")
        seconds = int(self.get("omero.ldap.connect_timeout")) // 1000
        urls = self.get("omero.ldap.urls").replace(",", " ").split()
        servers = [ldap3.Server(url, tls=tls, connect_timeout=seconds, get_info=ldap3.NONE) for url in urls]
        pool = ldap3.ServerPool(servers, ldap3.FIRST, active=1, exhaust=False)
        return ldap3.Connection(
            pool if len(servers) > 1 else servers[0], dn, password, auto_bind=True, read_only=True,
            receive_timeout=int(self.get("omero.ldap.read_timeout")) // 1000,
        )  # fmt: skip

    def _search(self, wanted: str, attributes: list[str]) -> list[dict[str, Any]]:
        with self._connection(self.get("omero.ldap.username"), self.get("omero.ldap.password")) as connection:
            connection.search(self.get("omero.ldap.base"), wanted, attributes=attributes)
            found = connection.response
        if any(entry["type"] == "searchResRef" for entry in found):
            # Java's JNDI with omero.ldap.referral=ignore, which is the default, and "follow" finds no way, either.
            raise PartialResultError("PartialResultException: Unprocessed Continuation Reference(s)")
        return [entry for entry in found if entry["type"] == "searchResEntry"]


def _mapping(text: str) -> dict[str, str]:
    return dict(part.strip().split("=", 1) for part in text.split(","))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _person(entry: dict[str, Any], mapping: dict[str, str]) -> Person:
    attributes = entry["attributes"]
    fields = {name: str(_first(attributes[key])) for name, key in mapping.items() if attributes.get(key)}
    return Person(entry["dn"], fields, dict(attributes))

# SPDX-License-Identifier: GPL-3.0-or-later
"""The port to a directory: python-ldap over LDAPS or StartTLS, always verified.

Raises DirectoryError only. DNs and attribute names are case-insensitive in a directory: entries carry lower-case
attribute names here, DNs are compared with directory_names.normalised.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from . import names
from .server import DirectoryError, Server, connection_problem

try:
    import ldap
    from ldap.controls.libldap import SimplePagedResultsControl
except ImportError:
    ldap = None

Scope = Literal["base", "one", "subtree"]
Operation = tuple[Literal["add", "delete", "replace"], str, Sequence[bytes]]

# Active Directory gives at most 1,000 entries a page; Samba's memory likes less.
_PAGE_SIZE = 500
# What the "data" code of Active Directory's refused bind means [MS-ADTS, winerror.h].
_BIND_CODES = {
    "525": "no such account",
    "52e": "wrong password or no such account",
    "530": "not allowed to log on at this time",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked out",
}
# Refusals that only come when the password was right.
_RIGHT_PASSWORD_CODES = {"530", "532", "533", "701", "773"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An object of the directory; attribute names in lower case."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]

    def text(self, name: str) -> str | None:
        """The first value as text."""
        values = self.attributes.get(name)
        return values[0].decode(errors="replace") if values else None

    def texts(self, name: str) -> tuple[str, ...]:
        """All values as text."""
        return tuple(value.decode(errors="replace") for value in self.attributes.get(name, ()))

    def number(self, name: str, default: int = 0) -> int:
        """The first value as a number."""
        values = self.attributes.get(name)
        return int(values[0]) if values else default


class DirectoryPort(Protocol):
    """What the tasks need of a directory. Every method raises DirectoryError."""

    def search(self, base: str, condition: str, attributes: Iterable[str], scope: Scope = "subtree") -> list[Entry]:
        """Entries that meet the condition (a filter), in pages; not_found if the base isn't there."""

    def read(self, dn: str, attributes: Iterable[str] = ()) -> Entry | None:
        """One entry, or None."""

    def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """Create an object."""

    def modify(self, dn: str, operations: Sequence[Operation]) -> None:
        """Change an object, all operations or none."""

    def move(self, dn: str, unit: str) -> str:
        """Put an object below a unit, under its name; its new DN. What refers to it follows."""

    def delete(self, dn: str) -> None:
        """Delete an object that has no children."""

    def accepts(self, name: str, password: str) -> bool:
        """Whether this is the password of the account (a DN or user@domain), even if it is expired or disabled."""

    def bound_as(self) -> str:
        """The identity that the server sees."""


class Directory:
    """A DirectoryPort over python-ldap."""

    def __init__(self, server: Server) -> None:
        """Connect, verify, bind."""
        self._server = server
        self._connection = self._connected()
        with self._translated(f"the bind as {server.bind_dn}"):
            try:
                self._connection.simple_bind_s(server.bind_dn, server.bind_password)
            except ldap.INVALID_CREDENTIALS as error:
                meaning = _BIND_CODES.get(_bind_code(error), "wrong name or password")
                cure = "check bind_dn, bind_password and the state of this account"
                message = f"{server.host} refuses the bind as {server.bind_dn} ({meaning}): {cure}"
                raise DirectoryError("refused", message) from None

    def search(self, base: str, condition: str, attributes: Iterable[str], scope: Scope = "subtree") -> list[Entry]:
        """See DirectoryPort."""
        levels = {"base": ldap.SCOPE_BASE, "one": ldap.SCOPE_ONELEVEL, "subtree": ldap.SCOPE_SUBTREE}
        entries: list[Entry] = []
        names = list(attributes) or ["1.1"]  # 1.1: no attributes at all [RFC 4511, 4.5.1.8]
        # Some servers refuse a critical paging control for the root DSE; one entry needs no pages.
        paging = [] if scope == "base" else [SimplePagedResultsControl(True, size=_PAGE_SIZE, cookie="")]
        with self._translated(f"the search under {base or 'the root DSE'}"):
            while True:
                request = self._connection.search_ext(base, levels[scope], condition, names, serverctrls=paging)
                _, rows, _, controls = self._connection.result3(request, timeout=self._server.timeout)
                # Referrals to other domains come as rows without a DN.
                entries.extend(self._entry(dn, values) for dn, values in rows if dn is not None)
                cookies = [c.cookie for c in controls if c.controlType == SimplePagedResultsControl.controlType]
                if not paging or not any(cookies):
                    return entries
                paging[0].cookie = cookies[0]

    def read(self, dn: str, attributes: Iterable[str] = ()) -> Entry | None:
        """See DirectoryPort."""
        try:
            found = self.search(dn, "(objectClass=*)", attributes, "base")
        except DirectoryError as error:
            if error.kind == "not_found":
                return None
            raise
        return found[0] if found else None

    def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """See DirectoryPort."""
        with self._translated(f"creating {dn}"):
            self._connection.add_s(dn, [(name, list(values)) for name, values in attributes.items()])

    def modify(self, dn: str, operations: Sequence[Operation]) -> None:
        """See DirectoryPort."""
        codes = {"add": ldap.MOD_ADD, "delete": ldap.MOD_DELETE, "replace": ldap.MOD_REPLACE}
        with self._translated(f"changing {dn}"):
            # None, not an empty list, is how python-ldap spells "all values".
            self._connection.modify_s(
                dn, [(codes[code], name, list(values) or None) for code, name, values in operations]
            )

    def move(self, dn: str, unit: str) -> str:
        """See DirectoryPort."""
        name = names.first(dn)
        with self._translated(f"moving {dn} to {unit}"):
            self._connection.rename_s(dn, name, unit)
        return f"{name},{unit}"

    def delete(self, dn: str) -> None:
        """See DirectoryPort."""
        with self._translated(f"deleting {dn}"):
            self._connection.delete_s(dn)

    def accepts(self, name: str, password: str) -> bool:
        """See DirectoryPort."""
        if not password:
            return False
        trial = self._connected()
        try:
            with self._translated(f"the bind as {name}"):
                trial.simple_bind_s(name, password)
        except DirectoryError as error:
            if isinstance(error.__cause__, ldap.INVALID_CREDENTIALS):
                return _bind_code(error.__cause__) in _RIGHT_PASSWORD_CODES
            raise
        finally:
            trial.unbind_s()
        return True

    def bound_as(self) -> str:
        """See DirectoryPort."""
        with self._translated("asking for one's own identity"):
            return str(self._connection.whoami_s())

    def close(self) -> None:
        """Say goodbye; a server that is already gone doesn't matter any more."""
        with contextlib.suppress(ldap.LDAPError):
            self._connection.unbind_s()

    def _connected(self) -> Any:  # noqa: ANN401 - python-ldap has no types
        connection = ldap.initialize(self._server.uri)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, self._server.timeout)
        connection.set_option(ldap.OPT_TIMEOUT, self._server.timeout)
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        if self._server.ca_file:
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, self._server.ca_file)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # must come last: it makes the options above count
        try:
            if self._server.start_tls:
                connection.start_tls_s()
            else:
                # libldap connects with the first request; this one needs no bind and carries no password.
                connection.search_ext_s("", ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
        except (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT) as error:
            raise connection_problem(self._server) or self._unreachable(error) from None
        except ldap.LDAPError:
            # A server that answers nothing before a bind; the bind itself will show it, over the same verified channel.
            if self._server.start_tls:
                cure = "use ldaps://, or give the server a certificate"
                message = f"{self._server.host} port {self._server.port} offers no StartTLS: {cure}"
                raise DirectoryError("certificate", message) from None
        return connection

    def _unreachable(self, error: Exception) -> DirectoryError:
        where = f"{self._server.host} port {self._server.port}"
        return DirectoryError("unreachable", f"{where} can't be reached ({_reason(error)}): check that the server runs")

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        host = self._server.host
        try:
            yield
        except (ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED) as error:
            cure = "check the server's load, or raise timeout"
            message = f"{host} didn't answer within {self._server.timeout} s ({what}): {cure}"
            raise DirectoryError("unreachable", message) from error
        except (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.UNAVAILABLE, ldap.BUSY) as error:
            message = f"{host} was lost during {what} ({_reason(error)}): run again when the server is back"
            raise DirectoryError("unreachable", message) from error
        except ldap.STRONG_AUTH_REQUIRED as error:
            message = f"{host} wants an encrypted connection for {what}: use ldaps:// or start_tls: true"
            raise DirectoryError("refused", message) from error
        except ldap.NO_SUCH_OBJECT as error:
            message = (
                f"{host}: {what} isn't possible, because that place doesn't exist: create it first, or mend its DN"
            )
            raise DirectoryError("not_found", message) from error
        except ldap.LDAPError as error:
            message = f"{host} rejects {what} ({_reason(error)}): {_cure(error)}"
            raise DirectoryError("rejected", message) from error

    def _entry(self, dn: str, values: Mapping[str, Sequence[bytes]]) -> Entry:
        attributes: dict[str, Sequence[bytes]] = {}
        for name, found in values.items():
            if ";range=" in name:
                # Windows gives at most 1,500 values at once, as member;range=0-1499 [MS-ADTS 3.1.1.3.1.3.3].
                attributes[name.split(";")[0].lower()] = self._all_values(dn, name, list(found))
            elif found or name.lower() not in attributes:
                attributes.setdefault(name.lower(), found)
        return Entry(dn, attributes)

    def _all_values(self, dn: str, ranged: str, values: list[bytes]) -> list[bytes]:
        name = ranged.split(";", maxsplit=1)[0]
        while not ranged.endswith("-*"):
            rows = self._connection.search_ext_s(
                dn, ldap.SCOPE_BASE, "(objectClass=*)", [f"{name};range={len(values)}-*"]
            )
            ranged, more = next((n, v) for n, v in rows[0][1].items() if ";range=" in n)
            values.extend(more)
        return values


@contextlib.contextmanager
def open_directory(server: Server) -> Iterator[DirectoryPort]:
    """A verified, bound connection that is closed at the end.

    Raises:
        DirectoryError: unreachable, certificate, refused.
    """
    if ldap is None:
        cure = f'{sys.executable} -m pip install "python-ldap>=3.4"'
        raise DirectoryError("unreachable", f"{server.uri} needs python-ldap, which this Python lacks: {cure}")
    server.refuse_unsafe()
    directory = Directory(server)
    try:
        yield directory
    finally:
        directory.close()


def _bind_code(error: BaseException) -> str:
    _, found, rest = _reason(error).partition("data ")
    return rest.split(",")[0].split()[0].lower() if found and rest.strip() else ""


def _reason(error: BaseException) -> str:
    details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    texts = [str(details[key]).strip() for key in ("desc", "info") if details.get(key)]
    return "; ".join(texts) or str(error) or type(error).__name__


def _cure(error: Exception) -> str:
    if isinstance(error, ldap.ALREADY_EXISTS):
        return "another object has this name: choose another, or widen base so that it is found"
    if isinstance(error, ldap.INSUFFICIENT_ACCESS):
        return "give bind_dn the right to do this, or use another account"
    if isinstance(error, (ldap.CONSTRAINT_VIOLATION, ldap.UNWILLING_TO_PERFORM)):
        return "check the values' length and form, and passwords against the domain's policy"
    if isinstance(error, (ldap.INVALID_DN_SYNTAX, ldap.INVALID_SYNTAX, ldap.FILTER_ERROR)):
        return "mend the spelling of the value"
    if isinstance(error, ldap.NOT_ALLOWED_ON_NONLEAF):
        return "it still has children: delete those first"
    return "the server's log says more"

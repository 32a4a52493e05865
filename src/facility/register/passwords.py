# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords in the directory: set for a researcher who shows a code, or changed by who knows the old one.

A password is handed to the directory and to nothing else: it is in no database, log or message. Only accounts in one
unit can be set, those of researchers: the directory gives the register's own account no right to any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from .log_in import DirectoryError
from .words import _

# What Active Directory says of a new password; Samba adds words, Windows does not.
_REASONS = {
    "too short": "length",
    "complexity": "kinds",
    "history": "used",
    "too young": "young",
}
_OLD_IS_WRONG = "00000056"
_NEW_PASSWORD_CODES = ("0000052D", "0000216D")
_QUIET_SECONDS = 10


class RefusedError(Exception):
    """The directory does not take it.

    Attributes:
        why: wrong (the old password), length, kinds, used, young, policy (nothing more is known), or account: there is
            no such account among those that may be set.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def why_not(why: str) -> str:
    """What people read, with its cure, of RefusedError's why."""
    if why == "length":
        return _("It is too short: take %(length)d characters or more, as four words.") % {
            "length": settings.FACILITY.password_length
        }
    known = {
        "wrong": _("The password until now is wrong."),
        "kinds": _(
            "It has too few kinds of characters, or your name in it: mix upper and lower case letters, digits and "
            "others."
        ),
        "used": _("You have had it before: take another."),
        "young": _("The last change is too short ago: try again tomorrow."),
        "account": _("Your account is not there yet. Wait some minutes, and try again; then ask the facility's staff."),
    }
    return known.get(why) or _(
        "The directory does not take it: make it longer, with upper and lower case letters and digits, and another "
        "than before."
    )


def put(login: str, new: str) -> None:
    """Set the password of a researcher, and unlock the account.

    Args:
        login: The account's sAMAccountName.
        new: The password.

    Raises:
        RefusedError: length, kinds, used, policy, or account.
        DirectoryError: The directory does not answer.
    """
    import ldap  # noqa: PLC0415 - only a host with a directory needs it

    with _connected() as connection:
        connection.simple_bind_s(settings.AUTH_LDAP_BIND_DN, settings.AUTH_LDAP_BIND_PASSWORD)
        dn, locked = _account(connection, settings.FACILITY.password_unit, login)
        with _new_password():
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "unicodePwd", [_quoted(new)])])
        if locked:
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "lockoutTime", [b"0"])])


def change(login: str, old: str, new: str) -> None:
    """Change somebody's own password, as that person: the directory checks the old one, its history and its age.

    Raises:
        RefusedError: wrong, length, kinds, used, young, policy, or account.
        DirectoryError: The directory does not answer.
    """
    import ldap  # noqa: PLC0415

    with _connected() as connection:
        connection.simple_bind_s(settings.AUTH_LDAP_BIND_DN, settings.AUTH_LDAP_BIND_PASSWORD)
        dn, _locked = _account(connection, settings.FACILITY.directory_base, login)
        try:
            # With an empty password this would be an anonymous bind, which succeeds.
            connection.simple_bind_s(dn, old or " ")
        except ldap.INVALID_CREDENTIALS:
            raise RefusedError("wrong") from None
        with _new_password():
            # Both in one request is what Active Directory takes for a change, and not for a reset.
            parts = [(ldap.MOD_DELETE, "unicodePwd", [_quoted(old)]), (ldap.MOD_ADD, "unicodePwd", [_quoted(new)])]
            connection.modify_s(dn, parts)


@contextmanager
def _connected() -> Iterator[Any]:
    """A verified connection; what goes wrong with it is a DirectoryError."""
    import ldap  # noqa: PLC0415

    if not settings.FACILITY.directory_uris:
        raise DirectoryError("no directory is named: set directory_uris")
    connection = ldap.initialize(settings.FACILITY.directory_uris)
    try:
        for option, value in {**settings.AUTH_LDAP_GLOBAL_OPTIONS, **settings.AUTH_LDAP_CONNECTION_OPTIONS}.items():
            connection.set_option(option, value)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # must come last: it makes the options above count
        yield connection
    except ldap.LDAPError as error:
        raise DirectoryError(str(error)) from error
    finally:
        connection.unbind_ext()


@contextmanager
def _new_password() -> Iterator[None]:
    import ldap  # noqa: PLC0415

    try:
        yield
    except (ldap.CONSTRAINT_VIOLATION, ldap.UNWILLING_TO_PERFORM) as error:
        said = str(error)
        if _OLD_IS_WRONG in said:
            raise RefusedError("wrong") from None
        found = next((why for words, why in _REASONS.items() if words in said), None)
        if found or any(code in said for code in _NEW_PASSWORD_CODES):
            raise RefusedError(found or "policy") from None
        raise
    except ldap.INSUFFICIENT_ACCESS:
        raise RefusedError("account") from None


def _account(connection: Any, base: str, login: str) -> tuple[str, bool]:  # noqa: ANN401 - python-ldap has no types
    """The DN of an account below a base, and whether it is locked.

    Raises:
        RefusedError: account.
    """
    import ldap  # noqa: PLC0415
    from ldap.filter import escape_filter_chars  # noqa: PLC0415

    condition = f"(&(objectCategory=person)(objectClass=user)(sAMAccountName={escape_filter_chars(login)}))"
    try:
        rows = connection.search_ext_s(base, ldap.SCOPE_SUBTREE, condition, ["lockoutTime"], timeout=_QUIET_SECONDS)
    except ldap.NO_SUCH_OBJECT:
        rows = []
    found = [(dn, attributes) for dn, attributes in rows if dn is not None]
    if len(found) != 1:
        raise RefusedError("account")
    dn, attributes = found[0]
    return str(dn), int(attributes.get("lockoutTime", [b"0"])[0]) > 0


def _quoted(password: str) -> bytes:
    """Active Directory wants the password in double quotes, in UTF-16 [MS-ADTS 3.1.1.3.1.5]."""
    return f'"{password}"'.encode("utf-16-le")

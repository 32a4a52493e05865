# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of people and services in Active Directory (Samba or Windows): one search for the whole list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ..core.plan import Attributes, Change, Plan, Secret, Value, plan
from . import caps, filetime, initial_password, names
from .port import DirectoryPort, Entry, Operation
from .server import DirectoryError

# option -> attribute, for those that are plain text
_TEXTS = {
    "given_name": "givenName",
    "family_name": "sn",
    "display_name": "displayName",
    "mail": "mail",
    "description": "description",
}
_READ = ["sAMAccountName", "userAccountControl", "accountExpires", "whenCreated", "pwdLastSet", *_TEXTS.values()]
_PEOPLE = "(&(objectCategory=person)(objectClass=user))"
# userAccountControl [MS-ADTS 2.2.16]
_NORMAL_ACCOUNT = 0x200
_DISABLED = 0x2
# Up to here the search names every login; beyond, reading all accounts is quicker than so long a filter.
_NAMED_SEARCH = 100
# sAMAccountName [MS-ADTS 3.1.1.6]; a file of this name is written, too
_FORBIDDEN = re.compile(r'["/\\\[\]:;|=,+*?<>@\x00-\x1f]')
_GENERATED = Secret(None, shown="(generated, kept in initial_password_dir)")
_UNKNOWN = "unknown"
# A password that came with the account was set in the moment when that was made.
_SAME_MOMENT = timedelta(seconds=2)


class AccountsTask:
    """Accounts as the options of directory_user describe them."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._users: list[dict[str, Any]] = params["users"]
        self._ou: str = params["ou"]
        self._given_base: str | None = params["base"]
        self._absent: bool = params["state"] == "absent"
        self._most_removed: int | None = params["most_removed"]
        self._moves: list[str] = params["move_between"]
        folder: str | None = params["initial_password_dir"]
        self._password_folder = Path(folder) if folder else None
        self._entries: dict[str, Entry] = {}

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        _refuse_bad_logins([user["login"] for user in self._users])
        base = self._base()
        self._entries = self._found(directory, base)
        got: dict[str, Attributes] = {}
        wanted: dict[str, Attributes | None] = {}
        for user in self._users:
            login = user["login"]
            entry = self._entries.get(login.lower())
            wanted[login] = None if self._absent else self._wanted(directory, user, entry)
            if entry:
                got[login] = {**_got(entry), "unit": self._unit_of(entry), "initial_password_file": True}
        caps.refuse_many(caps.closed_accounts(got, wanted), self._most_removed)
        return plan(got, wanted)

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        if change.action == "create":
            attributes = self._new_account(change)
            directory.add(names.child("CN", change.key, str(change.after["unit"])), attributes)
            return
        entry = self._entries[change.key.lower()]
        if change.action == "delete":
            directory.delete(entry.dn)
            return
        after = dict(change.after)
        unit, file = after.pop("unit", None), after.pop("initial_password_file", None)
        # First where the account is: who may do what with it hangs on that.
        dn = directory.move(entry.dn, str(unit)) if unit else entry.dn
        if after:
            directory.modify(dn, [_operation(entry, name, value) for name, value in after.items()])
        if file is not None and self._password_folder:
            (self._password_folder / change.key).unlink(missing_ok=True)

    def _base(self) -> str:
        try:
            for unit in [self._ou, *self._moves, *(user["ou"] for user in self._users if user["ou"])]:
                names.normalised(unit)
            return self._given_base or names.domain_part(self._ou)
        except ValueError as error:
            raise DirectoryError("rejected", f"ou: {error}") from None

    def _unit_of(self, entry: Entry) -> str | None:
        """The unit that an account lies in; None where it isn't ours to move."""
        parent = names.parent(entry.dn)
        return parent if parent in {names.normalised(unit) for unit in self._moves} else None

    def _found(self, directory: DirectoryPort, base: str) -> dict[str, Entry]:
        condition = _PEOPLE
        if len(self._users) <= _NAMED_SEARCH:
            logins = (names.equals("sAMAccountName", user["login"]) for user in self._users)
            condition = f"(&{_PEOPLE}{names.any_of(logins)})"
        entries = directory.search(base, condition, _READ) if self._users else []
        return {(entry.text("samaccountname") or "").lower(): entry for entry in entries}

    def _wanted(self, directory: DirectoryPort, user: Mapping[str, Any], entry: Entry | None) -> Attributes:
        login, password = user["login"], user["password"]
        attributes: dict[str, Value] = {name: user[name] for name in _TEXTS if user[name] is not None}
        attributes["enabled"] = user["enabled"]
        unit = user["ou"] or self._ou
        if entry is None or self._unit_of(entry) not in {None, names.normalised(unit)}:
            attributes["unit"] = unit
        if entry and self._has_old_file(login) and _password_changed(entry):
            attributes["initial_password_file"] = False
        if user["account_expires"] is not None:
            try:
                attributes["account_expires"] = filetime.same_moment(user["account_expires"])
            except ValueError as error:
                raise DirectoryError("rejected", f"{login}: account_expires {error}") from None
        if entry is None:
            if password:
                attributes["password"] = Secret(password)
            elif user["initial_password"] == _UNKNOWN:
                attributes["password"] = Secret(initial_password.generated(), shown="(generated, known to nobody)")
            elif self._password_folder:
                attributes["password"] = _GENERATED
            elif user["enabled"]:
                cure = "give password or initial_password_dir, or set enabled: false"
                raise DirectoryError("rejected", f"{login} is new and would have no password: {cure}")
        elif password and _overwrites(user) and not directory.accepts(entry.dn, password):
            attributes["password"] = Secret(password)
        return attributes

    def _has_old_file(self, login: str) -> bool:
        return self._password_folder is not None and (self._password_folder / login).is_file()

    def _new_account(self, change: Change) -> dict[str, list[bytes]]:
        wanted = change.after
        control = _NORMAL_ACCOUNT if wanted["enabled"] else _NORMAL_ACCOUNT | _DISABLED
        attributes: dict[str, list[bytes]] = {
            "objectClass": [b"user"],
            "sAMAccountName": [change.key.encode()],
            "userPrincipalName": [f"{change.key}@{names.dns_domain(self._ou)}".encode()],
            "userAccountControl": [str(control).encode()],
        }
        for name, attribute in _TEXTS.items():
            if wanted.get(name):
                attributes[attribute] = [str(wanted[name]).encode()]
        if "account_expires" in wanted:
            attributes["accountExpires"] = _expiry(wanted["account_expires"])
        password = wanted.get("password")
        if isinstance(password, Secret):
            # In the same request: an enabled account without a password is refused.
            attributes["unicodePwd"] = _quoted(password.value or self._kept_password(change.key))
        return attributes

    def _kept_password(self, login: str) -> str:
        folder = self._password_folder
        if folder is None:
            raise DirectoryError("rejected", f"{login} has no password: give password or initial_password_dir")
        try:
            return initial_password.kept(folder, login)
        except OSError as error:
            cure = "make initial_password_dir writable for the user who runs this"
            raise DirectoryError("rejected", f"{folder}/{login} can't be written ({error.strerror}): {cure}") from None


def _refuse_bad_logins(logins: list[str]) -> None:
    seen: dict[str, str] = {}
    for login in logins:
        if not 1 <= len(login) <= 20 or _FORBIDDEN.search(login) or login != login.strip() or login.endswith("."):
            cure = r'use 1 to 20 characters, none of "/\[]:;|=,+*?<>@, no blank at either end, no dot at the end'
            raise DirectoryError("rejected", f'"{login}" is no login: {cure}')
        if login.lower() in seen:
            first = seen[login.lower()]
            raise DirectoryError("rejected", f'two users have the login "{first}" ("{login}"): give one another login')
        seen[login.lower()] = login


def _overwrites(user: Mapping[str, Any]) -> bool:
    return bool(user["update_password"] == "always")  # noqa: S105 - when to set it, not a password


def _password_changed(entry: Entry) -> bool:
    """Whether the account has another password than it was made with."""
    made, changed = entry.text("whencreated"), entry.number("pwdlastset")
    if not made or not changed:
        return False
    return filetime.moment(changed) - filetime.generalized(made) > _SAME_MOMENT


def _got(entry: Entry) -> Attributes:
    attributes: dict[str, Value] = {name: entry.text(attribute.lower()) for name, attribute in _TEXTS.items()}
    attributes["enabled"] = not entry.number("useraccountcontrol") & _DISABLED
    attributes["account_expires"] = filetime.from_filetime(entry.number("accountexpires"))
    return attributes


def _operation(entry: Entry, name: str, value: Value) -> Operation:
    if name == "enabled":
        control = entry.number("useraccountcontrol", _NORMAL_ACCOUNT) & ~_DISABLED
        return ("replace", "userAccountControl", [str(control if value else control | _DISABLED).encode()])
    if name == "account_expires":
        return ("replace", "accountExpires", _expiry(value))
    if isinstance(value, Secret):
        return ("replace", "unicodePwd", _quoted(value.value or ""))
    return ("replace", _TEXTS[name], [str(value).encode()] if value else [])


def _expiry(value: Value) -> list[bytes]:
    return [str(filetime.to_filetime(str(value))).encode()]


def _quoted(password: str) -> list[bytes]:
    """Active Directory wants the password in double quotes, in UTF-16 [MS-ADTS 3.1.1.3.1.5]."""
    return [f'"{password}"'.encode("utf-16-le")]

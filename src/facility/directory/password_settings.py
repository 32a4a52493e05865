# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy about passwords for some accounts alone, in place of the domain's [MS-ADTS 3.1.1.5.2.9, 6.1.1.4.11.1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.plan import Attributes, Change, Plan, Value, plan
from . import names
from .filetime import INTERVAL_NEVER, TICKS_PER_DAY, TICKS_PER_MINUTE, interval
from .port import DirectoryPort, Entry, Operation
from .server import DirectoryError

CONTAINER = "CN=Password Settings Container,CN=System"
# option -> attribute
_NUMBERS = {
    "precedence": "msDS-PasswordSettingsPrecedence",
    "min_password_length": "msDS-MinimumPasswordLength",
    "password_history": "msDS-PasswordHistoryLength",
    "lockout_threshold": "msDS-LockoutThreshold",
}
_INTERVALS = {
    "max_password_age_days": ("msDS-MaximumPasswordAge", TICKS_PER_DAY),
    "min_password_age_days": ("msDS-MinimumPasswordAge", TICKS_PER_DAY),
    "lockout_minutes": ("msDS-LockoutDuration", TICKS_PER_MINUTE),
    "lockout_window_minutes": ("msDS-LockoutObservationWindow", TICKS_PER_MINUTE),
}
_COMPLEXITY = "msDS-PasswordComplexityEnabled"
_APPLIES = "msDS-PSOAppliesTo"


class PasswordSettingsTask:
    """One object of settings, as the options of directory_password_settings describe it."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._name: str = params["name"]
        self._base: str = params["base"]
        self._logins: list[str] = params["logins"]
        self._wanted: dict[str, Value] = {name: params[name] for name in (*_NUMBERS, *_INTERVALS, "complexity")}
        self._dns: dict[str, str] = {}

    @property
    def _dn(self) -> str:
        return names.child("CN", self._name, f"{CONTAINER},{self._base}")

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        self._dns = self._found(directory)
        missing = [login for login in self._logins if login.lower() not in self._dns]
        if missing:
            raise DirectoryError("not_found", f"no account {', '.join(missing)}: make it first, with directory_user")
        attributes = [*_NUMBERS.values(), _COMPLEXITY, _APPLIES, *(attribute for attribute, _ in _INTERVALS.values())]
        entry = directory.read(self._dn, attributes)
        logins = tuple(sorted(login.lower() for login in self._logins))
        wanted: dict[str, Attributes | None] = {self._name: {**self._wanted, "logins": logins}}
        return plan({self._name: self._got(entry)} if entry else {}, wanted)

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        if change.action == "create":
            stored = dict(self._stored(name, value) for name, value in {**self._wanted, **change.after}.items())
            stored["objectClass"] = [b"msDS-PasswordSettings"]
            stored["msDS-PasswordReversibleEncryptionEnabled"] = [b"FALSE"]
            directory.add(self._dn, stored)
            return
        operations: list[Operation] = [("replace", *self._stored(name, value)) for name, value in change.after.items()]
        directory.modify(self._dn, operations)

    def _found(self, directory: DirectoryPort) -> dict[str, str]:
        condition = names.any_of(names.equals("sAMAccountName", login) for login in self._logins)
        entries = directory.search(self._base, condition, ["sAMAccountName"]) if self._logins else []
        return {(entry.text("samaccountname") or "").lower(): entry.dn for entry in entries}

    def _got(self, entry: Entry) -> Attributes:
        got: dict[str, Value] = {name: entry.number(attribute.lower()) for name, attribute in _NUMBERS.items()}
        for name, (attribute, unit) in _INTERVALS.items():
            got[name] = interval(entry.number(attribute.lower()), unit)
        got["complexity"] = entry.text(_COMPLEXITY.lower()) == "TRUE"
        known = {names.normalised(dn): login for login, dn in self._dns.items()}
        # Whoever else it applies to is shown by DN, and taken out.
        applies = (known.get(names.normalised(dn), dn) for dn in entry.texts(_APPLIES.lower()))
        got["logins"] = tuple(sorted(applies))
        return got

    def _stored(self, name: str, value: Value) -> tuple[str, list[bytes]]:
        if name == "logins":
            logins = value if isinstance(value, tuple) else ()
            return _APPLIES, [self._dns[login].encode() for login in logins]
        if name == "complexity":
            return _COMPLEXITY, [b"TRUE" if value else b"FALSE"]
        number = int(str(value or 0))
        if name in _NUMBERS:
            return _NUMBERS[name], [str(number).encode()]
        attribute, unit = _INTERVALS[name]
        never = name == "max_password_age_days" and number == 0
        return attribute, [str(INTERVAL_NEVER if never else -number * unit).encode()]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The domain's password and lockout policy, which lives on the head object of the domain [MS-ADTS 6.1.1.4.1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.plan import Change, Plan, Value, plan
from .filetime import INTERVAL_NEVER, TICKS_PER_DAY, TICKS_PER_MINUTE, interval
from .port import DirectoryPort, Entry
from .server import DirectoryError

# option -> attribute
_NUMBERS = {
    "min_password_length": "minPwdLength",
    "password_history": "pwdHistoryLength",
    "lockout_threshold": "lockoutThreshold",
}
# option -> attribute and the option's unit in ticks; stored as negative intervals
_INTERVALS = {
    "max_password_age_days": ("maxPwdAge", TICKS_PER_DAY),
    "min_password_age_days": ("minPwdAge", TICKS_PER_DAY),
    "lockout_minutes": ("lockoutDuration", TICKS_PER_MINUTE),
    "lockout_window_minutes": ("lockOutObservationWindow", TICKS_PER_MINUTE),
}
_COMPLEXITY = 0x1  # in pwdProperties [MS-ADTS 2.2.18]
_RANGES = {
    "min_password_length": (0, 255),
    "password_history": (0, 1024),
    "max_password_age_days": (0, 9999),
    "min_password_age_days": (0, 9998),
    "lockout_threshold": (0, 65535),
    "lockout_minutes": (1, 99999),
    "lockout_window_minutes": (1, 99999),
}


class PolicyTask:
    """The policy as the options of directory_policy describe it."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._base: str = params["base"]
        names = [*_RANGES, "complexity"]
        self._wanted: dict[str, Value] = {name: params[name] for name in names if params[name] is not None}
        self._properties = 0

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        for name, (low, high) in _RANGES.items():
            value = self._wanted.get(name)
            if value is not None and not low <= int(str(value)) <= high:
                raise DirectoryError("rejected", f"{name} is {value}: choose {low} to {high}")
        attributes = [*_NUMBERS.values(), "pwdProperties", *(attribute for attribute, _ in _INTERVALS.values())]
        head = directory.read(self._base, attributes)
        if head is None:
            raise DirectoryError(
                "not_found", f"{self._base} is no domain of this server: write base like DC=example,DC=org"
            )
        self._properties = head.number("pwdproperties")
        got = _got(head)
        _refuse_contradictions({**got, **self._wanted})
        return plan({self._base: got}, {self._base: self._wanted})

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        directory.modify(self._base, [("replace", *self._stored(name, value)) for name, value in change.after.items()])

    def _stored(self, name: str, value: Value) -> tuple[str, list[bytes]]:
        if name == "complexity":
            properties = self._properties & ~_COMPLEXITY
            return "pwdProperties", [str(properties | _COMPLEXITY if value else properties).encode()]
        number = int(str(value))
        if name in _NUMBERS:
            return _NUMBERS[name], [str(number).encode()]
        attribute, unit = _INTERVALS[name]
        # Only for the highest age is 0 days "never"; a lowest age of 0 is no interval at all.
        never = name == "max_password_age_days" and number == 0
        return attribute, [str(INTERVAL_NEVER if never else -number * unit).encode()]


def _got(head: Entry) -> dict[str, Value]:
    got: dict[str, Value] = {name: head.number(attribute.lower()) for name, attribute in _NUMBERS.items()}
    for name, (attribute, unit) in _INTERVALS.items():
        got[name] = interval(head.number(attribute.lower()), unit)
    got["complexity"] = bool(head.number("pwdproperties") & _COMPLEXITY)
    return got


def _refuse_contradictions(policy: Mapping[str, Value]) -> None:
    highest, lowest = int(str(policy["max_password_age_days"])), int(str(policy["min_password_age_days"]))
    if 0 < highest <= lowest:
        cure = "raise it, or set it to 0 for never"
        message = f"max_password_age_days {highest} must be more than min_password_age_days {lowest}: {cure}"
        raise DirectoryError("rejected", message)
    locked, window = int(str(policy["lockout_minutes"])), int(str(policy["lockout_window_minutes"]))
    if 0 < locked < window:
        message = f"lockout_minutes {locked} can't be less than lockout_window_minutes {window}: raise it"
        raise DirectoryError("rejected", message)

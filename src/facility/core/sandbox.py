# SPDX-License-Identifier: GPL-3.0-or-later
"""How systemd locks a unit in: one list for all units, and each unit's exceptions from it.

Meanings are in systemd.exec(5), systemd.resource-control(5). All of it is known to systemd 252, Debian 12's.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Value = bool | str | Sequence[str] | Sequence[Sequence[str]]
"""True or false; a word; a list, which is one line; a list of lists, a line each, for a directive that is repeated."""

SANDBOX: Mapping[str, Value] = {
    "CapabilityBoundingSet": [],
    "NoNewPrivileges": True,
    "ProtectSystem": "strict",
    "ProtectHome": True,
    "PrivateTmp": True,
    "PrivateDevices": True,
    "ProtectClock": True,
    "ProtectControlGroups": True,
    "ProtectHostname": True,
    "ProtectKernelLogs": True,
    "ProtectKernelModules": True,
    "ProtectKernelTunables": True,
    "RestrictAddressFamilies": ["AF_UNIX", "AF_INET", "AF_INET6"],
    "RestrictNamespaces": True,
    "RestrictRealtime": True,
    "RestrictSUIDSGID": True,
    "LockPersonality": True,
    "MemoryDenyWriteExecute": True,
    "SystemCallArchitectures": ["native"],
    "SystemCallFilter": ["@system-service"],
}
"""What every unit gets that doesn't say otherwise."""


class SandboxError(Exception):
    """A unit's exceptions can't be used; the message names the directive and the cure."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a directive takes.

    Attributes:
        switch: true and false.
        words: one of these words.
        items: a list, or a list of lists.
        empty: the list may be empty, which says something: of capabilities, none.
    """

    switch: bool = False
    words: frozenset[str] = frozenset()
    items: bool = False
    empty: bool = False

    def wanted(self) -> str:
        """What it takes, for messages."""
        some = ["true or false"] * self.switch + [f'"{word}"' for word in sorted(self.words)[:4]]
        return " or ".join(some + ["a list of texts, each without spaces"] * self.items)


_SWITCH = Kind(switch=True)
_LIST = Kind(items=True)
_CAPABILITIES = Kind(items=True, empty=True)

DIRECTIVES: Mapping[str, Kind] = {
    "AmbientCapabilities": _CAPABILITIES,
    "BindPaths": _LIST,
    "BindReadOnlyPaths": _LIST,
    "CapabilityBoundingSet": _CAPABILITIES,
    "DeviceAllow": _LIST,
    "DevicePolicy": Kind(words=frozenset({"auto", "closed", "strict"})),
    "ExecPaths": _LIST,
    "IPAddressAllow": _LIST,
    "IPAddressDeny": _LIST,
    "InaccessiblePaths": _LIST,
    "KeyringMode": Kind(words=frozenset({"inherit", "private", "shared"})),
    "LockPersonality": _SWITCH,
    "MemoryDenyWriteExecute": _SWITCH,
    "NoExecPaths": _LIST,
    "NoNewPrivileges": _SWITCH,
    "PrivateDevices": _SWITCH,
    "PrivateIPC": _SWITCH,
    "PrivateMounts": _SWITCH,
    "PrivateNetwork": _SWITCH,
    "PrivateTmp": _SWITCH,
    "PrivateUsers": _SWITCH,
    "ProcSubset": Kind(words=frozenset({"all", "pid"})),
    "ProtectClock": _SWITCH,
    "ProtectControlGroups": _SWITCH,
    "ProtectHome": Kind(switch=True, words=frozenset({"read-only", "tmpfs"})),
    "ProtectHostname": _SWITCH,
    "ProtectKernelLogs": _SWITCH,
    "ProtectKernelModules": _SWITCH,
    "ProtectKernelTunables": _SWITCH,
    "ProtectProc": Kind(words=frozenset({"default", "invisible", "noaccess", "ptraceable"})),
    "ProtectSystem": Kind(switch=True, words=frozenset({"full", "strict"})),
    "ReadOnlyPaths": _LIST,
    "ReadWritePaths": _LIST,
    "RemoveIPC": _SWITCH,
    "RestrictAddressFamilies": _LIST,
    "RestrictFileSystems": _LIST,
    "RestrictNamespaces": Kind(switch=True, items=True),
    "RestrictRealtime": _SWITCH,
    "RestrictSUIDSGID": _SWITCH,
    "SystemCallArchitectures": _LIST,
    "SystemCallErrorNumber": Kind(words=frozenset(errno.errorcode.values())),
    "SystemCallFilter": _LIST,
    "TemporaryFileSystem": _LIST,
}
"""Every directive that a unit may have of this kind, and what it takes."""

_TEXT = re.compile(r"""[^\s"'\\]+""")


def sandbox(exceptions: Mapping[str, object]) -> str:
    """A unit's directives: the list, changed by the unit's exceptions, then what the unit adds.

    Args:
        exceptions: By a directive's name what the unit has in place of the list's value, or besides it, as in Value.
            None leaves a directive of the list out, and systemd's own default holds.

    Returns:
        Lines of a unit's section [Service], without a newline at the end.

    Raises:
        SandboxError: for an unknown directive, a value that it doesn't take, or a directive left out that isn't in the
            list.
    """
    if not isinstance(exceptions, Mapping):
        raise SandboxError(f"a unit's exceptions are a mapping of directives to values, not {exceptions!r}")
    for name, value in exceptions.items():
        _check(name, value)
    wanted = {**SANDBOX, **exceptions}
    return "\n".join(line for name, value in wanted.items() if value is not None for line in _lines(name, value))


def _check(name: str, value: object) -> None:
    kind = DIRECTIVES.get(name)
    if kind is None:
        near = get_close_matches(str(name), DIRECTIVES, n=1)
        raise SandboxError(
            f"{name} is no directive that a sandbox knows: "
            + (f"write {near[0]}" if near else "put it into the unit itself, or add it to core/sandbox.py")
        )
    if value is None:
        if name not in SANDBOX:
            raise SandboxError(f"{name} is not in the list of core/sandbox.py, so it can't be left out: remove it")
    elif not _fits(kind, value):
        raise SandboxError(f"{name} can't be {value!r}: write {kind.wanted()}")


def _fits(kind: Kind, value: object) -> bool:
    if isinstance(value, bool):
        return kind.switch
    if isinstance(value, str):
        return value in kind.words
    if not kind.items or not isinstance(value, Sequence):
        return False
    lines = _split(value)
    return (bool(value) or kind.empty) and all(
        (bool(line) or line is value) and all(isinstance(text, str) and _TEXT.fullmatch(text) for text in line)
        for line in lines
    )


def _split(value: Sequence[object]) -> list[Sequence[object]]:
    """The lines of a list: itself, or each of its lists."""
    if value and all(isinstance(line, Sequence) and not isinstance(line, str) for line in value):
        return [line for line in value if isinstance(line, Sequence)]
    return [value]


def _lines(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"{name}={str(value).lower()}"]
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [f"{name}={value}"]
    return [f"{name}={' '.join(map(str, line))}" for line in _split(value)]

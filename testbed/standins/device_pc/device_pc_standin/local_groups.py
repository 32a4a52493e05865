# SPDX-License-Identifier: GPL-3.0-or-later
"""The PC's local groups Users and Administrators and the accounts of its domain, as Windows keeps and changes them.

What wine/adsi.c and wine/wmi.c ask: members, add, remove, is-member, account. Windows' codes come from Microsoft's list
of system error codes.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from .answers import Answer, Call
from .drive import STATE
from .wine import computer_name

FILE = STATE / "local-groups.json"
DOMAIN_FILE = STATE / "domain"
USERS, ADMINISTRATORS = "S-1-5-32-545", "S-1-5-32-544"
NONE_MAPPED, NO_SUCH_MEMBER, IN_ALIAS, NOT_IN_ALIAS = 1332, 1387, 1378, 1377
NO_SUCH_GROUP, TRUST_BROKEN, LOGON_NOT_GRANTED, INVALID_NAME = 2220, 1789, 1385, 123
AUTHENTICATED_USERS, INTERACTIVE = "S-1-5-11", "S-1-5-4"
_MACHINE = "S-1-5-21-1004336348-1177238915-682003330"
_NAMES = {
    "de": {
        USERS: ("VORDEFINIERT", "Benutzer"),
        ADMINISTRATORS: ("VORDEFINIERT", "Administratoren"),
        INTERACTIVE: ("NT-AUTORITÄT", "INTERAKTIV"),
        "S-1-5-6": ("NT-AUTORITÄT", "DIENST"),
        AUTHENTICATED_USERS: ("NT-AUTORITÄT", "Authentifizierte Benutzer"),
        "S-1-5-19": ("NT-AUTORITÄT", "LOKALER DIENST"),
        "S-1-5-20": ("NT-AUTORITÄT", "NETZWERKDIENST"),
    },
    "en": {
        USERS: ("BUILTIN", "Users"),
        ADMINISTRATORS: ("BUILTIN", "Administrators"),
        INTERACTIVE: ("NT AUTHORITY", "INTERACTIVE"),
        "S-1-5-6": ("NT AUTHORITY", "SERVICE"),
        AUTHENTICATED_USERS: ("NT AUTHORITY", "Authenticated Users"),
        "S-1-5-19": ("NT AUTHORITY", "LOCAL SERVICE"),
        "S-1-5-20": ("NT AUTHORITY", "NETWORK SERVICE"),
    },
}
_SID = re.compile(r"S-1(?:-\d+){2,16}")


@dataclass
class LocalGroups:
    r"""What the PC knows.

    Attributes:
        language: de or en, in which Windows was installed.
        domain: DNS name of the domain that the PC belongs to; empty for a workgroup.
        netbios: the domain's short name.
        trust: whether a domain controller answers the PC; else nobody there is known.
        accounts: names of the domain's accounts by SID.
        local: names of the PC's own accounts by SID.
        users: SIDs of the members of Users.
        administrators: SIDs of the members of Administrators.
        policy: SIDs that a group policy puts into Users after each change, alone; None without such a policy.
        people: SIDs of the groups of the domain that somebody is in, by DOMAIN\login. Who isn't named may log on.
    """

    language: str = "de"
    domain: str = ""
    netbios: str = "IMAGING"
    trust: bool = True
    accounts: dict[str, str] = field(default_factory=dict)
    local: dict[str, str] = field(default_factory=lambda: {f"{_MACHINE}-500": "Administrator"})
    users: list[str] = field(default_factory=lambda: [INTERACTIVE, AUTHENTICATED_USERS])
    administrators: list[str] = field(default_factory=lambda: [f"{_MACHINE}-500"])
    policy: list[str] | None = None
    people: dict[str, list[str]] = field(default_factory=dict)

    def named(self, sid: str) -> tuple[str, str] | None:
        """Return domain and name of an account, as LookupAccountSid does; None when nobody knows it."""
        if sid in _NAMES[self.language]:
            return _NAMES[self.language][sid]
        if sid in self.local:
            return computer_name(), self.local[sid]
        if sid in self.accounts and self.domain and self.trust:
            return self.netbios, self.accounts[sid]
        return None

    def group(self, name: str) -> list[str] | None:
        """Return the members of a local group, by its name in the PC's language; None when there is none."""
        names = {_NAMES[self.language][sid][1].casefold(): sid for sid in (USERS, ADMINISTRATORS)}
        return {USERS: self.users, ADMINISTRATORS: self.administrators, "": None}[names.get(name.casefold(), "")]

    def may_log_on(self, user: str) -> bool:
        """Return whether Windows lets somebody log on: Users and Administrators have the right to."""
        if user not in self.people:
            return True
        token = {*self.people[user], AUTHENTICATED_USERS, INTERACTIVE}
        return bool(token & {*self.users, *self.administrators})


def read(file: Path = FILE) -> LocalGroups:
    """Return what the PC knows; what the file leaves out is as after Windows' installation."""
    return given(json.loads(file.read_text()) if file.exists() else {})


def given(values: Mapping[str, object]) -> LocalGroups:
    """Return what a mapping says.

    Raises:
        ValueError: for a name that nobody knows.
    """
    unknown = set(values) - {one.name for one in fields(LocalGroups)}
    if unknown:
        raise ValueError(f"not known: {', '.join(sorted(unknown))}")
    return LocalGroups(**values)  # type: ignore[arg-type]


def write(groups: LocalGroups, file: Path = FILE) -> None:
    """Keep what the PC knows."""
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(asdict(groups), indent=1))
    new.rename(file)
    # Of a library of ours, which reads no JSON.
    file.with_name(DOMAIN_FILE.name).write_text(groups.domain + "\n")


def run(call: Call, file: Path = FILE) -> Answer:
    """Do what a library asks for: ``members GROUP``, ``add GROUP PATH``, ``account SID`` and so on."""
    verb, name, path = (*call.arguments, "", "", "")[:3]
    groups = read(file)
    if verb == "account":
        return _account(groups, name)
    members = groups.group(name)
    if members is None:
        return Answer(NO_SUCH_GROUP)
    if verb == "members":
        return Answer(out="".join(_line(groups, sid) for sid in members))
    sid = path.removeprefix("WinNT://")
    if not path.startswith("WinNT://") or not _SID.fullmatch(sid):
        # Windows takes names, too; nothing here gives it any.
        return Answer(INVALID_NAME)
    if verb == "is-member":
        return Answer(out="yes" if sid in members else "no")
    answer = _change(groups, members, verb, sid)
    if not answer.code:
        write(groups, file)
    return answer


def _account(groups: LocalGroups, sid: str) -> Answer:
    found = groups.named(sid)
    if found is not None:
        return Answer(out="\t".join(found))
    broken = groups.domain and not groups.trust and sid in groups.accounts
    return Answer(TRUST_BROKEN if broken else NONE_MAPPED)


def _change(groups: LocalGroups, members: list[str], verb: str, sid: str) -> Answer:
    if verb == "add":
        if sid in members:
            return Answer(IN_ALIAS)
        if groups.named(sid) is None:
            return Answer(NO_SUCH_MEMBER)
        members.append(sid)
    else:
        if sid not in members:
            return Answer(NOT_IN_ALIAS)
        members.remove(sid)
    if groups.policy is not None:
        groups.users[:] = groups.policy
    return Answer()


def _line(groups: LocalGroups, sid: str) -> str:
    """A member as ADSI enumerates it: one that nobody knows has its SID for a name."""
    domain, name = groups.named(sid) or ("", sid)
    # Local accounts come with the domain or workgroup before the PC's name.
    above = f"{groups.netbios if groups.domain else 'WORKGROUP'}/" if domain == computer_name() else ""
    path = f"WinNT://{above}{domain}/{name}" if domain else f"WinNT://{sid}"
    return "\t".join((name, path, "User" if sid in groups.local else "Group", _bytes(sid).hex())) + "\n"


def _bytes(sid: str) -> bytes:
    authority, *parts = map(int, sid.split("-")[2:])
    head = bytes([1, len(parts)]) + authority.to_bytes(6, "big")
    return head + b"".join(part.to_bytes(4, "little") for part in parts)

# SPDX-License-Identifier: GPL-3.0-or-later
"""PCs and what should become of their log-on: the cases that the PC in memory and Wine's must both pass."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from facility.device_pc.logon import fleet
from facility.device_pc.logon.options import wishes
from facility.device_pc.trouble import Endpoint
from facility.device_pc.winrm import Answer, DevicePc
from testbed.standins.device_pc.device_pc_standin import local_groups
from testbed.standins.device_pc.device_pc_standin.answers import Call, split
from testbed.standins.device_pc.device_pc_standin.local_groups import LocalGroups

DOMAIN = "S-1-5-21-3623811015-3361044348-30300820"
MACHINE = "S-1-5-21-1004336348-1177238915-682003330"
INSTRUMENT, STAFF, OLD = f"{DOMAIN}-1101", f"{DOMAIN}-1102", f"{DOMAIN}-1199"
DOMAIN_USERS, DOMAIN_ADMINS = f"{DOMAIN}-513", f"{DOMAIN}-512"
EVERYBODY = ["S-1-5-4", "S-1-5-11", DOMAIN_USERS]
SERVICES = ["S-1-5-6", "S-1-5-19", "S-1-5-20"]
ZEISS, GONE = f"{MACHINE}-1003", f"{DOMAIN}-4711"
ONLY_THEY = {INSTRUMENT, STAFF, DOMAIN_ADMINS, *SERVICES}
_SIDS = {"instrument-confocal-1": INSTRUMENT, "facility-staff": STAFF}
PARAMS: dict[str, Any] = {
    "group": "instrument-confocal-1",
    "state": "present",
    "staff": ["facility-staff"],
    "sids": _SIDS,
    "keep": [],
    "remove": [],
}


def joined(**changes: Any) -> LocalGroups:
    """A PC as Windows is after it joined the facility's domain."""
    known = {
        INSTRUMENT: "instrument-confocal-1",
        STAFF: "facility-staff",
        DOMAIN_USERS: "Domänen-Benutzer",
        DOMAIN_ADMINS: "Domänen-Admins",
    }
    groups = LocalGroups(
        domain="imaging.example.org",
        accounts=known,
        local={f"{MACHINE}-500": "Administrator", ZEISS: "zeiss"},
        users=list(EVERYBODY),
        administrators=[f"{MACHINE}-500", DOMAIN_ADMINS],
    )
    return replace(groups, **changes)


@dataclass(frozen=True)
class Case:
    """A PC, what is wanted of it, and what should be.

    Attributes:
        before: what the PC knows.
        after: SIDs in Users at the end; None: as before.
        params: what differs from PARAMS.
        told: what the problems say, a pattern each, in order.
    """

    before: LocalGroups
    after: set[str] | None
    params: Mapping[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "a German PC lets in only the instrument's people and staff": Case(joined(), ONLY_THEY),
    "an English PC lets in only the instrument's people and staff": Case(joined(language="en"), ONLY_THEY),
    "a PC in a workgroup stays as it is": Case(joined(domain=""), None, told=("workgroup",)),
    "a PC with a broken trust stays as it is": Case(joined(trust=False), None, told=("trust is broken",)),
    "a group that the domain does not know yet takes nothing from anybody": Case(
        joined(accounts={STAFF: "facility-staff", DOMAIN_USERS: "Domain Users"}),
        None,
        told=("does not know instrument-confocal-1",),
    ),
    "a group that the directory does not have takes nothing from anybody": Case(
        joined(),
        None,
        {"sids": {"facility-staff": STAFF}},
        ("the directory has no group instrument-confocal-1",),
    ),
    "a PC on which everybody is an administrator stays as it is": Case(
        joined(administrators=[f"{MACHINE}-500", DOMAIN_USERS]), None, told=("everybody is an administrator there",)
    ),
    "a PC without an instrument stays as it is": Case(joined(), None, {"group": ""}, ("no instrument belongs",)),
    "a group that was renamed in the domain is the same": Case(
        joined(accounts={**joined().accounts, INSTRUMENT: "Konfokal (Raum 3)"}), ONLY_THEY
    ),
    "an administrator who is gone from the domain is passed over": Case(
        joined(administrators=[f"{MACHINE}-500", DOMAIN_ADMINS, GONE]), ONLY_THEY
    ),
    "a local account stays and is told": Case(
        joined(users=[*EVERYBODY, ZEISS]), {*ONLY_THEY, ZEISS}, told=(r"\\zeiss may log on as well",)
    ),
    "a local account that is meant is told no more": Case(
        joined(users=[*EVERYBODY, ZEISS]), {*ONLY_THEY, ZEISS}, {"keep": ["zeiss"]}
    ),
    "a local account that is listed goes": Case(joined(users=[*EVERYBODY, ZEISS]), ONLY_THEY, {"remove": ["zeiss"]}),
    "an account that is gone from the domain is told by its SID": Case(
        joined(users=[*EVERYBODY, GONE]), {*ONLY_THEY, GONE}, told=(f"{GONE} may log on as well",)
    ),
    "an account that is gone from the domain goes by its SID": Case(
        joined(users=[*EVERYBODY, GONE]), ONLY_THEY, {"remove": [GONE]}
    ),
    "a local administrator is in Users by Windows' own doing and is not told": Case(
        joined(users=[*EVERYBODY, ZEISS], administrators=[f"{MACHINE}-500", DOMAIN_ADMINS, ZEISS]), {*ONLY_THEY, ZEISS}
    ),
    "the group of the PC's former instrument goes": Case(
        joined(users=[*EVERYBODY, OLD]), ONLY_THEY, {"sids": {**_SIDS, "instrument-sted": OLD}}
    ),
    "the instrument's own group stays although it was there before": Case(
        joined(users=[INSTRUMENT, "S-1-5-11"]), ONLY_THEY
    ),
    "a group policy that lets everybody in again is told": Case(
        joined(policy=list(EVERYBODY)),
        None,
        told=("does a group policy of the domain change it back.* Nobody was taken",),
    ),
    "a group policy that keeps everybody in is told": Case(
        joined(users=[*sorted(ONLY_THEY), *EVERYBODY], policy=[*sorted(ONLY_THEY), *EVERYBODY]),
        None,
        told=(r"not put right: .*Domänen-Benutzer.*does a group policy of the domain change it back",),
    ),
    "the way back lets everybody of the domain in again": Case(
        joined(users=[*sorted(ONLY_THEY), ZEISS]), {*EVERYBODY, ZEISS}, {"state": "absent"}
    ),
    "the way back is open when the instrument is no more": Case(
        joined(users=[STAFF, *SERVICES]), set(EVERYBODY), {"state": "absent", "group": ""}
    ),
    "a PC that was never restricted has no way to go back": Case(joined(), None, {"state": "absent"}),
}


def check(case: Case, read: Callable[[], LocalGroups], script: bytes, connection: Mapping[str, Any]) -> None:
    """Look ahead, do it, do it again; assert that each says and leaves what it should."""
    params = {**PARAMS, **case.params, **connection}
    wanted = wishes(params)
    after = set(case.before.users) if case.after is None else case.after

    def done(*, check_mode: bool = False) -> dict[str, Any]:
        return fleet.converge([params], script, wanted, 4, check_mode=check_mode)

    ahead = done(check_mode=True)
    assert set(read().users) == set(case.before.users), "looking ahead changes nothing"
    first = done()
    assert set(read().users) == after
    assert read().administrators == case.before.administrators
    _assert_told(first, case.told)
    assert first["changed"] == (after != set(case.before.users))
    if case.before.policy is None:
        assert ahead["diff"] == first["diff"]
        assert ahead["changed"] == first["changed"]
        _assert_told(ahead, case.told)
    again = done()
    assert not again["changed"], "a second run changes nothing"
    _assert_told(again, case.told)


def _assert_told(result: Mapping[str, Any], patterns: tuple[str, ...]) -> None:
    problems = result["problems"]
    assert len(problems) == len(patterns), problems
    for problem, pattern in zip(problems, patterns, strict=True):
        assert re.search(pattern, problem), problem


class FakeLogonPc(DevicePc):
    """A PC in memory that runs the script as its comments say; it keeps its groups in a file.

    Attributes:
        calls: the script's arguments, call by call.
        answer: what it says instead of the truth, where a test wants it to.
    """

    def __init__(self, file: Path, script: bytes, endpoint: Endpoint) -> None:
        self.file, self.script, self.endpoint = file, script, endpoint
        self.calls: list[list[str]] = []
        self.answer: Callable[[str], str] = str

    def run(self, command: str, stdin: bytes = b"", seconds: float = 60) -> Answer:
        assert stdin == self.script
        match = re.search(r'cscript //Nologo //E:JScript "[^"]+" (.*?) & rmdir ', command)
        assert match, command
        self.calls.append(match[1].split())
        return Answer(0, self.answer(self._answered(match[1].split())), "")

    def close(self) -> None:
        """There is no shell."""

    def _answered(self, arguments: list[str]) -> str:
        groups = local_groups.read(self.file)
        users, administrators = (_name(groups, sid) for sid in _GROUPS)
        lines = []
        for argument in arguments:
            verb = {"+": "add", "-": "remove"}.get(argument[0])
            code = self._ask(f'{verb} "{users}" "WinNT://{argument[1:]}"').code if verb else 0
            if code not in {0, local_groups.IN_ALIAS, local_groups.NOT_IN_ALIAS}:
                lines.append(f"@failed {argument[1:]} {0x80070000 + code:x}")
        lines.append(f"@domain - {groups.domain}")
        for kind, name in (("users", users), ("administrators", administrators)):
            for line in self._ask(f'members "{name}"').out.splitlines():
                _, path, _, sid = line.split("\t")
                lines.append(f"@{kind} {base64.b64encode(bytes.fromhex(sid)).decode()} {escaped(path)}")
        for argument in arguments:
            found = self._ask(f'account "{argument[1:]}"').out if argument[0] == "?" else ""
            if found:
                lines.append(f"@known {argument[1:]} {escaped(found.replace(chr(9), chr(92)))}")
        return "".join(f"{line}\r\n" for line in [*lines, "@end - -"])

    def _ask(self, line: str) -> Any:
        return local_groups.run(Call("C:\\", split(f"adsi {line}")[1:]), self.file)


_GROUPS = (local_groups.USERS, local_groups.ADMINISTRATORS)


def _name(groups: LocalGroups, sid: str) -> str:
    named = groups.named(sid)
    assert named
    return named[1]


def escaped(text: str) -> str:
    """What JScript's escape() makes of a text."""
    units = [int.from_bytes(text.encode("utf-16-le")[at : at + 2], "little") for at in range(0, _size(text), 2)]
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@*_+-./"
    return "".join(
        chr(unit) if unit < 128 and chr(unit) in plain else f"%u{unit:04X}" if unit > 255 else f"%{unit:02X}"
        for unit in units
    )


def as_json(groups: LocalGroups) -> str:
    """What ``device-pc groups --put`` takes."""
    return json.dumps(asdict(groups))


def _size(text: str) -> int:
    return len(text.encode("utf-16-le"))

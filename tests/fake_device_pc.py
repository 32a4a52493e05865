# SPDX-License-Identifier: GPL-3.0-or-later
"""A device PC in memory that understands exactly the commands that the agent's deployment sends; others are refused."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facility.device_pc.agent import agent
from facility.device_pc.agent.options import wish
from facility.device_pc.agent.pc import ask, converge
from facility.device_pc.command import Scratch
from facility.device_pc.trouble import Endpoint, Kind, WinrmError
from facility.device_pc.winrm import Answer, DevicePc

MEMBER = {"M": "0x1301bf", "RX": "0x1200a9", "R": "FR", "F": "FA"}
SHORT = {"S-1-5-18": "SY", "S-1-5-32-544": "BA", "S-1-5-19": "LS"}


_KEY = re.compile(r"%ProgramFiles%\\Facility-run-([0-9a-f]{32})")


def is_question(command: str) -> bool:
    """Whether this is the one question, with whatever folder of its own."""
    key = _KEY.search(command)
    return key is not None and command == agent.question(Scratch(key[1]))


class FakePc(DevicePc):
    """Files, access lists and a task; `commands` is what it was told, `broken_after` cuts the line after so many."""

    def __init__(self, *, vbscript: bool = True, jscript: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        self.access: dict[str, str] = {}
        self.task: str | None = None
        self.engines = {"vbscript": vbscript, "jscript": jscript}
        self.commands: list[str] = []
        self.broken_after: int | None = None
        self.full = False
        self.clock_difference = 0.0
        self.endpoint = Endpoint("mic1.example.org", username="admin", password="pw")

    def run(self, command: str, stdin: bytes = b"", seconds: float = 60) -> Answer:
        if self.broken_after is not None and len(self.commands) >= self.broken_after:
            raise WinrmError(Kind.UNREACHABLE, "cut")
        self.commands.append(command)
        if is_question(command):
            return Answer(0, self._answer(), "")
        for part in re.split(r" && | & (?=mkdir)", command):
            status, output = self._do(part.strip(), stdin)
            if status:
                return Answer(status, output, "Zugriff verweigert")
        return Answer(0, output, "")

    def name(self, path: str) -> str:
        inner = path.removeprefix(agent.FOLDER)
        return (inner.lstrip("\\").lower() if inner != path else path) or "folder"

    def _do(self, part: str, stdin: bytes) -> tuple[int, str]:  # noqa: PLR0912
        if found := re.fullmatch(r'\(echo ([A-Za-z0-9+/=]*)\)(>>?)"(.*)"', part):
            before = self.files.get(self.name(found[3]), b"") if found[2] == ">>" else b""
            self.files[self.name(found[3])] = before + found[1].encode() + b"\r\n"
        elif found := re.fullmatch(r'findstr "\^" >"(.*)"', part):
            self.files[self.name(found[1])] = stdin
        elif found := re.fullmatch(r'certutil -f -decode "(.*)" "(.*)" >nul', part):
            if self.full:
                return 1, ""
            self.files[self.name(found[2])] = base64.b64decode(self.files[self.name(found[1])])
        elif found := re.fullmatch(r'certutil -hashfile "(.*)" SHA256', part):
            return 0, self._hash(self.name(found[1]))
        elif found := re.fullmatch(r'mkdir "(.*)"', part):
            if found[1] in self.access:
                return 1, ""
            self.access[found[1]] = "D:AI(A;OICIID;0x1200a9;;;BU)"
        elif found := re.fullmatch(r'rmdir /s /q "(.*)"', part):
            self._remove(lambda name: name.startswith(found[1]))
        elif part.startswith("(cd /d") and "rmdir" in part:
            self._remove(lambda name: "Facility-run-" in name)
        elif found := re.fullmatch(r'move /y "(.*)" "(.*)" >nul', part):
            self.files[self.name(found[2])] = self.files.pop(self.name(found[1]))
            self.access[self.name(found[2])] = self.access.pop(self.name(found[1]), "D:AI")
        elif found := re.fullmatch(r'\(if not exist "(.*)\\" mkdir "(.*)"\)', part):
            self.access.setdefault("folder", "D:AI(A;OICIID;FA;;;BU)")
        elif found := re.fullmatch(r'icacls "(.*)" /reset /q >nul', part):
            self.access[self.name(found[1])] = "D:AI"
        elif found := re.fullmatch(r'icacls "(.*)" /inheritance:r /grant:r (.*) /q >nul', part):
            grants = re.findall(r"\*([\d\w-]+):(\(OI\)\(CI\))?(\w+)", found[2])
            aces = "".join(f"(A;{'OICI' * bool(down)};{MEMBER[right]};;;{SHORT[who]})" for who, down, right in grants)
            self.access[self.name(found[1])] = f"D:PAI{aces}"
        elif found := re.fullmatch(r'schtasks /create /tn "(.*)" /xml "(.*)" /f >nul', part):
            self.task = self.files[self.name(found[2])].decode("utf-16")
        elif part.startswith("reg add HKLM"):
            pass
        elif part.startswith("(schtasks /query"):
            self.task = None
        elif part.startswith(("del /q", "(if exist")):
            for path in re.findall(r'del (?:/f )?/q ((?:"[^"]*" ?)+)', part):
                for single in re.findall(r'"([^"]*)"', path):
                    self.files.pop(self.name(single), None)
            if "rmdir" in part:
                self.files.clear()
        else:
            raise AssertionError(f"a command that nobody thought of: {part}")
        return 0, ""

    def _remove(self, gone: Callable[[str], bool]) -> None:
        for things in (self.files, self.access):
            for name in [name for name in things if gone(name)]:
                del things[name]

    def _hash(self, name: str) -> str:
        digest = hashlib.sha256(self.files[name]).hexdigest()
        return f"SHA256-Hash von {name}:\r\n{digest}\r\nCertUtil: -hashfile-Befehl wurde erfolgreich ausgeführt.\r\n"

    def _answer(self) -> str:
        text = ""
        if agent.SETTINGS in self.files:
            text += "@settings\r\n" + self.files[agent.SETTINGS].decode()
        for name in (*agent.PROGRAMS.values(), agent.SETTINGS, agent.CODE):
            if name in self.files:
                text += f"@file {name}\r\n{self._hash(name)}"
        if "state.ini" in self.files:
            text += "\r\n@state\r\n" + self.files["state.ini"].decode()
        if "folder" in self.access:
            names = [name for name in self.access if name == "folder" or name in self.files]
            lines = [f"PPMS-Agent{'' if n == 'folder' else chr(92) + n}\r\n{self.access[n]}\r\n" for n in names]
            packed = base64.b64encode("".join(lines).encode("utf-16")).decode()
            text += f"\r\n@access\r\n-----BEGIN CERTIFICATE-----\r\n{packed}\r\n-----END CERTIFICATE-----\r\n"
        text += "\r\n@task\r\n" + (self.task or "")
        text += "\r\n@vbscript\r\n" + ("works\r\n" if self.engines["vbscript"] else "Skriptmodul nicht gefunden\r\n")
        if not self.engines["vbscript"]:
            text += "@jscript\r\n" + ("works\r\n" if self.engines["jscript"] else "")
        return text + "@end\r\n\r\n@shown\r\n"


def recorded_answer(params: Mapping[str, Any], programs: Path) -> bytes:
    """What a PC answers to the question on which the agent of these options is deployed, and has run.

    Args:
        params: options of ppms_agent.
        programs: the folder with the agent's twins.
    """
    pc = FakePc()
    converge(pc, wish(params, programs), check_mode=False)
    now = datetime.now(UTC)
    pc.files["state.ini"] = f"version=1.0\r\nlast_run={now:%Y-%m-%dT%H:%M:%SZ}\r\nlast_result=sent\r\n".encode()
    return ask(pc).encode()

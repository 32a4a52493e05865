# SPDX-License-Identifier: GPL-3.0-or-later
"""The PPMS agent of a device PC: how it should be, the one question that shows how it is, and the way between.

Knows no network. The agent lies under %ProgramFiles%, where users can't make a folder before us, which they may under
%ProgramData%.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.plan import Plan, Secret, State, Value, plan
from ..command import Scratch, hashes
from ..security_descriptor import saved
from ..task_scheduler import RepeatedTask, task_facts

FOLDER = r"%ProgramFiles%\PPMS-Agent"
TASK = r"\Facility\PPMS-Agent"
PROGRAMS = {"vbscript": "ppms-agent.vbs", "jscript": "ppms-agent.js"}
SETTINGS, CODE = "ppms-agent.ini", "tracker.code"
_ENGINE_NAMES = {"vbscript": "VBScript", "jscript": "JScript"}
# In icacls' letters: what LOCAL SERVICE, as which the agent runs, may do. It can't change its own program.
_GRANTS = {"folder": "M", **dict.fromkeys(PROGRAMS.values(), "RX"), SETTINGS: "R", CODE: "R"}
_IN_WORDS = {"M": "modify", "RX": "read and execute", "R": "read"}
_ACCESS = {
    name: ("Administrators: full", f"LOCAL SERVICE: {_IN_WORDS[right]}", "SYSTEM: full")
    for name, right in _GRANTS.items()
}

_MARK = re.compile(r"^@(settings|file|state|access|task|vbscript|jscript|end|shown|closed)\b[ \t]*(.*)$", re.MULTILINE)
_NUMBER = re.compile(r"-?\d{1,9}")


class AgentError(Exception):
    """The agent can't be as wanted, or a PC's answer makes no sense; the message names the cure."""


class AnswerError(AgentError):
    """A PC's answer makes no sense, or is not whole."""


@dataclass(frozen=True)
class Observed:
    """How a PC's agent is.

    Attributes:
        files: SHA-256 by file name, in lower case.
        settings: keys of ppms-agent.ini.
        task: facts of the task (task_scheduler.task_facts); None when there is none.
        access: entries by "folder" and by file name, "(protected)" marks left out; a list that inherits says so.
        state: what the agent wrote about its last run.
        engines: script engines that work.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    task: Mapping[str, str] | None = None
    access: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    engines: frozenset[str] = frozenset()

    @property
    def engine(self) -> str:
        """The engine whose agent is there; empty when none is."""
        return next((engine for engine, name in PROGRAMS.items() if name in self.files), "")

    def number(self, name: str) -> int:
        """A counter of the agent's state; 0 where it says nothing sensible."""
        value = self.state.get(name, "")
        return int(value) if _NUMBER.fullmatch(value) else 0


@dataclass(frozen=True)
class Wanted:
    """How an agent should be.

    Attributes:
        engine: vbscript or jscript.
        program: the agent for that engine.
        settings: keys of ppms-agent.ini, without those that are empty.
        code: the instrument's tracker code.
    """

    engine: str
    program: bytes
    settings: Mapping[str, str]
    code: str = field(repr=False)

    def files(self) -> dict[str, bytes]:
        """Content by file name."""
        lines = [
            "; Made by the facility's deployment (role device_pc). What is changed here by hand is changed back.",
            *(f"{key}={value}" for key, value in self.settings.items()),
        ]
        return {
            PROGRAMS[self.engine]: self.program,
            SETTINGS: "".join(f"{line}\r\n" for line in lines).encode("ascii"),
            CODE: f"{self.code}\r\n".encode("ascii"),
        }

    def task(self) -> RepeatedTask:
        """The task that runs it."""
        return RepeatedTask(
            command=r"%SystemRoot%\System32\wscript.exe",
            arguments=f'//B //Nologo //E:{_ENGINE_NAMES[self.engine]} "{FOLDER}\\{PROGRAMS[self.engine]}"',
            minutes=int(self.settings.get("interval_minutes", "1")),
            description="Reports to PPMS once a minute who uses this instrument. Belongs to the imaging facility.",
        )


def chosen_engine(wish: str, engines: frozenset[str], host: str) -> str:
    """Return the engine to use.

    Args:
        wish: auto, vbscript or jscript.
        engines: those that work on the PC.
        host: the PC, for messages.

    Raises:
        AgentError: when the one that is wished for, or both, don't work there.
    """
    if not engines:
        raise AgentError(
            f"{host}: neither VBScript nor JScript works there: allow Windows Script Host, which a policy may forbid"
        )
    if wish == "auto":
        return "vbscript" if "vbscript" in engines else "jscript"
    if wish not in engines:
        raise AgentError(
            f"{host}: {_ENGINE_NAMES[wish]} is off or was removed there: set engine: auto, or switch "
            "that feature of Windows on"
        )
    return wish


def question(scratch: Scratch) -> str:
    """Return the one line of cmd that shows how a PC's agent is; observed() reads the answer.

    In it no text of Windows is looked at, only our own marks, and what certutil, schtasks, icacls and the agent write
    for machines. WinRM hands out output as it comes, a request each time, so it is gathered in a file and shown at the
    end.

    Args:
        scratch: the run's folder; this line makes it and takes it away.
    """
    answer, lists, probe = scratch.file("answer.txt"), scratch.file("lists"), scratch.file("probe.txt")
    gathered = [
        f'(if exist "{FOLDER}\\{SETTINGS}" (echo @settings& type "{FOLDER}\\{SETTINGS}"))',
        *(
            f'(if exist "{FOLDER}\\{name}" (echo @file {name}& certutil -hashfile "{FOLDER}\\{name}" SHA256))'
            for name in (*PROGRAMS.values(), SETTINGS, CODE)
        ),
        f'(if exist "{FOLDER}\\state.ini" (echo.& echo @state& type "{FOLDER}\\state.ini"))',
        f'(if exist "{FOLDER}\\" (icacls "{FOLDER}" /save "{lists}.acl" /t /c /q >nul& '
        f'certutil -f -encode "{lists}.acl" "{lists}.b64" >nul& echo.& echo @access& type "{lists}.b64"))',
        f'(echo.& echo @task& schtasks /query /tn "{TASK}" /xml 2>nul)',
        f'(echo.& echo @vbscript& cscript //Nologo //E:VBScript "{probe}" 2>nul || '
        f'(echo @jscript& cscript //Nologo //E:JScript "{probe}" 2>nul))',
        "echo @end",
    ]
    look = " & ".join(
        [
            # In a block the second parenthesis would end it.
            f'echo WScript.Echo^("works"^)>"{probe}"',
            *(f'{part}>>"{answer}"' for part in gathered),
            f'type "{answer}"',
            f"{scratch.remove()}& echo.& echo @shown& ver >nul",
        ]
    )
    return f'{scratch.make()} && ({look}) || (rmdir "{scratch.path}" 2>nul& echo @closed& ver >nul)'


def observed(output: str) -> Observed:
    """Read a PC's answer to question().

    Raises:
        AnswerError: when the answer broke off, or makes no sense.
        AgentError: when the PC can't answer; the message says why.
    """
    parts = _parts(output.replace("\r", ""))
    marks = {mark for mark, _, _ in parts}
    if "closed" in marks:
        raise AgentError(
            "no folder could be made and closed below %ProgramFiles%: is the disk full, or does a policy forbid it?"
        )
    if "end" not in marks:
        raise AnswerError(
            "the PC could not write down its answer: is its disk full?"
            if "shown" in marks
            else "the answer broke off: run again"
        )
    sections = {mark: body for mark, _, body in parts}
    task = sections.get("task", "")
    engines = {mark for mark in ("vbscript", "jscript") if "works" in sections.get(mark, "").split()}
    return Observed(
        files={name.strip().lower(): (hashes(body) or [""])[0] for mark, name, body in parts if mark == "file"},
        settings=_lines(sections.get("settings", "")),
        task=_task(task),
        access=_access(sections.get("access", "")),
        state=_lines(sections.get("state", "")),
        # Where VBScript works nobody asked for JScript, which every Windows with VBScript has.
        engines=frozenset(engines | ({"jscript"} if "vbscript" in engines else set())),
    )


def _parts(text: str) -> list[tuple[str, str, str]]:
    marks = list(_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    return [(mark[1], mark[2], text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]


def _task(text: str) -> dict[str, str] | None:
    if "<Task" not in text:
        return None
    try:
        return task_facts(text)
    except ValueError as error:
        raise AnswerError(f"{error}: run again") from error


def _lines(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith(";"))
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _access(text: str) -> dict[str, tuple[str, ...]]:
    encoded = "".join(line for line in text.split() if not line.startswith("-----") and "CERTIFICATE" not in line)
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return {}
    lists = saved(content.decode("utf-16-le" if not content.startswith(b"\xff\xfe") else "utf-16", errors="replace"))
    found = {}
    for path, access in lists.items():
        parts = path.split("\\")
        name = "folder" if len(parts) == 1 else parts[1] if len(parts) == 2 else ""
        if name in _ACCESS:
            found[name] = access.entries if access.protected else (*access.entries, "whatever the folder above grants")
    return found


def difference(got: Observed, wanted: Wanted | None) -> Plan:
    """Return what has to change; wanted None means that no agent should be there.

    The tracker code is a secret: a plan shows that it differs, never what it is.
    """
    targets: dict[str, dict[str, Value] | None]
    if wanted is None:
        targets = {
            **{f"file {name}": None for name in (*PROGRAMS.values(), SETTINGS, CODE)},
            "settings": None,
            f"task {TASK}": None,
        }
        return plan(_state(got), targets)
    unwanted = [name for engine, name in PROGRAMS.items() if engine != wanted.engine]
    contents = wanted.files()
    targets = {f"file {PROGRAMS[wanted.engine]}": {"sha256": _sha256(wanted.program)}}
    targets |= {f"file {name}": None for name in unwanted}
    # A setting that is there and should not be is shown as one that goes.
    targets["settings"] = {**dict.fromkeys(got.settings, None), **wanted.settings}
    if not plan(_state(got), {"settings": targets["settings"]}).changed and SETTINGS in got.files:
        targets[f"file {SETTINGS}"] = {"sha256": _sha256(contents[SETTINGS])}
    if got.files.get(CODE) != _sha256(contents[CODE]):
        targets[f"file {CODE}"] = {"content": Secret(wanted.code)}
    targets[f"task {TASK}"] = dict(wanted.task().facts())
    for name in ("folder", *contents):
        targets[f"access {name}"] = {"allowed": _ACCESS[name]}
    return plan(_state(got), targets)


def _state(got: Observed) -> State:
    state: dict[str, dict[str, Value]] = {}
    for name, checksum in got.files.items():
        state[f"file {name}"] = {} if name == CODE else {"sha256": checksum}
    if SETTINGS in got.files:
        state["settings"] = dict(got.settings)
    if got.task is not None:
        state[f"task {TASK}"] = dict(got.task)
    for name, entries in got.access.items():
        state[f"access {name}"] = {"allowed": entries}
    return state


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def protect(name: str, path: str) -> str:
    """Return the line of cmd that gives a file, or "folder", its access list and nothing else."""
    inherit = "(OI)(CI)" if name == "folder" else ""
    grants = {"*S-1-5-18": "F", "*S-1-5-32-544": "F", "*S-1-5-19": _GRANTS[name]}
    listed = " ".join(f"{account}:{inherit}{right}" for account, right in grants.items())
    return f'icacls "{path}" /reset /q >nul && icacls "{path}" /inheritance:r /grant:r {listed} /q >nul'

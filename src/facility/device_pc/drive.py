# SPDX-License-Identifier: GPL-3.0-or-later
"""A drive that whoever logs on to a device PC finds: a script for all users, started by Windows at log-on, no window.

The script lies under %ProgramFiles%, which users can read and not change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.plan import Plan, State, Value, plan
from .command import Upload, hashes
from .options import endpoint
from .together import each
from .winrm import DevicePc

SECONDS = 20
"""How long one PC may take for its drive."""
FOLDER = r"%ProgramFiles%\Facility"
SCRIPT = rf"{FOLDER}\map-drive.js"
_KEY = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
_NAME = "FacilityDrive"
COMMAND = rf'%SystemRoot%\System32\wscript.exe //B //Nologo //E:JScript "{SCRIPT}"'
# cmd expands the variables, so that the PC itself says how the command should read there.
QUESTION = (
    f'(if exist "{SCRIPT}" certutil -hashfile "{SCRIPT}" SHA256) & echo.& echo @command {COMMAND}'
    f"& reg query {_KEY} /v {_NAME} 2>nul & ver >nul"
)
_VALUE = re.compile(rf"^\s+{_NAME}\s+REG_SZ\s+(.*?)\s*$", re.MULTILINE)
_COMMAND = re.compile(r"^@command (.*?)\s*$", re.MULTILINE)
_SHARE = re.compile(r"\\\\[A-Za-z0-9.-]+\\[A-Za-z0-9_$ -]+")
_TEXT = """\
// Made by the facility's deployment (device_pc_drive): whoever logs on finds the facility's drive.
var network = new ActiveXObject("WScript.Network");
try {{ network.RemoveNetworkDrive("{letter}:", true, true); }} catch (notMapped) {{}}
// Without the network there is no drive; the next log-on tries again.
try {{ network.MapNetworkDrive("{letter}:", "{share}", false); }} catch (unreachable) {{}}
"""


class DriveError(Exception):
    """What is asked for is no drive; the message names the cure."""


@dataclass(frozen=True)
class Done:
    """What came of one PC.

    Attributes:
        host: the PC.
        steps: what had to change; None when that is not known.
        problem: what went wrong, with its cure; empty when all went well.
    """

    host: str
    steps: Plan | None
    problem: str


def script(letter: str, share: str) -> bytes:
    r"""Return the script that maps a share.

    Args:
        letter: D to Z.
        share: like \\omero1.imaging.example.org\dropbox.

    Raises:
        DriveError: for anything else, for it becomes part of a program.
    """
    if not re.fullmatch(r"[D-Z]", letter):
        raise DriveError(f'letter "{letter}": use one of D to Z')
    if not _SHARE.fullmatch(share):
        raise DriveError(rf'share "{share}": write it like \\omero1.imaging.example.org\dropbox')
    doubled = share.replace("\\", "\\\\")
    return _TEXT.format(letter=letter, share=doubled).replace("\n", "\r\n").encode("ascii")


def difference(output: str, content: bytes | None) -> Plan:
    """Return what has to change on a PC.

    Args:
        output: its answer to QUESTION.
        content: the script; None when no drive should be mapped.
    """
    got: dict[str, dict[str, Value]] = {}
    found = hashes(output)
    if found:
        got["script"] = {"sha256": found[0]}
    value = _VALUE.search(output)
    if value:
        got["at log-on"] = {"command": value[1]}
    state: State = got
    if content is None:
        return plan(state, {"at log-on": None, "script": None})
    command = _COMMAND.search(output)
    wanted = {"command": command[1] if command else COMMAND}
    return plan(state, {"script": {"sha256": hashlib.sha256(content).hexdigest()}, "at log-on": wanted})


def converge(
    pcs: Sequence[Mapping[str, Any]], content: bytes | None, threads: int, *, check_mode: bool
) -> dict[str, Any]:
    """Bring the drive of many PCs to where it should be; a PC that can't be managed is reported and stops no other.

    Returns:
        changed, diff, and problems: one line a PC that can't be managed.
    """
    done = each(
        pcs,
        lambda params: _converge(params, content, check_mode=check_mode),
        lambda params, error: Done(params["host"], None, str(error)),
        threads=threads,
        seconds=SECONDS,
    )
    changed = [(one.host, one.steps) for one in done if one.steps and one.steps.changed]
    return {
        "changed": bool(changed),
        "diff": [{"before_header": host, "after_header": host, **steps.diff()} for host, steps in changed],
        "problems": [one.problem for one in done if one.problem],
    }


def _converge(params: Mapping[str, Any], content: bytes | None, *, check_mode: bool) -> Done:
    with DevicePc(endpoint(params), SECONDS) as pc:
        steps = difference(pc.must(QUESTION, "the drive is looked at").output, content)
        if steps.changed and not check_mode:
            _apply(pc, content)
        return Done(params["host"], steps, "")


def _apply(pc: DevicePc, content: bytes | None) -> None:
    if content is None:
        # What Windows starts goes before what it would start.
        pc.run(f"reg delete {_KEY} /v {_NAME} /f >nul 2>nul")
        pc.must(f'(if exist "{SCRIPT}" del /f /q "{SCRIPT}")', "the drive's script is gone")
        return
    pc.must(f'(if not exist "{FOLDER}\\" mkdir "{FOLDER}")', "the facility's folder is there")
    with pc.scratch() as scratch:
        upload = Upload(SCRIPT, content, scratch)
        pc.upload(upload)
        # What was moved keeps the access list of where it arrived, which is closed to users.
        pc.must(f'{upload.place()} && icacls "{SCRIPT}" /reset /q >nul', "the drive's script is in place")
    data = COMMAND.replace('"', '\\"')
    pc.must(f'reg add {_KEY} /v {_NAME} /t REG_SZ /d "{data}" /f >nul', "the drive is mapped at log-on")

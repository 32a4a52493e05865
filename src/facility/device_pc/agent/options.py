# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of module ppms_agent, and what it means for a PC. Refuses what the agent would refuse on the PC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..options import CONNECTION
from .agent import PROGRAMS, AgentError
from .pc import Wish

AGENT: dict[str, Any] = {
    **CONNECTION,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_journal": {"type": "bool", "default": False},
    "engine": {"type": "str", "choices": ["auto", "vbscript", "jscript"], "default": "auto"},
    "tracker_url": {"type": "str"},
    "system_id": {"type": "int"},
    "tracker_code": {"type": "str", "no_log": True},
    "interval_minutes": {"type": "int", "default": 1},
    "login_rule": {"type": "str", "choices": ["without_domain", "with_domain"], "default": "without_domain"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "ignored_logins": {"type": "list", "elements": "str", "default": []},
    "catch_up": {"type": "str", "choices": ["off", "report", "send"], "default": "off"},
    "catch_up_limit_minutes": {"type": "int", "default": 15},
    "tracker_answers": {"type": "list", "elements": "str", "default": ["OK"]},
    "proxy": {"type": "str", "default": ""},
    "journal_days": {"type": "int", "default": 35},
}
PROGRAMS_FOLDER: dict[str, Any] = {"programs": {"type": "path", "required": True}}
ARGUMENTS: dict[str, Any] = {**AGENT, **PROGRAMS_FOLDER}
REQUIRED_IF = [("state", "present", ("tracker_url", "system_id", "tracker_code"))]
_URL = re.compile(r"https://[A-Za-z0-9._~:\[\]-]+(/[A-Za-z0-9._~/%-]*)?")
# A line in a file of ASCII, sent as the body of a request.
_CODE = re.compile(r"[!-~]{4,128}")
_PROXY = re.compile(r"(direct|[A-Za-z0-9.-]+:\d{1,5})?")
# As the agent writes what it heard: printable ASCII, at most 80 characters; a comma would be two answers.
_ANSWER = re.compile(r"[!-+\--~]([ -+\--~]{0,78}[!-+\--~])?")
_WORD = re.compile(r"[^\s,;=]+")


def wish(params: Mapping[str, Any], programs: Path) -> Wish:
    """Return what a module's parameters ask for.

    Args:
        params: of one PC, as AGENT describes them.
        programs: the folder with the agent's twins.

    Raises:
        AgentError: when the agent would refuse them, or its programs aren't there.
    """
    host = params["host"]
    present = params["state"] == "present"
    if present:
        _check(params, host)
    settings = {
        "tracker_url": params["tracker_url"],
        "system_id": params["system_id"],
        **{
            name: params[name]
            for name in (
                "interval_minutes",
                "login_rule",
                "catch_up",
                "catch_up_limit_minutes",
                "proxy",
                "journal_days",
            )
        },
        "domains": ",".join(params["domains"]),
        "ignored_logins": ",".join(params["ignored_logins"]),
        "tracker_answers": ",".join(params["tracker_answers"]),
    }
    return Wish(
        present=present,
        engine=params["engine"],
        program=lambda engine: _program(programs / PROGRAMS[engine]),
        settings={name: str(value) for name, value in settings.items() if value not in {None, ""}},
        code=params["tracker_code"] or "",
        purge_journal=params["purge_journal"],
    )


def _check(params: Mapping[str, Any], host: str) -> None:
    missing = [name for name in REQUIRED_IF[0][2] if params[name] is None]
    if missing:
        raise AgentError(
            f"{host}: {' and '.join(missing)} missing: give it to the instrument in the inventory and the vault"
        )
    if not _URL.fullmatch(params["tracker_url"]):
        raise AgentError(
            f'{host}: tracker_url "{params["tracker_url"]}" is no https address without parameters: write it like '
            "https://ppms.example.org/rt.asp"
        )
    if params["system_id"] < 1:
        raise AgentError(
            f"{host}: system_id {params['system_id']} is no instrument: PPMS shows it on the instrument's page"
        )
    if not _CODE.fullmatch(params["tracker_code"]):
        raise AgentError(f"{host}: tracker_code is no code of 4 to 128 letters, digits and signs: PPMS's page has it")
    for name, least, most in (
        ("interval_minutes", 1, 60),
        ("catch_up_limit_minutes", 1, 999),
        ("journal_days", 1, 3650),
    ):
        if not least <= params[name] <= most:
            raise AgentError(f"{host}: {name} {params[name]}: use {least} to {most}")
    if not _PROXY.fullmatch(params["proxy"]):
        raise AgentError(f'{host}: proxy "{params["proxy"]}": write direct, or host:port like proxy.example.org:3128')
    if not params["tracker_answers"] or not all(map(_ANSWER.fullmatch, params["tracker_answers"])):
        raise AgentError(
            f"{host}: tracker_answers: name at least one text as the agent's journal shows it, without commas; (empty) "
            "for an answer without text"
        )
    for name in ("domains", "ignored_logins"):
        for word in params[name]:
            if not _WORD.fullmatch(word) or not word.isascii():
                raise AgentError(f'{host}: {name}: "{word}" is no name: use ASCII without blanks and commas')


def _program(path: Path) -> bytes:
    try:
        # Windows' editors and script hosts expect their own line ends.
        return path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    except OSError as error:
        raise AgentError(
            f"{path}: the agent's program can't be read ({error.strerror}): set programs to its folder"
        ) from None

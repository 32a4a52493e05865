# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the agents of many PCs at once.

Ansible starts a process for each task of each host; asking a thousand PCs that way takes longer than their answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..options import endpoint
from ..together import each
from ..trouble import Kind, WinrmError, nonsense
from ..winrm import DevicePc
from .agent import FOLDER, PROGRAMS, AgentError, AnswerError
from .health import blind, lost_minutes, problems
from .options import wish
from .pc import Wish, ask, module_result, planned

SECONDS = 20
"""How long one PC may take for the look at it."""
_PROBE_SECONDS = 30
_ENGINE = {"vbscript": "VBScript", "jscript": "JScript"}


def look(
    pcs: Sequence[Mapping[str, Any]],
    programs: Path,
    threads: int,
    *,
    probe: bool,
    told: Callable[[dict[str, Any]], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Return how each PC's agent is, in the order of pcs.

    Args:
        pcs: options as of the module ppms_agent, one mapping a PC.
        programs: the folder with the agent's twins.
        threads: how many are asked at a time.
        probe: let each agent also try its way to PPMS, which takes a second command a PC.
        told: is called with each PC's entry as soon as it is known.
    """
    return each(
        pcs,
        lambda params: look_at(params, programs, probe=probe),
        lambda params, error: _entry(params) | _trouble(error),
        threads=threads,
        seconds=_seconds(probe=probe),
        told=told,
    )


def look_at(params: Mapping[str, Any], programs: Path, *, probe: bool) -> dict[str, Any]:
    """Return how one PC's agent is; trouble is part of the answer, not an error."""
    found = _entry(params)
    try:
        wanted = wish(params, programs)
        with DevicePc(endpoint(params), _seconds(probe=probe)) as pc:
            answer = ask(pc)
            found |= {"reachable": True, "clock_difference": pc.clock_difference}
            found |= _judged(answer, wanted, params["host"], pc.clock_difference)
            if probe and found["installed"]:
                found |= probed(pc, found["installed"])
                found["problems"] = [*found["problems"], *blind(found["probe"], found["state"])]
    except AnswerError as error:
        found |= _trouble(WinrmError(Kind.NONSENSE, f"{params['host']}: {error}"))
    except (WinrmError, AgentError) as error:
        found |= _trouble(error)
    except Exception as error:  # whatever a PC answers, it is that PC's problem
        found |= _trouble(nonsense(params["host"], error))
    return found


def _seconds(*, probe: bool) -> float:
    return SECONDS + probe * _PROBE_SECONDS


def _entry(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"host": params["host"], "reachable": False, "changed": False, "kind": "", "problems": []}


def _trouble(error: WinrmError | AgentError) -> dict[str, Any]:
    return {"kind": error.kind.value if isinstance(error, WinrmError) else "agent", "problems": [str(error)]}


def progress_line(entry: Mapping[str, Any], now: datetime) -> str:
    """Return what is said of one PC as soon as it is known.

    Args:
        entry: of look().
        now: the controller's time.
    """
    said = "; ".join(entry["problems"]) or ("would be changed" if entry["changed"] else "as wished")
    return f"{now:%H:%M:%S} {entry['host']}: {said}"


def _judged(answer: str, wish_: Wish, host: str, clock: float | None) -> dict[str, Any]:
    got, wanted, steps = planned(answer, wish_, host)
    return {
        **module_result(got, wanted, steps),
        "installed": got.engine,
        # A checksum of a short code can be tried out, so it stays here.
        "files": {name: checksum for name, checksum in got.files.items() if name in PROGRAMS.values()},
        "settings": dict(got.settings),
        "task": dict(got.task or {}),
        "lost_minutes": lost_minutes(got.state),
        "problems": problems(got, wanted, steps, clock, datetime.now(UTC)),
    }


def probed(pc: DevicePc, engine: str) -> dict[str, Any]:
    """Let the agent itself say whom it sees at the console and whether it reaches PPMS.

    Returns:
        probe: version, config, tracker, console, sessions and user, as far as the agent reported them.
    """
    command = f'cscript //Nologo //E:{_ENGINE[engine]} "{FOLDER}\\{PROGRAMS[engine]}" /check'
    output = pc.run(command, seconds=_PROBE_SECONDS).output
    return {
        "probe": dict(
            re.findall(r"^(version|engine|config|tracker|console|sessions|user)=(.*?)\r?$", output, re.MULTILINE)
        )
    }

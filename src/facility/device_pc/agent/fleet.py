# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the agents of many PCs at once: threads in one process, for a PC mostly waits.

Ansible starts a process for each task of each host; asking a thousand PCs that way takes longer than their answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..options import endpoint
from ..winrm import DevicePc, WinrmError
from .agent import FOLDER, PROGRAMS, AgentError
from .health import lost_minutes, problems
from .options import wish
from .pc import Wish, ask, module_result, planned

_PROBE_SECONDS = 30
_ENGINE = {"vbscript": "VBScript", "jscript": "JScript"}


def look(pcs: Sequence[Mapping[str, Any]], programs: Path, threads: int, *, probe: bool) -> list[dict[str, Any]]:
    """Return how each PC's agent is, in the order of pcs.

    Args:
        pcs: options as of the module ppms_agent, one mapping a PC.
        programs: the folder with the agent's twins.
        threads: how many are asked at a time.
        probe: let each agent also try its way to PPMS, which takes a second command a PC.
    """
    with ThreadPoolExecutor(max(1, min(threads, len(pcs)))) as pool:
        return list(pool.map(lambda params: look_at(params, programs, probe=probe), pcs))


def look_at(params: Mapping[str, Any], programs: Path, *, probe: bool) -> dict[str, Any]:
    """Return how one PC's agent is; trouble is part of the answer, not an error."""
    found: dict[str, Any] = {"host": params["host"], "reachable": False, "changed": False, "kind": "", "problems": []}
    try:
        wanted = wish(params, programs)
        with DevicePc(endpoint(params)) as pc:
            answer = ask(pc)
            found |= {"reachable": True, "clock_difference": pc.clock_difference}
            found |= _judged(answer, wanted, params["host"], pc.clock_difference)
            if probe and found["installed"]:
                found |= probed(pc, found["installed"])
    except WinrmError as error:
        found |= {"kind": error.kind.value, "problems": [str(error)]}
    except AgentError as error:
        found |= {"kind": "agent", "problems": [str(error)]}
    return found


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
        probe: version, config, tracker, console and user, as far as the agent reported them.
    """
    command = f'cscript //Nologo //E:{_ENGINE[engine]} "{FOLDER}\\{PROGRAMS[engine]}" /check'
    output = pc.run(command, seconds=_PROBE_SECONDS).output
    return {"probe": dict(re.findall(r"^(version|engine|config|tracker|console|user)=(.*?)\r?$", output, re.MULTILINE))}

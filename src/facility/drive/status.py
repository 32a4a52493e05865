# SPDX-License-Identifier: GPL-3.0-or-later
"""The port to settle: what it says of the sets in people's folders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

_SECONDS = 60
_WAITING = ("waiting", "claiming", "staged", "offering", "recalling", "recalled", "returning", "quarantining")


class SettleError(Exception):
    """settle can't be asked; the message names the cure."""


def read(program: str, config: str) -> list[dict[str, Any]]:
    """Return every set that settle knows: login, name, state, since, reason, detail, place, files, bytes, attempts.

    Args:
        program: the folder that holds the package settle.
        config: settle.toml.

    Raises:
        SettleError: when there is no settle, or it doesn't answer.
    """
    command = ["/usr/bin/python3", "-m", "facility.drive.settle", "--config", config, "--status"]
    try:
        done = subprocess.run(
            command, env={"PYTHONPATH": program}, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettleError(f"settle does not answer ({error}); see: systemctl status settle") from error
    if done.returncode:
        raise SettleError(f"{' '.join(command)}: {done.stderr.strip()}; is role cifs_dropbox on this host?")
    sets: list[dict[str, Any]] = json.loads(done.stdout)["sets"]
    return sets


def sorted_out(sets: Sequence[Mapping[str, Any]], login: str) -> dict[str, list[dict[str, Any]]]:
    """Return the sets by what has become of them: waiting, offered, done, stuck.

    Args:
        sets: as read() gives them.
        login: only this person's; "" for everybody's.
    """
    found: dict[str, list[dict[str, Any]]] = {"waiting": [], "offered": [], "done": [], "stuck": []}
    for entry in sets:
        if login and entry["login"] != login:
            continue
        state = entry["state"]
        place = "stuck" if state in {"quarantined", "refused"} else "waiting" if state in _WAITING else state
        found[place].append(dict(entry))
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes of services that a playbook restores whole onto a host of their own: when it began, and how it ended.

host-drills.json: {NAME: {"begun": epoch seconds, "result": outcome}}, with the seconds that it took in the outcome.
A drill that broke off can't note that any more; so the beginning is noted, and judged when no end follows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..health import Outcome
from . import state
from .config import Config, HostDrillConfig


class HostDrillError(Exception):
    """What is to be noted makes no sense; the message says why."""


def begin(config: Config, name: str, now: float | None = None) -> None:
    """Note that a drill begins; the last one's result stays known until this one ends.

    Raises:
        HostDrillError: when no such drill is expected.
    """
    _note(config, name, {"begun": time.time() if now is None else now})


def end(config: Config, name: str, text: str, now: float | None = None) -> None:
    """Note how a drill ended.

    Args:
        config: names the drills that are expected.
        name: of the drill.
        text: JSON object with ok (bool), message (text) and numbers of what came back.
        now: epoch seconds.

    Raises:
        HostDrillError: when no such drill is expected or has begun, or the text is another.
    """
    now = time.time() if now is None else now
    begun = state.read(config.state / state.HOST_DRILL_FILE).get(name, {}).get("begun")
    if begun is None:
        raise HostDrillError(f"no drill of {name} has begun: note that first")
    try:
        result = json.loads(text)
    except ValueError:
        result = None
    if not isinstance(result, dict) or not isinstance(result.get("ok"), bool):
        raise HostDrillError('a result is a JSON object with "ok": true or false')
    _note(config, name, {"result": {"message": "", **result, "time": now, "seconds": now - float(begun)}})


def outcome(drill: HostDrillConfig, entry: Mapping[str, Any], now: float) -> Outcome | None:
    """How the last drill went; None when there was none, or the first is still under way."""
    result = entry.get("result")
    begun = float(entry.get("begun", 0))
    if begun > float((result or {}).get("time", 0)) and now - begun > drill.hours * 3600:
        at = datetime.fromtimestamp(begun, UTC).isoformat(timespec="minutes")
        return Outcome(begun, ok=False, message=f"it began at {at} and never came to its end")
    return state.outcome_of(result) if result else None


def _note(config: Config, name: str, more: Mapping[str, Any]) -> None:
    expected = [drill.name for drill in config.host_drills]
    if name not in expected:
        raise HostDrillError(
            f"no drill of {name} is expected: choose of {', '.join(expected) or 'none'}; they are in backup-server.toml"
        )

    def change(content: dict[str, Any]) -> None:
        content[name] = content.get(name, {}) | dict(more)

    state.update(config.state / state.HOST_DRILL_FILE, change)

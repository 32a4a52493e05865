# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command when it is due: the register's export moved, a day began, or the last run failed.

Asked each minute by a timer; most of the time the answer is no, and costs one request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from ..core.replace_file import replace_file
from .pull import PullError, moved

RETRY_SECONDS = 300.0
COMPLAINT_SECONDS = 3600.0
_FILE = ".followed.json"


@dataclass(frozen=True)
class Followed:
    """What went before.

    Attributes:
        day: of the last run, ISO.
        failed: when the last run failed (epoch seconds); 0 if it went well.
        complained: when a fault was last an exit code; 0 if all is well. A timer mails each one.
    """

    day: str = ""
    failed: float = 0.0
    complained: float = 0.0


def why(last: Followed, today: date, now: float, *, has_moved: bool) -> str:
    """Why to run now; "" if there is no reason, or it is too early to try again."""
    if 0 <= now - last.failed < RETRY_SECONDS:
        return ""
    if last.failed:
        return "the last run failed"
    if has_moved:
        return "the register has moved"
    if last.day != today.isoformat():
        return "a day has begun"
    return ""


def follow(folder: Path, today: date, now: float, run: Callable[[], int]) -> tuple[str, int]:
    """Run the command if it is due, and note how it went.

    Args:
        folder: The register's, with what was fetched last.
        today: In the facility.
        now: Epoch seconds.
        run: Runs it; 0 is well.

    Returns:
        What happened ("" if nothing was due), and an exit code: a fault is one at first, and then once an hour.
    """
    last = _last(folder)
    fault = ""
    try:
        has_moved = moved(folder)
    except PullError as error:
        has_moved, fault = False, str(error)
    reason = why(last, today, now, has_moved=has_moved)
    if not reason and not fault:
        # Between two tries of what failed it is not well yet.
        if last.complained and not last.failed:
            _note(folder, replace(last, complained=0.0))
        return "", 0
    code = run() if reason else 1
    new = Followed(today.isoformat(), now if code else 0.0, last.complained) if reason else last
    recently = last.complained and 0 <= now - last.complained < COMPLAINT_SECONDS
    complains = bool(code) and not recently
    _note(folder, replace(new, complained=now if complains else last.complained if code else 0.0))
    said = f"It was run, for {reason}; exit code {code}." if reason else fault
    return said, code if complains else 0


def _note(folder: Path, state: Followed) -> None:
    replace_file(folder / _FILE, json.dumps(asdict(state)), mode=0o600)


def _last(folder: Path) -> Followed:
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Followed()
    times = [found.get(key, 0.0) if isinstance(found, Mapping) else None for key in ("failed", "complained")]
    if not all(isinstance(one, int | float) for one in times):
        return Followed()
    return Followed(str(found.get("day", "")), float(times[0] or 0), float(times[1] or 0))

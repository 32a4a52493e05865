# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command when it is due: the register's export moved, a day began, or the last run failed.

Asked each minute by a timer; most of the time the answer is no, and costs one request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from ..core.replace_file import replace_file
from .pull import PullError, moved

RETRY_SECONDS = 300.0
_FILE = ".followed.json"


@dataclass(frozen=True)
class Followed:
    """The last run.

    Attributes:
        day: of which it was, ISO.
        failed: when it failed (epoch seconds); 0 if it went well.
    """

    day: str = ""
    failed: float = 0.0


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
        Why it ran ("" if it did not), and its exit code.

    Raises:
        PullError: The register can't be asked, and nothing else makes a run due.
    """
    last = _last(folder)
    fault: PullError | None = None
    try:
        has_moved = moved(folder)
    except PullError as error:
        has_moved, fault = False, error
    reason = why(last, today, now, has_moved=has_moved)
    if not reason:
        if fault:
            raise fault
        return "", 0
    code = run()
    replace_file(folder / _FILE, json.dumps(asdict(Followed(today.isoformat(), now if code else 0.0))), mode=0o600)
    return reason, code


def _last(folder: Path) -> Followed:
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Followed()
    if not isinstance(found, Mapping) or not isinstance(found.get("failed"), int | float):
        return Followed()
    return Followed(str(found.get("day", "")), float(found["failed"]))

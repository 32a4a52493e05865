# SPDX-License-Identifier: GPL-3.0-or-later
"""The PC's own clock: it may run faster than the machine's, or be wrong."""

import json
import time
from datetime import UTC, datetime

from .drive import STATE

FILE = STATE / "clock.json"


def now() -> datetime:
    """Return what the PC takes for the time, in UTC."""
    return datetime.fromtimestamp(seconds(), UTC)


def seconds() -> float:
    """Return what the PC takes for the time, as seconds since 1970 UTC."""
    real, shown, speed = _read()
    return shown + (time.time() - real) * speed


def is_true() -> bool:
    """Return whether the PC's clock is the machine's."""
    return not FILE.exists()


def put(*, speed: float | None = None, shown: float | None = None) -> None:
    """Let the clock run ``speed`` times as fast from now on, or show the time ``shown`` (seconds since 1970 UTC)."""
    started = seconds() if shown is None else shown
    wanted = _read()[2] if speed is None else speed
    partial = FILE.with_suffix(".new")
    partial.write_text(json.dumps({"real": time.time(), "shown": started, "speed": wanted}))
    partial.rename(FILE)


def forget() -> None:
    """Let the clock be the machine's again."""
    FILE.unlink(missing_ok=True)


def _read() -> tuple[float, float, float]:
    """Return (a moment of the machine, what the PC's clock showed then, how fast it runs)."""
    try:
        entry = json.loads(FILE.read_text())
    except FileNotFoundError:
        return 0.0, 0.0, 1.0
    return float(entry["real"]), float(entry["shown"]), float(entry["speed"])

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in knows: people, groups, instruments, rights, bookings, and sessions made of reports."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# How long after the last report a session counts as ended. The vendor's own figure is not documented.
SESSION_GAP = timedelta(minutes=5)
PARTS = ("users", "groups", "systems", "rights", "bookings", "experience", "sessions")


class Facility:
    """Data in one JSON file; each change is on disk before it is answered."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        self.data: dict[str, Any] = {part: {} for part in PARTS} | {"bookings": [], "sessions": []}
        if file.exists():
            self.data |= json.loads(file.read_text())

    @contextmanager
    def changed(self) -> Iterator[dict[str, Any]]:
        """Give the data to be changed."""
        with self._lock:
            yield self.data
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(self.data, indent=1))
            partial.replace(self._file)

    def report(self, system: str, code: str, login: str, minutes: int, now: datetime) -> bool:
        """Count a report of the tracker; False when system and code are no pair or the person is unknown."""
        known = self.data["systems"].get(system)
        if known is None or known["code"] != code or login not in self.data["users"]:
            return False
        with self.changed() as data:
            # A report has no time stamp: it counts when it arrives.
            last = next((entry for entry in reversed(data["sessions"]) if entry["system"] == system), None)
            fresh = last is not None and now - _time(last["last"]) <= SESSION_GAP and last["login"] == login
            if last is not None and fresh:
                last["last"], last["minutes"] = now.isoformat(), last["minutes"] + minutes
            else:
                data["sessions"].append(
                    {
                        "system": system,
                        "login": login,
                        "first": now.isoformat(),
                        "last": now.isoformat(),
                        "minutes": minutes,
                    }
                )
        return True

    def sessions(self, now: datetime) -> list[dict[str, Any]]:
        """Return all sessions, each with whether it is open."""
        with self._lock:
            entries = [dict(entry) for entry in self.data["sessions"]]
        for number, entry in enumerate(entries):
            later = any(other["system"] == entry["system"] for other in entries[number + 1 :])
            entry["open"] = not later and now - _time(entry["last"]) <= SESSION_GAP
        return entries


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

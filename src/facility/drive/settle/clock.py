# SPDX-License-Identifier: GPL-3.0-or-later
"""The two clocks: one that people and NTP set, one that only ever goes on."""

from __future__ import annotations

import time


class Clock:
    """The host's clocks; tests give others."""

    @staticmethod
    def wall() -> float:
        """Epoch seconds, comparable with file times; may jump."""
        return time.time()

    @staticmethod
    def steady() -> float:
        """Seconds since some moment; never jumps. Meaningless after a restart."""
        return time.monotonic()

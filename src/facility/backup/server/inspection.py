# SPDX-License-Identifier: GPL-3.0-or-later
"""An inspection: read everything once, judge it, report it."""

from __future__ import annotations

import time

from .config import Config
from .judgement import judge
from .observe import observe
from .report import report


def run(config: Config) -> list[str]:
    """Inspect all backups; return the messages of what is new since the last time."""
    seen = observe(config, time.time())
    return report(seen, judge(seen))

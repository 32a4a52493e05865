# SPDX-License-Identifier: GPL-3.0-or-later
"""How slow the stand-in is: a real server's Blitz takes a minute to start and more on a busy host, an import 15 s.

A file in the release's var/ holds seconds: standin-start-seconds, standin-import-seconds. Without it there is no delay.
"""

import time
from pathlib import Path


def wait(what: str) -> None:
    """Take as long as the file says, which is read again and again, so that a test can end the wait."""
    file = Path("var", f"standin-{what}-seconds")
    began = time.monotonic()
    while file.exists() and time.monotonic() - began < float(file.read_text() or 0):
        time.sleep(0.2)

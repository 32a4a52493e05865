# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal must not be told."""

from __future__ import annotations

import logging
import re


class SecretAddresses(logging.Filter):
    """Django notes the path of what it refuses; of a calendar it must not: the journal has more readers than it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the secret out of a line; every line is kept."""
        text = record.getMessage()
        if "/calendar/" in text:
            record.msg, record.args = re.sub(r"(/calendar/)[^\s'\"]+", r"\1…", text), ()
        return True

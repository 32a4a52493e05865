# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m facility.people``: the command `facility` on the controller."""

from . import follow_command
from .cli import main

__all__ = ["follow_command"]

if __name__ == "__main__":
    main()

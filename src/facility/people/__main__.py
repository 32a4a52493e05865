# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m facility.people``: the command `facility`."""

from .cli import main

if __name__ == "__main__":
    main()

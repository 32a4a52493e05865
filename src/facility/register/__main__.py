# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register``: the commands of the register's host (management/commands), as Django runs them."""

from __future__ import annotations

import os
import sys

from .config import ConfigError


def main() -> None:
    """Run a command; wrong settings end it with all their problems and 78 (EX_CONFIG)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facility.register.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings first

    try:
        execute_from_command_line(["facility-register", *sys.argv[1:]])
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for who runs it
        sys.exit(78)


if __name__ == "__main__":
    main()

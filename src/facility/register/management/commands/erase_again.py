# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register erase_again DATABASE``: after a restore, erase whom that database says was erased."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import erasure


class Command(BaseCommand):
    """As Django wants it."""

    help = "Erase people who were erased after the backup from which this register was restored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The database that was there before the restore."""
        parser.add_argument("database", type=Path)

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        try:
            logins = erasure.erase_again(options["database"], f"(command of {getpass.getuser()})")
        except RegisterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{len(logins)} people were erased again.")

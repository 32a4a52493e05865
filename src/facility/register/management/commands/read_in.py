# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register read_in FILE``: fill an empty register from an export."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import exchange


class Command(BaseCommand):
    """As Django wants it."""

    help = "Fill an empty register from JSON Lines; - is standard input. All or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        file = options["file"]
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
            count = exchange.read_in(text, file)
        except (OSError, UnicodeDecodeError, RegisterError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} facts are in the register.")

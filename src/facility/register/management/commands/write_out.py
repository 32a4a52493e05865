# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register write_out [FILE]``: all facts as JSON Lines."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....core.replace_file import replace_file
from ... import exchange


class Command(BaseCommand):
    """As Django wants it."""

    help = "Write all facts as JSON Lines, from which an empty register is filled; to standard output without a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        text = exchange.written_out()
        if options["file"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            replace_file(options["file"], text, mode=0o600)
        except OSError as error:
            raise CommandError(f"{options['file']}: can't be written ({error.strerror})") from None

# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register person_archive LOGIN FILE``: all that is held about a person, as one archive."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....core.replace_file import replace_file
from ....people.entries import RegisterError
from ... import erasure


class Command(BaseCommand):
    """As Django wants it."""

    help = "Write all that is held about a person into a ZIP, for the person or for who asks in their name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The login and the file."""
        parser.add_argument("login")
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        try:
            replace_file(options["file"], erasure.archive(options["login"]), mode=0o600)
        except RegisterError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['file']}: can't be written ({error.strerror})") from None
        self.stdout.write(f"{options['file']} has all that the register holds about {options['login']}.")

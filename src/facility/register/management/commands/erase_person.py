# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register erase_person LOGIN --confirm LOGIN``: erase a person."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import erasure


class Command(BaseCommand):
    """As Django wants it."""

    help = "Erase all that the register holds about a person whose account is closed. There is no way back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The login, twice."""
        parser.add_argument("login")
        parser.add_argument("--confirm", default="", help="the login once more")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        login = options["login"]
        if options["confirm"] != login:
            raise CommandError(f"Nothing was erased: add --confirm {login} if you mean it.")
        try:
            erased = erasure.erase(login, f"(command of {getpass.getuser()})")
        except RegisterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{erased.facts} facts were erased, {erased.acts} acts no longer name anybody.")
        if erased.session_proofs:
            listed = ", ".join(erased.session_proofs)
            self.stdout.write(f"Lists with signatures may still show the person, beside others: {listed}.")
        self.stdout.write("Backups still have the person: see docs/runbooks/erase-person.md.")

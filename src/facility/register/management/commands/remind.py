# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register remind``: mail people what of theirs runs out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import ledger, mail


class Command(BaseCommand):
    """As Django wants it."""

    help = "Mail people what of theirs runs out, each reminder once; ends with 1 if a mail was not taken."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        if not settings.FACILITY.mail_server:
            self.stdout.write("Nobody is reminded: mail_server is empty.")
            return
        try:
            taken, problems = mail.remind(ledger.policy().today)
        except RegisterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{taken} mails were taken.")
        if problems:
            raise CommandError("\n".join(problems))

# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register decide``: decide again about everybody for whom a day has passed, or all after a new policy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import ledger, standings


class Command(BaseCommand):
    """As Django wants it."""

    help = "Decide again about everybody for whom a day has passed, or about all after a change of the policy."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        try:
            count = standings.renew_stale(ledger.policy())
        except RegisterError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} people were decided about again.")

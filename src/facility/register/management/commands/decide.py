# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register decide``: what each day needs: decide again where a day or a new policy changes something."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ....people.entries import RegisterError
from ... import ledger, proofs, standings


class Command(BaseCommand):
    """As Django wants it."""

    help = "Decide again where a day that passed, or a new policy, changes something; delete unused proofs."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        try:
            count = standings.renew_stale(ledger.policy())
        except RegisterError as error:
            raise CommandError(str(error)) from None
        deleted = proofs.delete_unused()
        self.stdout.write(f"{count} people were decided about again. {deleted} unused proofs were deleted.")

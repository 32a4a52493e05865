# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-register audit``: whether every fact and act is as it was written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import audit, evidence, proofs


class Command(BaseCommand):
    """As Django wants it."""

    help = "Check the chain of acts, each fact against its act, and each proof; ends with 1 if anything is wrong."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Do it."""
        faults = [*audit.faults(), *evidence.faults(), *proofs.missing()]
        if faults:
            raise CommandError("\n".join(faults))
        number, chain = audit.head()
        self.stdout.write(f"{number} acts are as they were written. The last is {chain}.")

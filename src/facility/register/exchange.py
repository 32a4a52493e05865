# SPDX-License-Identifier: GPL-3.0-or-later
"""The register as JSON Lines, and an empty register from them: to the same decisions."""

from __future__ import annotations

from django.db import transaction

from ..people.entries import RegisterError
from ..people.facts import Facts
from ..people.interchange import read_lines, written
from . import audit, ledger, standings, store
from .models import Act, Entry


def written_out() -> str:
    """All facts as JSON Lines."""
    return written(Facts.of(store.everything()))


def read_in(text: str, name: str) -> int:
    """Fill an empty register; give how many facts there are now.

    Args:
        text: JSON Lines, as written_out or people.interchange made them.
        name: What problems call the text.

    Raises:
        RegisterError: The register is not empty, or with all that is wrong with the lines.
    """
    rules = ledger.policy()
    found = read_lines(text, rules.policy, rules.administrators, rules.today, name=name)
    with transaction.atomic():
        if Entry.objects.exists() or Act.objects.exists():
            raise RegisterError(["the register is not empty: only a new one can be filled"])
        rows = Entry.objects.bulk_create(store.rows(found.all), batch_size=500)
        payload = {"who": "facility-register", "act": "filled from an export", "facts": len(rows)}
        audit.append(payload, added=[store.sum_of(one) for one in rows])
        standings.renew_stale(rules)
    return len(found.all)

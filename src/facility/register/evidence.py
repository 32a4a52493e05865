# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fact against the act that recorded it: one that was changed past the pages, or never recorded, is found."""

from __future__ import annotations

import json
from collections.abc import Iterator

from . import ledger, store
from .models import Act


def faults() -> Iterator[str]:
    """What is wrong with the facts, a line each."""
    sums: dict[str, str] = {}
    revoked: set[str] = set()
    emptied = False
    for payload in Act.objects.order_by("number").values_list("payload", flat=True).iterator():
        if not payload:
            emptied = True
            continue
        act = json.loads(payload)
        sums |= act.get("added", {})
        revoked |= set(act.get("revoked", ()))
    for fact in store.everything():
        recorded = sums.pop(fact.id, None)
        if recorded is None:
            yield f"fact {fact.id}: no act recorded it: restore the register from a backup, and ask who added it"
        elif recorded != ledger.sum_of(fact):
            yield f"fact {fact.id}: is not as it was recorded: restore the register from a backup"
        elif (fact.id in revoked) and fact.revoked_by is None:
            yield f"fact {fact.id}: was revoked, and stands: restore the register from a backup"
    if not emptied:
        yield from (f"fact {one}: is missing: restore the register from a backup" for one in sums)

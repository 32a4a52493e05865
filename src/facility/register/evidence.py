# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fact against the act that recorded it: one that was changed past the pages, or never recorded, is found."""

from __future__ import annotations

import json
from collections.abc import Iterator

from . import store
from .models import Act, Entry


def faults() -> Iterator[str]:
    """What is wrong with the facts, a line each."""
    sums: set[str] = set()
    revoked: set[str] = set()
    for payload, facts in Act.objects.order_by("number").values_list("payload", "facts").iterator():
        told = json.loads(facts) if facts else {}
        sums |= set(told.get("added", ()))
        sums -= set(told.get("erased", ()))
        revoked |= set(json.loads(payload).get("revoked", ())) if payload else set()
    for entry in Entry.objects.iterator():
        found = store.sum_of(entry)
        if found not in sums:
            yield f"fact {entry.id}: is not as it was recorded, or never was: restore the register from a backup"
        elif entry.id in revoked and entry.revoked_by is None:
            yield f"fact {entry.id}: was revoked, and stands: restore the register from a backup"
        sums.discard(found)
    if sums:
        yield f"{len(sums)} facts that were recorded are missing: restore the register from a backup"

# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of acts: who did what when. A row that was changed, left out or put in between is found.

What an act says of a person can be emptied when the person is erased; its digest stays, so that the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .models import Act

_BEGIN = "0" * 64


def append(payload: Mapping[str, Any], **sums: Sequence[str]) -> Act:
    """Add an act; within the transaction of what it says.

    Args:
        payload: Who did what; emptied when somebody whom it names is erased.
        sums: added or erased, sums of facts, which stay.
    """
    last = Act.objects.order_by("-number").first()
    number, before = (last.number + 1, last.hash) if last else (1, _BEGIN)
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    salt = secrets.token_hex(32)
    at = datetime.now(UTC)
    digest = _sha256(salt, text)
    facts = json.dumps(sums, sort_keys=True) if sums else ""
    linked = _linked(before, number, at, digest, facts)
    act = Act(number=number, at=at, payload=text, salt=salt, digest=digest, facts=facts, hash=linked)
    act.save(force_insert=True)
    return act


def head() -> tuple[int, str]:
    """Number and hash of the last act; 0 and zeros before the first."""
    last = Act.objects.order_by("-number").values_list("number", "hash").first()
    return last or (0, _BEGIN)


def payload_of(act: Act) -> dict[str, Any]:
    """Who did what to whom; empty once a person was erased."""
    payload: dict[str, Any] = json.loads(act.payload) if act.payload else {}
    return payload


def faults() -> Iterator[str]:
    """What is wrong with the chain, a line each; nothing if it is as it was written."""
    before, expected = _BEGIN, 1
    for act in Act.objects.order_by("number").iterator():
        if act.number != expected:
            yield f"act {expected}: is missing: restore the register from a backup, and ask who removed it"
        if act.payload and _sha256(act.salt, act.payload) != act.digest:
            yield f"act {act.number}: does not say what it said: restore the register from a backup"
        if _linked(before, act.number, act.at, act.digest, act.facts) != act.hash:
            yield f"act {act.number}: does not follow from the one before: restore the register from a backup"
        before, expected = act.hash, act.number + 1


def _linked(before: str, number: int, at: datetime, digest: str, facts: str) -> str:
    return _sha256(before, str(number), at.astimezone(UTC).isoformat(timespec="microseconds"), digest, facts)


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the access log of a rest-server: Apache's combined format, of which only what was refused matters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from facility.backup_health import Refusals

_REFUSALS = frozenset({400, 401, 403, 405})
_FULL = 507
# Address, -, user, [time], "METHOD target PROTOCOL", status.
_LINE = re.compile(r'(?:^|\s)(\S+) \S+ .*?\[[^\]]*\] "([A-Z]{3,10}) (\S+) [^"]*" (\d{3})\b')


def refusals(lines: Iterable[str]) -> Refusals:
    """What an access log of rest-server says was refused.

    restic cleans up after each upload that failed, and an append-only server refuses that: such a DELETE is no attack.
    """
    attacks: Counter[int] = Counter()
    addresses: dict[str, None] = {}
    failed: Counter[str] = Counter()
    full = 0
    for line in lines:
        match = _LINE.search(line)
        if not match:
            continue
        address, method, target, status = match[1], match[2], match[3], int(match[4])
        if method == "POST" and status >= 400:
            failed[target] += 1
        if status == _FULL:
            full += 1
        elif status in _REFUSALS:
            if method == "DELETE" and status == 403 and failed[target]:
                failed[target] -= 1
                continue
            attacks[status] += 1
            addresses[address] = None
    return Refusals(dict(attacks), full, tuple(addresses))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the access log of a rest-server, Apache's combined format: who asked for what no honest client asks for.

restic's protocol knows few requests, so what is in order is described, and everything else counts: what was refused, a
path that climbs (rest-server 0.13 logs it as it came, and answers 301), a method or place that restic doesn't know.
What a thief writes into his request must not hide it: a user in the URL is logged as it is, line breaks too, and
journald cuts lines of more than 48 KiB.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from ..health import Refusals

_FULL = 507
_FAILURE = 500
_BLOB = "(?:data|keys|index|snapshots|locks)/[0-9a-f]{64}"
_LIST = "(?:data|keys|index|snapshots|locks)/"
_REPOSITORY = '/[^/?" ]+/'
_READ = f"(?:GET|HEAD) {_REPOSITORY}(?:config|{_LIST}|{_BLOB})"
_WRITE = rf"POST {_REPOSITORY}(?:config|{_BLOB}|\?create=true)"
_UNLOCK = f"DELETE {_REPOSITORY}locks/[0-9a-f]{{64}}"
_CLEAN_UP = f"DELETE {_REPOSITORY}{_BLOB}"
_PROTOCOL = "HTTP/[0-9.]+"
_BEGINNING = r"\S+ - - \[[^]]*\]"
_REST = r'[0-9]+ "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"'
# A line of what restic asks for, with an answer that refuses nothing. 416: the file is shorter than its index says, a
# damage. Also a pattern of PCRE, for journalctl.
IN_ORDER = (
    f'{_BEGINNING} "(?:'
    f'{_READ} {_PROTOCOL}" (?:200|206|404|416)|{_WRITE} {_PROTOCOL}" 200|{_UNLOCK} {_PROTOCOL}" (?:200|404)'
    f") {_REST}"
)
# Four times what the longest honest line has.
_LONGEST = 1000
_WHOLE = re.compile(rf'(?:{_BEGINNING}) "(\S+ (\S+)) {_PROTOCOL}" (\d{{3}}) {_REST}')
_ANSWER = re.compile(rf' {_PROTOCOL}" (\d{{3}}) ')
_in_order = re.compile(IN_ORDER).fullmatch
_own = re.compile(f"{_READ}|{_WRITE}|{_CLEAN_UP}").fullmatch


def refusals(lines: Iterable[str]) -> Refusals:
    """What an access log of rest-server says was refused, or is no request of restic's.

    restic cleans up after each upload that failed, and an append-only server refuses that: such a DELETE is no attack.
    A failure of the server's own (500) isn't one either.
    """
    attacks: Counter[int] = Counter()
    addresses: dict[str, None] = {}
    failed: Counter[str] = Counter()
    full = 0
    last_full = 0.0
    for line in lines:
        if _in_order(line):
            continue
        # A whole line can be believed; of a broken one the thief may have written the half that is before the break.
        whole = _WHOLE.fullmatch(line)
        if whole and _own(whole[1]):
            target, status = whole[2], int(whole[3])
            if whole[1].startswith("POST "):
                failed[target] += 1
            if status == _FULL:
                full += 1
                last_full = max(last_full, _moment(line))
                continue
            if status >= _FAILURE:
                continue
            if whole[1].startswith("DELETE ") and status == 403 and failed[target]:
                failed[target] -= 1
                continue
        answers = _ANSWER.findall(line)
        if not answers and len(line) <= _LONGEST:
            continue
        attacks[int(answers[-1]) if answers else 0] += 1
        if whole:
            addresses[line.split(maxsplit=1)[0]] = None
    return Refusals(dict(attacks), full, last_full, tuple(addresses))


def _moment(line: str) -> float:
    """When a request was answered, in epoch seconds; 0 where its line doesn't say."""
    try:
        return datetime.strptime(line.partition("[")[2].partition("]")[0], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return 0

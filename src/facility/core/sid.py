# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' security identifiers: names of accounts are translated and change, these don't."""

from __future__ import annotations

import re

SID = re.compile(r"S-1-(?:0|[1-9]\d{0,14})(?:-(?:0|[1-9]\d{0,9})){1,15}")
"""A SID as text; nothing else of it is special to cmd, WMI or ADSI."""
_HEAD = 8
_PART = 4
_MOST_PARTS = 15


def sid_text(data: bytes) -> str:
    """Return a SID as text, like S-1-5-32-545.

    Args:
        data: the bytes of objectSid ([MS-DTYP] 2.4.2.2): revision, count, six bytes of authority, and the parts, four
            bytes each, the lowest first.

    Raises:
        ValueError: for what is no SID.
    """
    if len(data) < _HEAD or data[0] != 1 or not 1 <= data[1] <= _MOST_PARTS or len(data) != _HEAD + _PART * data[1]:
        raise ValueError(f"{len(data)} bytes that are no SID")
    parts = [int.from_bytes(data[at : at + _PART], "little") for at in range(_HEAD, len(data), _PART)]
    return "-".join(["S-1", str(int.from_bytes(data[2:_HEAD], "big")), *map(str, parts)])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Active Directory's times: FILETIME (100-ns ticks since 1601-01-01 UTC) and negative intervals [MS-ADTS, MS-DTYP]."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NEVER = "never"
# Both values mean "never" in accountExpires: 0 by definition, the other is what the server sets by itself.
FILETIME_NEVER = 0x7FFFFFFFFFFFFFFF
INTERVAL_NEVER = -0x8000000000000000
TICKS_PER_MINUTE = 60 * 10_000_000
TICKS_PER_DAY = 24 * 60 * TICKS_PER_MINUTE
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SPELLING = "write it like 2026-12-31T23:59:59+01:00, or never"


def from_filetime(ticks: int) -> str:
    """ISO 8601 in UTC ("2026-06-30T22:00:00Z"), or "never"; beyond the year 9999 is never, too."""
    if ticks in {0, FILETIME_NEVER}:
        return NEVER
    try:
        found = _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return NEVER
    return found.isoformat().replace("+00:00", "Z")


def moment(ticks: int) -> datetime:
    """When that was; what a FILETIME can say beyond the year 9999 is the end of that year."""
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def generalized(text: str) -> datetime:
    """A moment as LDAP writes it, like 20261231225959.0Z [RFC 4517, 3.3.13].

    Raises:
        ValueError: If the text is none.
    """
    return datetime.strptime(text.partition(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def to_filetime(spelt: str) -> int:
    """The reverse of from_filetime; takes any offset.

    Raises:
        ValueError: If the text is no ISO 8601 date-time with an offset and not "never".
    """
    if spelt.strip().lower() == NEVER:
        return FILETIME_NEVER
    try:
        parsed = datetime.fromisoformat(spelt.strip())
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise ValueError(f'"{spelt}" is no date-time with an offset; {_SPELLING}')
    ticks = (parsed - _EPOCH) // _MICROSECOND * 10
    if ticks <= 0:
        raise ValueError(f'"{spelt}" is before 1601; {_SPELLING}')
    return ticks


def same_moment(spelt: str) -> str:
    """The one spelling of a moment that from_filetime uses, for comparing."""
    return from_filetime(to_filetime(spelt))


def interval(ticks: int, unit: int) -> int:
    """A negative interval as a count of the unit, rounded; "never" and none are 0."""
    return 0 if ticks == INTERVAL_NEVER else round(-ticks / unit)

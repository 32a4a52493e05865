# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of entries, each with its place, so that all that is wrong with them is named at once.

A problem is one line: file, entry, what is wrong, the cure. Standard library only, as all that a decision needs: it may
be made on a host that has nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .register_fields import Field, check_fields

FACILITY_FILE = "group_vars/all/facility.yml"

Located = list[tuple[str, dict[str, Any]]]
"""Entries, each with the place that a problem names: file, variable or key, number and name."""

_NAMING_KEYS = ("login", "name", "id")


class RegisterError(Exception):
    """All problems of a register, one line each."""

    def __init__(self, problems: list[str]) -> None:
        # A line end inside a value must not break a problem's one line.
        self.problems = ["".join(c if c.isprintable() else " " for c in problem) for problem in problems]
        super().__init__("\n".join(self.problems))


def entries(problems: list[str], place: str, found: object, *, optional: bool = False) -> Located:
    """The entries of a list, with their places; what is no entry becomes a problem.

    Args:
        problems: Gets what is wrong.
        place: Where the list stands.
        found: The parsed list.
        optional: Whether the list may be empty or missing.
    """
    if not isinstance(found, list) and found is not None:
        problems.append(f"{place}: must be a list, is {type(found).__name__}: begin each entry with a dash")
        return []
    if not found:
        if not optional:
            problems.append(f"{place}: has no entries: add at least one")
        return []
    located: Located = []
    for number, entry in enumerate(found, start=1):
        if not isinstance(entry, dict):
            problems.append(f'{place}, entry {number}: must be keys and values, is "{entry}": write key: value')
            continue
        named = next((key for key in _NAMING_KEYS if entry.get(key)), None)
        name = f' ({named} "{entry[named]}")' if named else ""
        located.append((f"{place}, entry {number}{name}", entry))
    return located


def checked(problems: list[str], located: Located, fields: Sequence[Field]) -> Located:
    """The same entries; what is wrong with their keys and values becomes problems."""
    for place, entry in located:
        problems.extend(f"{place}: {problem}" for problem in check_fields(entry, fields))
    return located


def refuse_twice(problems: list[str], located: Located, key: str) -> None:
    """A text that two entries have under a key, whatever its case, becomes a problem."""
    first: dict[str, str] = {}
    for place, entry in located:
        value = entry.get(key)
        if not isinstance(value, str):
            continue
        if value.lower() in first:
            other = first[value.lower()].rpartition(", ")[2]
            problems.append(f'{place}: {key} "{value}" is also that of {other}: give one of them another {key}')
        else:
            first[value.lower()] = place


def hint(name: str, known: Iterable[str]) -> str:
    """What a person may have meant by a name that isn't known; the known names if nothing is near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    if not names:
        return "there are none yet"
    shown = ", ".join(names[:20])
    return f"one of {shown}" if len(names) <= 20 else f"one of {len(names)}, {shown}, …"


def unknown(key: str, name: str, known: Iterable[str], where: str = "") -> str:
    """What is wrong with a name that doesn't exist, and the cure.

    Args:
        key: Under which key the name stands.
        name: The name.
        known: The names that there are.
        where: Where one could be added; "" if that is no cure.
    """
    return f'{key} "{name}" doesn\'t exist: {hint(name, known)}{f" (or add it to {where})" if where else ""}'


def filled(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without its keys that are null."""
    return {key: value for key, value in entry.items() if value is not None}

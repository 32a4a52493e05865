# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a register may hold, and what is wrong with one that holds something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

# Takes a value of the right type, returns what is wrong with it and the cure; None if nothing is.
Check = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an entry. null is the same as leaving the key out."""

    name: str
    required: bool = False
    types: tuple[type, ...] = (str,)
    check: Check = lambda _: None


def check_fields(entry: Mapping[Any, Any], fields: Sequence[Field]) -> list[str]:
    """Everything that is wrong with an entry's keys and values, in the entry's order."""
    known = {field.name: field for field in fields}
    problems = []
    for key, value in entry.items():
        field = known.get(key)
        if field is None:
            problems.append(_unknown(key, list(known)))
        elif value is not None:
            problem = _wrong(field, value)
            if problem:
                problems.append(f'{key} "{value}" {problem}')
    problems.extend(f"{f.name} is missing: add it" for f in fields if f.required and entry.get(f.name) is None)
    return problems


def one_of(choices: Sequence[str]) -> Check:
    """The value is one of the choices."""

    def check(value: str) -> str | None:
        if value in choices:
            return None
        close = get_close_matches(value, choices, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"one of {', '.join(choices)}"
        return f"doesn't exist: {hint}"

    return check


def text_like(pattern: re.Pattern[str], problem: str) -> Check:
    """The whole value matches the pattern."""
    return lambda value: None if pattern.fullmatch(value) else problem


def _wrong(field: Field, value: object) -> str | None:
    # bool before all: YAML reads the family name No as false
    if not isinstance(value, field.types) or isinstance(value, bool):
        kind = {bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
        cure = "write a day like 2026-12-31" if date in field.types else "write text, in quotes"
        return f"must be text, is {kind.get(type(value), type(value).__name__)}: {cure}"
    if isinstance(value, str):
        if not value.strip():
            return "is empty: fill it in, or remove the key"
        if value != value.strip() or not value.isprintable():
            return "has blanks at an end or control characters: remove them"
    return field.check(value)


def _unknown(key: object, known: list[str]) -> str:
    close = get_close_matches(str(key), known, n=1)
    cure = f'did you mean "{close[0]}"?' if close else f"remove it; the keys are {', '.join(known)}"
    return f'unknown key "{key}": {cure}'

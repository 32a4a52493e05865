# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a register may hold, and what is wrong with one that holds something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

# Takes a value of the right type, returns what is wrong with it and the cure; None if nothing is.
Check = Callable[[Any], str | None]

LONGEST_TEXT = 1000
DAY_CURE = "write a day like 2026-12-31"
# sAMAccountName allows more; every system that shares these accounts (POSIX, OMERO, SMB, PPMS) allows this.
_LOGIN = re.compile(r"[a-z]([a-z0-9._-]{0,18}[a-z0-9_-])?")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_LOGIN_PROBLEM = "is no login: use 1 to 20 of a-z 0-9 . _ -, beginning with a letter"
NAME_PROBLEM = "is no name: use 1 to 40 of a-z 0-9 -, beginning with a letter"

_KINDS_OF_VALUE = {
    bool: "true/false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    str: "text",
}
# What a field wants that takes no text: in words, and how to write it.
_WANTED = {int: ("a number", "write digits, without quotes"), list: ("a list", "write it like [one, two]")}


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
                problems.append(f'{key} "{_shown(value)}" {problem}')
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


def number_from(low: int, high: int) -> Check:
    """The value is a number of this range."""
    return lambda value: None if low <= value <= high else f"is out of range: choose {low} to {high}"


def list_of(check: Check, *, kind: type = str) -> Check:
    """Each item is of a kind and right, and none stands there twice."""

    def check_list(values: Sequence[Any]) -> str | None:
        for value in values:
            if not isinstance(value, kind) or isinstance(value, bool):
                return f'holds "{value}", which is not {_KINDS_OF_VALUE[kind]}: mend it'
            problem = check(value)
            if problem:
                return f'holds "{value}", which {problem}'
        twice = next((value for number, value in enumerate(values) if value in values[:number]), None)
        return None if twice is None else f'holds "{twice}" twice: remove one'

    return check_list


def named(value: str) -> str | None:
    """The value is a name of ours, as research groups, instruments and requirements have them."""
    return None if _NAME.fullmatch(value) else NAME_PROBLEM


def login_like(value: str) -> str | None:
    """The value could be a login."""
    return None if _LOGIN.fullmatch(value) else _LOGIN_PROBLEM


def a_day(value: object) -> str | None:
    """The value is a day, as text like 2026-12-31 or as YAML reads it."""
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            return f"is no date: {DAY_CURE}"
        return None if len(value) == 10 else f"is no date of this form: {DAY_CURE}"
    return None if isinstance(value, date) and not isinstance(value, datetime) else f"is no date: {DAY_CURE}"


def _wrong(field: Field, value: object) -> str | None:
    # bool before all: YAML reads the family name No as false
    if not isinstance(value, field.types) or isinstance(value, bool):
        wanted, cure = _WANTED.get(field.types[0], ("text", "write text, in quotes"))
        cure = DAY_CURE if date in field.types else cure
        return f"must be {wanted}, is {_KINDS_OF_VALUE.get(type(value), type(value).__name__)}: {cure}"
    if isinstance(value, str):
        if not value.strip():
            return "is empty: fill it in, or remove the key"
        if value != value.strip() or not value.isprintable():
            return "has blanks at an end or control characters: remove them"
        if len(value) > LONGEST_TEXT:
            return f"is longer than {LONGEST_TEXT} characters: shorten it"
    return field.check(value)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _unknown(key: object, known: list[str]) -> str:
    close = get_close_matches(_shown(key), known, n=1)
    cure = f'did you mean "{close[0]}"?' if close else f"remove it; the keys are {', '.join(known)}"
    return f'unknown key "{_shown(key)}": {cure}'

# SPDX-License-Identifier: GPL-3.0-or-later
"""How facts are written, in YAML and JSON Lines alike: the keys of each kind, from an entry to a fact and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

from .entries import filled
from .facts import ALWAYS, BY_PEOPLE_FILE, Attendance, Block, Document, Exemption, Fact, Person, Session, Use
from .person_fields import person_fields
from .policy import DOORS
from .register_fields import DAY_CURE, Field, a_day, login_like, named, number_from, one_of, text_like

# It can't be made by a stolen register: people.yml alone makes IT administrators.
PERSON_KINDS = ("researcher", "staff")
FORMS = ("oral", "electronic")
STATES = ("planned", "held")
RESULTS = ("attended", "passed", "failed")
DOCUMENT_TYPES = ("pdf", "jpeg", "png")
BLOCK_REASONS = ("leave", "left", "misuse", "safety", "unpaid", "other")
LARGEST_DOCUMENT = 20_000_000

_ID = text_like(re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), "is no id: use 1 to 64 of a-z A-Z 0-9 . _ -")
_SHA256 = text_like(re.compile(r"[0-9a-f]{64}"), "is no SHA-256: write its 64 digits of 0-9 a-f")


@lru_cache(maxsize=100_000)
def _plausible(text: str) -> str | None:
    problem = a_day(text)
    if problem or 1950 <= int(text[:4]) <= 2199:
        return problem
    return f"is no year of ours: {DAY_CURE}"


def _a_plausible_day(value: object) -> str | None:
    # A mistyped 0206-05-03 is a date as well. As text already where YAML read no dates, as we do.
    return _plausible(str(value)) if a_day(value) is None else a_day(value)


def _a_day_or_always(value: object) -> str | None:
    return None if str(value) == ALWAYS.isoformat() else _a_plausible_day(value)


def _day(name: str, *, required: bool = False) -> Field:
    return Field(name, required=required, types=(str, date), check=_a_plausible_day)


_COMMON = (
    Field("id", required=True, check=_ID),
    Field("recorded_by", required=True, check=lambda login: None if login == BY_PEOPLE_FILE else login_like(login)),
    Field("recorded_at", required=True, types=(str, date), check=_a_day_or_always),
    Field("revoked_by", check=login_like),
    _day("revoked_at"),
    Field("revoke_reason"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact.

    Attributes:
        name: As JSON Lines call it.
        key: Its list's key in a YAML file.
        make: The class.
        fields: The keys.
    """

    name: str
    key: str
    make: Callable[..., Fact]
    fields: tuple[Field, ...]


_PERSON = Field("person", required=True, check=login_like)
_OPTIONAL_TARGETS = (Field("requirement", check=named), Field("instrument", check=named))
KINDS = (
    Kind("person", "people", Person, (
        *(_day(one.name) if one.name == "valid_until" else one for one in person_fields(PERSON_KINDS)),
        _day("valid_from"), Field("replaces", check=_ID),
    )),
    Kind("session", "sessions", Session, (
        *_OPTIONAL_TARGETS, _day("date", required=True), Field("by", required=True, check=login_like),
        Field("form", required=True, check=one_of(FORMS)), Field("state", required=True, check=one_of(STATES)),
        Field("content_version"), Field("max_people", types=(int,), check=number_from(1, 1000)),
        Field("note"),
    )),
    Kind("attendance", "attendances", Attendance, (
        Field("session", required=True, check=_ID), _PERSON, Field("result", check=one_of(RESULTS)),
        Field("document", check=_ID),
    )),
    Kind("document", "documents", Document, (
        Field("person", check=login_like), Field("requirement", check=named), Field("session", check=_ID),
        Field("sha256", required=True, check=_SHA256), Field("type", required=True, check=one_of(DOCUMENT_TYPES)),
        Field("size", required=True, types=(int,), check=number_from(1, LARGEST_DOCUMENT)),
        _day("issued_on", required=True), _day("valid_until"),
    )),
    Kind("exception", "exceptions", Exemption, (
        _PERSON, *_OPTIONAL_TARGETS, _day("from", required=True), _day("until", required=True),
        Field("reason", required=True), Field("granted_by", required=True, check=login_like),
        Field("second_by", check=login_like),
    )),
    Kind("block", "blocks", Block, (
        _PERSON, Field("door", check=one_of(DOORS)), Field("instrument", check=named), _day("from", required=True),
        _day("until"), Field("reason", required=True, check=one_of(BLOCK_REASONS)),
    )),
    Kind("use", "uses", Use, (_PERSON, Field("instrument", required=True, check=named), _day("date", required=True))),
)  # fmt: skip
KIND_OF_FACT = {kind.make: kind for kind in KINDS}
KIND_OF_NAME = {kind.name: kind for kind in KINDS}
KIND_OF_KEY = {kind.key: kind for kind in KINDS}

# Two keys are words of Python.
_WRITTEN = {"begins": "from", "ends": "until"}
_ATTRIBUTES = {written: attribute for attribute, written in _WRITTEN.items()}
_DAYS = frozenset({
    "recorded_at", "revoked_at", "valid_from", "valid_until", "date", "issued_on", "from", "until",
})  # fmt: skip
_day_of: Callable[[str], date] = lru_cache(maxsize=100_000)(date.fromisoformat)


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """All keys that an entry of a kind may have."""
    return (*_COMMON, *kind.fields)


def fact_of(kind: Kind, entry: Mapping[str, Any]) -> Fact:
    """The fact that a checked entry describes."""
    values = {
        _ATTRIBUTES.get(key, key): _day_of(str(value)) if key in _DAYS else value
        for key, value in filled(entry).items()
    }
    fact: Fact = kind.make(**values)
    return fact


def entry_of(fact: Fact) -> dict[str, Any]:
    """The entry that describes a fact: what fact_of reads back as the same fact."""
    return dict(_entry_items(fact))


def _entry_items(fact: Fact) -> Iterator[tuple[str, Any]]:
    for one in fields(fact):
        value = getattr(fact, one.name)
        if value is not None:
            yield _WRITTEN.get(one.name, one.name), value.isoformat() if isinstance(value, date) else value

# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the table of entries and facts: what is read for one act or page is what belongs to its people, not all."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from ..people.fact_fields import KIND_OF_FACT, KIND_OF_NAME, entry_of, fact_of
from ..people.facts import Attendance, Document, Fact, Facts, Person
from .models import Entry

_RECORDING = ("id", "recorded_by", "recorded_at", "revoked_by", "revoked_at", "revoke_reason")


def fact(entry: Entry) -> Fact:
    """The fact of a row."""
    return fact_of(KIND_OF_NAME[entry.kind], as_entry(entry))


def as_entry(entry: Entry) -> dict[str, Any]:
    """A row's keys and values, as people.interchange has them."""
    recording = {name: getattr(entry, name) for name in _RECORDING}
    return {**entry.body, **{name: _text(value) for name, value in recording.items() if value is not None}}


def row(one: Fact) -> Entry:
    """The row of a fact."""
    entry = entry_of(one)
    return Entry(
        kind=KIND_OF_FACT[type(one)].name,
        login=login_of(one),
        session=session_of(one),
        salt=secrets.token_hex(16),
        body={key: value for key, value in entry.items() if key not in _RECORDING},
        **{name: getattr(one, name) for name in _RECORDING},
    )


def login_of(one: Fact) -> str:
    """Whose fact it is; "" of a session and of what belongs to a session alone."""
    return one.login if isinstance(one, Person) else getattr(one, "person", None) or ""


def session_of(one: Fact) -> str:
    """The id of the session to which an attendance or a document belongs; "" of other facts."""
    return (one.session or "") if isinstance(one, Attendance | Document) else ""


def everything() -> list[Fact]:
    """All facts."""
    return [fact(entry) for entry in Entry.objects.iterator()]


def people() -> list[Fact]:
    """All facts that say who there is, revoked ones as well: no login is given twice."""
    return [fact(entry) for entry in Entry.objects.filter(kind="person")]


def around(logins: Collection[str], sessions: Collection[str] = ()) -> list[Fact]:
    """All that belongs to some people and sessions, and what that refers to; who others are is not among it.

    Args:
        logins: Whose facts.
        sessions: Ids; with them come all who are in them.
    """
    found = {one.id: one for one in Entry.objects.filter(login__in=list(logins))}
    ids = {one.session for one in found.values() if one.session} | set(sessions)
    found |= {one.id: one for one in Entry.objects.filter(Q(id__in=ids) | Q(session__in=ids))}
    papers = {one.body["document"] for one in found.values() if one.kind == "attendance" and "document" in one.body}
    found |= {one.id: one for one in Entry.objects.filter(kind="document", id__in=papers - found.keys())}
    return [fact(one) for one in found.values()]


def facts(logins: Collection[str]) -> Facts:
    """All that a decision about some people needs."""
    return Facts.of(around(logins))


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def sum_of(entry: Entry) -> str:
    """A row's sum as it was recorded, by which the audit knows it again; whether it was revoked is not in it."""
    body = {key: value for key, value in as_entry(entry).items() if not key.startswith("revoke")}
    text = json.dumps([entry.salt, entry.kind, body], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def rows(found: Iterable[Fact]) -> list[Entry]:
    """The rows of facts."""
    return [row(one) for one in found]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written of a person, in people.yml and as a fact, and what is refused in both alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from .entries import FACILITY_FILE, unknown
from .register_fields import Field, a_day, login_like, one_of, text_like

KINDS = ("researcher", "staff", "it_admin")

_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
# Accounts that every domain or host has already; a person of that name would take them over.
_RESERVED_LOGINS = frozenset({"administrator", "guest", "krbtgt", "nobody", "root", "omero"})


def new_login(value: str) -> str | None:
    """The value may be given to a person as login."""
    if value in _RESERVED_LOGINS:
        return "is a built-in account's name: choose another"
    return login_like(value)


def person_fields(kinds: tuple[str, ...]) -> tuple[Field, ...]:
    """The keys of a person who may be of these kinds."""
    return (
        Field("login", required=True, check=new_login),
        Field("given_name", required=True),
        Field("family_name", required=True),
        Field("mail", required=True, check=text_like(_MAIL, "is no mail address: write it like name@example.org")),
        Field("kind", required=True, check=one_of(kinds)),
        Field("research_group"),
        Field("valid_until", types=(str, date), check=a_day),
    )


def group_problems(person: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """What is wrong with a person's research group and last day."""
    kind, group = person.get("kind"), person.get("research_group")
    if kind == "researcher":
        if group is None:
            yield f"a researcher needs research_group: one of {', '.join(known)}"
        if person.get("valid_until") is None:
            yield "a researcher needs valid_until: the last day of the account, like 2026-12-31"
    elif kind in KINDS and group is not None:
        yield f"a person of kind {kind} has no research_group: remove it, or set kind: researcher"
    if isinstance(group, str) and group not in known:
        yield unknown("research_group", group, known, f"facility_research_groups in {FACILITY_FILE}")

# SPDX-License-Identifier: GPL-3.0-or-later
"""From entries, wherever they were read, to facts: all or nothing, and every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice
from typing import Any

from .entries import RegisterError
from .fact_fields import Kind, fact_of, fields_of
from .fact_rules import Placed, Rules
from .facts import Facts, Person
from .policy import Policy
from .register_fields import check_fields

MOST_PROBLEMS = 200

Entry = tuple[str, Kind, Mapping[str, Any]]
"""Where it is written, what it is, and its keys and values."""


def validated(
    written: Iterable[Entry],
    register: Iterable[Person],
    policy: Policy,
    today: date | None = None,
    *,
    exported: bool = False,
) -> Facts:
    """Check entries, each by itself and all together.

    Args:
        written: The entries.
        register: The people of people.yml; of an export, the IT administrators among them.
        policy: What they must fit.
        today: Nothing can have been recorded later; None: not looked at.
        exported: Whether the entries are an export, which has the people of people.yml in it.

    Returns:
        The facts, with the people of people.yml.

    Raises:
        RegisterError: With all problems, or the first MOST_PROBLEMS of them.
    """
    problems: list[str] = []
    placed: list[Placed] = []
    unread: set[str] = set()
    for place, kind, entry in written:
        found = check_fields(entry, fields_of(kind))
        if found:
            problems.extend(f"{place}: {problem}" for problem in found)
            unread |= {value for key in ("id", "login") if isinstance(value := entry.get(key), str)}
        else:
            placed.append((place, fact_of(kind, entry)))
    people = list(register)
    rules = Rules(placed, people, policy, today, unread, exported=exported).problems()
    # Each "did you mean" looks through all people: an export full of nonsense must not keep the controller for an hour.
    problems.extend(islice(rules, max(0, MOST_PROBLEMS - len(problems))))
    if problems:
        more = ["there may be more: mend these first"] if len(problems) >= MOST_PROBLEMS else []
        raise RegisterError(problems[:MOST_PROBLEMS] + more)
    return Facts.of([*people, *(fact for _, fact in placed)])

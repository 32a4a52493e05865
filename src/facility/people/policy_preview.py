# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom another policy would shut out or let in, door by door and day by day, before anybody deploys it.

Nothing is thought here: access.decide decides by both policies, from the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import yaml

from . import policy as policies
from .access import PPMS, decide
from .entries import RegisterError
from .facts import IT_ADMIN, Known, Person
from .policy import Policy
from .register import parsed

DAYS = 30
"""How far a preview looks ahead."""
LARGEST = 500_000
_LAID_BESIDE = {"facility", "administrators"}


class Shift(NamedTuple):
    """People for whom a door differs from a day on.

    Attributes:
        door: as access.decide names it.
        day: the first on which it differs.
        opens: whether the other policy opens it, where today's shuts it; or the other way round.
        people: who they are, by login.
    """

    door: str
    day: date
    opens: bool
    people: tuple[Person, ...]


def policy_in(content: bytes, name: str) -> Policy:
    """The policy in a file.

    Args:
        content: The file: facility.yml, or the policy.json that lies beside the register.
        name: What problems call it.

    Raises:
        RegisterError: It can't be read, or makes no sense, with all problems.
    """
    if len(content) > LARGEST:
        raise RegisterError([f"{name}: is larger than {LARGEST // 1000} kB: give facility.yml alone"])
    try:
        document = parsed(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RegisterError([f"{name}: is no UTF-8 text (byte {error.start}): save it as UTF-8"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise RegisterError([f"{name}{line}: is no YAML: mend it there"]) from None
    if not isinstance(document, Mapping):
        raise RegisterError([f"{name}: must be keys and values: give facility.yml"])
    described: Any = {
        key: document[f"facility_{key}"] for key in policies.KEYS if f"facility_{key}" in document
    }  # fmt: skip
    if set(document) == _LAID_BESIDE:
        described = document["facility"]
    if not isinstance(described, Mapping) or not described:
        raise RegisterError([f"{name}: has no facility_instruments and nothing else of a policy: give facility.yml"])
    return policies.validated(described)


def preview(known: Known, before: Policy, after: Policy, today: date, days: int = DAYS) -> list[Shift]:
    """What differs for whom, if nothing is recorded meanwhile.

    Args:
        known: What is known now.
        before: The policy that holds.
        after: The other one.
        today: The first day that is looked at.
        days: How many days after it are looked at, too.

    Returns:
        By door in the order of the policies, then by day. A person stands with a door once for each direction. A door
        that only one policy knows is shut in the other. PPMS has what the log-on has and isn't named; nobody decides
        about IT administrators.
    """
    last = today + timedelta(days=days)
    found: dict[tuple[str, date, bool], list[Person]] = {}
    doors: dict[str, None] = {}
    for login in sorted(known.people):
        person = known.people[login]
        if person.kind == IT_ADMIN:
            continue
        was = dict(_open_doors(person, known, before, today, last))
        becomes = dict(_open_doors(person, known, after, today, last))
        for one in (was, becomes):
            doors |= dict.fromkeys(door for states in one.values() for door in states)
        said: set[tuple[str, bool]] = set()
        now: dict[str, bool] = {}
        then: dict[str, bool] = {}
        for day in sorted({*was, *becomes}):
            now, then = was.get(day, now), becomes.get(day, then)
            for door in doors:
                opens = then.get(door, False)
                if opens != now.get(door, False) and (door, opens) not in said:
                    said.add((door, opens))
                    found.setdefault((door, day, opens), []).append(person)
    order = {door: number for number, door in enumerate(doors)}
    listed = sorted(found.items(), key=lambda one: (order[one[0][0]], one[0][1], one[0][2]))
    return [Shift(door, day, opens, tuple(people)) for (door, day, opens), people in listed]


def _open_doors(
    person: Person, known: Known, policy: Policy, first: date, last: date
) -> Iterator[tuple[date, dict[str, bool]]]:
    """By day which doors are open from then on; a decision holds until its next change."""
    day: date | None = first
    while day is not None and day <= last:
        decision = decide(person, known, policy, day)
        yield day, {name: one.open for name, one in decision.doors.items() if not name.startswith(PPMS)}
        day = decision.next_change

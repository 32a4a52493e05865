# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is to be reminded of what on a day: pure, from decisions and from what was sent before.

A reminder is known by person, demand, last day and stage, so that a date that is edited begins anew, one that is edited
back does not, and a night that was missed is made up for. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from .access import Decision
from .facts import Person
from .policy import Policy

ACCOUNT = "account"
TRAINING = "training:"
STAGES = (30, 14, 3)
"""Days before an end, where the policy says nothing else."""


class Reminder(NamedTuple):
    """One reminder.

    Attributes:
        login: whose.
        what: the requirement, training:<instrument>, or account.
        due: the last day.
        stage: so many days before it, at most.
    """

    login: str
    what: str
    due: date
    stage: int


def due_on(
    day: date,
    people: Mapping[str, Person],
    decisions: Mapping[str, Decision],
    policy: Policy,
    sent: Collection[Reminder],
) -> dict[str, list[Reminder]]:
    """What is to be sent on a day.

    Args:
        day: The day.
        people: Everybody, by login.
        decisions: What was decided about them on that day.
        policy: How long before an end people are reminded.
        sent: What was sent already.

    Returns:
        By login the reminders of one mail, the next end first; nobody without one, and no IT administrator.
    """
    urgent: dict[tuple[str, str, date], int] = {}
    for one in sent:
        key = (one.login, one.what, one.due)
        urgent[key] = min(one.stage, urgent.get(key, one.stage))
    found: dict[str, list[Reminder]] = {}
    for login, decision in decisions.items():
        if decision.untouched or not decision.account.open:
            continue
        for what, due, stages in ends_of(people[login], decision, policy):
            stage = min((stage for stage in stages if stage >= (due - day).days >= 0), default=None)
            if stage is not None and stage < urgent.get((login, what, due), stage + 1):
                found.setdefault(login, []).append(Reminder(login, what, due, stage))
    return {login: sorted(reminders, key=lambda one: (one.due, one.what)) for login, reminders in found.items()}


def ends_of(person: Person, decision: Decision, policy: Policy) -> Iterator[tuple[str, date, tuple[int, ...]]]:
    """What of a person ends, its last day, and how long before that to remind."""
    if person.valid_until is not None:
        yield ACCOUNT, person.valid_until, STAGES
    for what, outcome in decision.standing.items():
        if outcome.open and outcome.until is not None:
            requirement = policy.requirements.get(what)
            yield what, outcome.until, requirement.remind_days if requirement else STAGES

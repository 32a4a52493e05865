# SPDX-License-Identifier: GPL-3.0-or-later
"""What was decided about each person, kept in a table so that lists need not decide about everybody.

A row holds until the person's next_change, and while the policy is the same; who reads it has it made anew first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from ..people.access import Decision, decide
from ..people.facts import Attendance, Facts, Person, Session
from . import store
from .models import Ending, Entry, Standing
from .policy_file import Reviewed

_SLICE = 500
_looked: set[tuple[str, date, str]] = set()


def renew(logins: Collection[str], rules: Reviewed) -> None:
    """Decide about these people, and keep it; who no longer is somebody has no row."""
    listed = sorted(logins)
    for begin in range(0, len(listed), _SLICE):
        some = listed[begin : begin + _SLICE]
        with transaction.atomic():
            known = store.facts(some).known()
            Standing.objects.filter(login__in=some).delete()
            Ending.objects.filter(login__in=some).delete()
            people = {login: known.people[login] for login in some if login in known.people}
            decisions = {login: decide(person, known, rules.policy, rules.today) for login, person in people.items()}
            Standing.objects.bulk_create(_row(people[login], one, rules) for login, one in decisions.items())
            Ending.objects.bulk_create(
                Ending(login=login, name=_name(people[login]), what=what, day=day)
                for login, one in decisions.items() for what, day in endings(people[login], one)
            )  # fmt: skip


def renew_stale(rules: Reviewed) -> int:
    """Decide about everybody whose row no longer holds; give how many there were."""
    held = Standing.objects.filter(Q(next_change=None) | Q(next_change__gt=rules.today), policy=rules.digest)
    people = Entry.objects.filter(kind="person", revoked_by=None)
    stale = list(people.exclude(login__in=held.values("login")).values_list("login", flat=True))
    renew(stale, rules)
    return len(stale)


def fresh(rules: Reviewed) -> None:
    """Have all rows hold today. Acts keep them so; a process looks once a day, and when the policy is another."""
    key = (str(settings.FACILITY.database), rules.today, rules.digest)
    if key not in _looked:
        renew_stale(rules)
        _looked.clear()
        _looked.add(key)


def _name(person: Person) -> str:
    return f"{person.family_name}, {person.given_name}"


def _row(person: Person, decision: Decision, rules: Reviewed) -> Standing:
    login, name = person.login, _name(person)
    return Standing(
        login=login,
        name=name,
        search=f"{person.given_name} {name} {login} {person.mail} {person.research_group or ''}".casefold(),
        kind=person.kind,
        research_group=person.research_group or "",
        last_day=person.valid_until,
        state=decision.log_in.state,
        doors={door: outcome.state for door, outcome in decision.doors.items()},
        next_change=decision.next_change,
        policy=rules.digest,
    )


def endings(person: Person, decision: Decision) -> Iterator[tuple[str, date]]:
    """What of a person runs out, and its last day."""
    if person.valid_until:
        yield "account", person.valid_until
    for name, outcome in decision.standing.items():
        if outcome.open and outcome.until:
            yield name, outcome.until


def decided(login: str, rules: Reviewed, day: date | None = None) -> tuple[Person, Decision, Facts] | None:
    """A person as known now, what holds on a day (today if none is given), and the facts; None for an unknown login."""
    facts = store.facts([login])
    known = facts.known()
    person: Any = known.people.get(login)
    return (person, decide(person, known, rules.policy, day or rules.today), facts) if person else None


def session_with_people(session: str) -> tuple[Session, list[Attendance]] | None:
    """A session, and who stands in it; None if there is no such session."""
    found = store.around((), [session])
    sessions = [one for one in found if isinstance(one, Session) and one.id == session]
    attendances = [
        one for one in found if isinstance(one, Attendance) and one.session == session and one.revoked_by is None
    ]
    return (sessions[0], sorted(attendances, key=lambda one: one.id)) if sessions else None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every change of the register: proposed, looked at, and then made as a whole or not at all.

Pages and commands come through here alone. What a change leads to is decided before it is made, from the same facts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction

from ..people.access import Decision, decide
from ..people.entries import RegisterError
from ..people.fact_fields import KIND_OF_FACT, KIND_OF_NAME, fact_of, fields_of
from ..people.fact_rules import Rules
from ..people.facts import Document, Fact, Facts, Known, Person
from ..people.register_fields import check_fields
from . import audit, erasure, proofs, standings, store
from .models import Entry, Touched
from .policy_file import Reviewed, reviewed


class ConflictError(Exception):
    """Somebody else changed the same in the meantime: whose work it is must look again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to record and to revoke.

    Attributes:
        act: what is done, in a few words, for the audit.
        new: entries as people.interchange has them, with the key `fact`, without those of recording; an `id` may be
            given so that they can refer to each other.
        revoked: ids of facts that stand, and no longer shall.
        reason: why they are revoked.
        lines: where each entry of new stands, for what is wrong with it; empty: its kind says enough.
    """

    act: str
    new: Sequence[Mapping[str, Any]] = ()
    revoked: Sequence[str] = ()
    reason: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change means for one person: decided before and after it. before is None for somebody new."""

    person: Person
    before: Decision | None
    after: Decision | None

    @property
    def doors(self) -> dict[str, tuple[str, str]]:
        """The doors that open or shut, or whose state differs: by door the state before and after."""
        before = {name: one.state for name, one in self.before.doors.items()} if self.before else {}
        after = {name: one.state for name, one in self.after.doors.items()} if self.after else {}
        names = dict.fromkeys([*before, *after])
        states = {name: (before.get(name, "denied"), after.get(name, "denied")) for name in names}
        return {name: pair for name, pair in states.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that can be made, and what it leads to."""

    added: tuple[Fact, ...]
    revoked: tuple[Fact, ...]
    effects: tuple[Effect, ...]


def policy() -> Reviewed:
    """The policy that holds now."""
    return reviewed(settings.FACILITY.policy_file)


def people_at_once() -> int:
    """How many people one session may have."""
    return int(settings.FACILITY.people_at_once)


def new_id(kind: str) -> str:
    """An id that no other fact has."""
    return f"{kind}-{uuid.uuid4().hex}"


def propose(actor: str, change: Change) -> Proposal:
    """Look at a change without making it.

    Args:
        actor: The login of who wants it.
        change: What is wanted.

    Raises:
        RegisterError: It makes no sense, with all that is wrong.
        ConflictError: What is to be revoked no longer stands.
    """
    rules = policy()
    added, labels = _facts(change, actor, rules)
    gone = list(Entry.objects.filter(id__in=change.revoked))
    if len(gone) != len(set(change.revoked)) or any(one.revoked_by for one in gone):
        raise ConflictError
    if gone and not change.reason.strip():
        raise RegisterError(["the reason is missing: say in a few words why it is revoked"])
    revoked = [
        replace(store.fact(one), revoked_by=actor, revoked_at=rules.today, revoke_reason=change.reason.strip())
        for one in gone
    ]
    erased = [one.login for one in added if isinstance(one, Person) and erasure.was_erased(one.login)]
    if erased:
        raise RegisterError([f'login "{login}" was somebody\'s who was erased: choose another' for login in erased])
    if Entry.objects.filter(id__in=[one.id for one in added]).exists():
        # The same form, sent twice.
        raise ConflictError
    touched = {login for one in [*added, *revoked] if (login := store.login_of(one))}
    sessions = {one.id for one in [*added, *revoked] if KIND_OF_FACT[type(one)].name == "session"}
    sessions |= {session for one in [*added, *revoked] if (session := store.session_of(one))}
    before = {one.id: one for one in store.around(touched, sessions)}
    # Whoever is in a session that changes is touched with all that is theirs.
    touched |= {
        login for one in before.values() if store.session_of(one) in sessions and (login := store.login_of(one))
    }
    before |= {one.id: one for one in store.around(touched)} | {one.id: one for one in store.people()}
    after = before | {one.id: one for one in [*revoked, *added]}
    _check(before.values(), after.values(), labels, rules)
    return Proposal(tuple(added), tuple(revoked), _effects(touched, before.values(), after.values(), rules))


def make(actor: str, change: Change) -> Proposal:
    """Make a change, with its act in the audit and what follows for lists; all or nothing.

    Raises:
        RegisterError, ConflictError: As propose.
    """
    with transaction.atomic():
        proposal = propose(actor, change)
        rows = Entry.objects.bulk_create(store.rows(proposal.added))
        for one in proposal.revoked:
            told = {"revoked_by": actor, "revoked_at": one.revoked_at, "revoke_reason": one.revoke_reason}
            if Entry.objects.filter(id=one.id, revoked_by=None).update(**told) != 1:
                raise ConflictError
        payload = {"who": actor, "act": change.act, "reason": change.reason, "added": [one.id for one in rows],
                   "revoked": [one.id for one in proposal.revoked],
                   "people": sorted(effect.person.login for effect in proposal.effects)}  # fmt: skip
        for one in proposal.added:
            if isinstance(one, Document):
                proofs.must_be_there(one.sha256)
        act = audit.append(payload, added=[store.sum_of(one) for one in rows])
        for effect in proposal.effects:
            Touched.objects.update_or_create(login=effect.person.login, defaults={"act": act.number})
        standings.renew([effect.person.login for effect in proposal.effects], policy())
    return proposal


def _facts(change: Change, actor: str, rules: Reviewed) -> tuple[list[Fact], dict[str, str]]:
    """The facts that a change adds, recorded by somebody today; and by id what a problem calls each."""
    problems: list[str] = []
    made, labels = [], {}
    for number, entry in enumerate(change.new):
        kind = KIND_OF_NAME[entry["fact"]]
        keys = {key: value for key, value in entry.items() if key != "fact" and value not in {None, ""}}
        keys |= {"id": keys.get("id") or new_id(kind.name), "recorded_by": actor}
        keys["recorded_at"] = rules.today.isoformat()
        wrong = check_fields(keys, fields_of(kind))
        line = change.lines[number] if change.lines else ""
        problems += [f"{line or kind.name}: {problem}" for problem in wrong]
        if not wrong:
            made.append(fact_of(kind, keys))
            labels[made[-1].id] = line or _label(made[-1])
    if problems:
        raise RegisterError(problems)
    return made, labels


def _check(before: Iterable[Fact], after: Iterable[Fact], labels: Mapping[str, str], rules: Reviewed) -> None:
    """Refuse what is wrong because of the change; an old fact that a stricter policy forbids stops nobody's work."""
    found = _problems(after, labels, rules)
    if found:
        known = set(_problems(before, labels, rules))
        found = [problem for problem in found if problem not in known]
    if found:
        raise RegisterError(found)


def _problems(facts: Iterable[Fact], labels: Mapping[str, str], rules: Reviewed) -> list[str]:
    placed = [(labels.get(one.id) or f"{KIND_OF_FACT[type(one)].name} {one.id}", one) for one in facts]
    return list(Rules(placed, rules.administrators, rules.policy, rules.today, exported=True).problems())


def _label(one: Fact) -> str:
    login = store.login_of(one)
    return f"{KIND_OF_FACT[type(one)].name} of {login}" if login else KIND_OF_FACT[type(one)].name


def _effects(
    logins: Iterable[str], before: Iterable[Fact], after: Iterable[Fact], rules: Reviewed
) -> tuple[Effect, ...]:
    was, becomes = Facts.of(before).known(), Facts.of(after).known()

    def decided(known: Known, login: str) -> Decision | None:
        person = known.people.get(login)
        return decide(person, known, rules.policy, rules.today) if person else None

    return tuple(
        Effect(person, decided(was, login), decided(becomes, login))
        for login in sorted(logins)
        if (person := becomes.people.get(login) or was.people.get(login))
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes no sense among facts that are each well written: who, when, and what belongs to what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from .entries import FACILITY_FILE, unknown
from .facts import (
    ALWAYS,
    BY_PEOPLE_FILE,
    IT_ADMIN,
    Attendance,
    Block,
    Document,
    Exemption,
    Fact,
    Person,
    Session,
    Use,
)
from .person_fields import group_problems
from .policy import Instrument, Policy, Requirement

LONGEST_EXCEPTION_DAYS = 30

Placed = tuple[str, Fact]
"""A fact and where it is written."""


class Rules:
    """The rules, with all that a fact can refer to.

    Args:
        placed: All facts with their places.
        register: The people of people.yml.
        policy: The policy.
        today: Nothing can have been recorded later; None: not looked at.
        unread: Ids and logins of entries that aren't well written: what refers to one has no problem of its own.
        exported: Whether people of people.yml may be among the facts, as in an export.
    """

    def __init__(
        self,
        placed: Sequence[Placed],
        register: Iterable[Person],
        policy: Policy,
        today: date | None,
        unread: Iterable[str] = (),
        *,
        exported: bool = False,
    ) -> None:
        self._placed = placed
        self._register = list(register)
        self._policy = policy
        self._today = today
        self._unread = frozenset(unread)
        self._exported = exported
        self._sessions = {fact.id: fact for _, fact in placed if isinstance(fact, Session)}
        self._documents = {fact.id: fact for _, fact in placed if isinstance(fact, Document)}
        self._session_proofs = {document.session for document in self._documents.values()} - {None}
        self._people: dict[str, list[Person]] = {}
        for person in [*self._register, *(fact for _, fact in placed if isinstance(fact, Person))]:
            self._people.setdefault(person.login, []).append(person)
        self._staff = {login for login, facts in self._people.items() if any(one.kind != "researcher" for one in facts)}

    def problems(self) -> Iterator[str]:
        """All problems, in the order of the facts; those of several facts together come last."""
        yield from self._ids()
        for place, fact in self._placed:
            for problem in self._of(fact):
                yield f"{place}: {problem}"
        yield from self._logins()
        yield from self._places()
        yield from self._policy_people()

    def _of(self, fact: Fact) -> Iterator[str]:
        yield from self._recording(fact)
        if fact.revoked_at is not None:
            # It counts no more, and revoking is the cure where a fact no longer fits the policy.
            return
        match fact:
            case Person():
                yield from group_problems(_as_entry(fact), self._policy.groups)
                if fact.valid_from and fact.valid_until and fact.valid_until < fact.valid_from:
                    yield f"valid_until {fact.valid_until} is before valid_from {fact.valid_from}: mend one of them"
            case Session():
                yield from self._session(fact)
            case Attendance():
                yield from self._attendance(fact)
            case Document():
                yield from self._document(fact)
            case Exemption():
                yield from self._exception(fact)
            case Block():
                yield from self._block(fact)
            case Use():
                yield from self._person("person", fact.person)
                yield from self._instrument(fact.instrument)
                if fact.date > fact.recorded_at:
                    yield f"date {fact.date} is after recorded_at {fact.recorded_at}: use is recorded when it is over"

    # --- Who and when -------------------------------------------------------------------------------------------------

    def _recording(self, fact: Fact) -> Iterator[str]:
        if (fact.recorded_by == BY_PEOPLE_FILE) != (fact.recorded_at == ALWAYS):
            yield f'recorded_by "{BY_PEOPLE_FILE}" goes with recorded_at {ALWAYS} alone: write who recorded it and when'
        elif fact.recorded_by != BY_PEOPLE_FILE:
            yield from self._staff_member("recorded_by", fact.recorded_by)
        elif not (self._exported and isinstance(fact, Person)):
            yield f'recorded_by "{BY_PEOPLE_FILE}" is for people in an export: write who recorded it, and when'
        if self._today and fact.recorded_at > self._today:
            yield f"recorded_at {fact.recorded_at} is in the future: write the day on which it was recorded"
        given = [name for name in ("revoked_by", "revoked_at", "revoke_reason") if getattr(fact, name) is not None]
        if given and len(given) < 3:
            yield f"{given[0]} alone doesn't revoke it: write revoked_by, revoked_at and revoke_reason, or none of them"
        if fact.revoked_by is not None:
            yield from self._staff_member("revoked_by", fact.revoked_by)
        if fact.revoked_at is not None and fact.revoked_at < fact.recorded_at:
            yield f"revoked_at {fact.revoked_at} is before recorded_at {fact.recorded_at}: mend one of them"
        if self._today and fact.revoked_at is not None and fact.revoked_at > self._today:
            yield f"revoked_at {fact.revoked_at} is in the future: write the day on which it was revoked"

    def _staff_member(self, key: str, login: str) -> Iterator[str]:
        if login not in self._people:
            yield from self._person(key, login)
        elif login not in self._staff:
            yield f'{key} "{login}" is no member of the staff: staff record, revoke, train and grant'

    def _person(self, key: str, login: str) -> Iterator[str]:
        if login not in self._people and login not in self._unread:
            yield unknown(key, login, self._people)

    def _recorder(self, fact: Fact, requirement: Requirement | None) -> Iterator[str]:
        if requirement and requirement.recorded_by and fact.recorded_by not in requirement.recorded_by:
            allowed = ", ".join(requirement.recorded_by)
            yield f'recorded_by "{fact.recorded_by}" may not record {requirement.name}: {allowed} may'

    # --- What there is ------------------------------------------------------------------------------------------------

    def _requirement(self, name: str) -> Iterator[str]:
        if name not in self._policy.requirements:
            where = f"facility_requirements in {FACILITY_FILE}"
            yield unknown("requirement", name, self._policy.requirements, where)

    def _instrument(self, name: str) -> Iterator[str]:
        if name not in self._policy.instruments:
            where = f"facility_instruments in {FACILITY_FILE}"
            yield unknown("instrument", name, self._policy.instruments, where)

    def _target(self, requirement: str | None, instrument: str | None) -> Iterator[str]:
        if (requirement is None) == (instrument is None):
            yield "names one of requirement and instrument: write exactly one of them"
        if requirement is not None:
            yield from self._requirement(requirement)
        if instrument is not None:
            yield from self._instrument(instrument)

    # --- Kind by kind -------------------------------------------------------------------------------------------------

    def _session(self, session: Session) -> Iterator[str]:
        yield from self._target(session.requirement, session.instrument)
        yield from self._staff_member("by", session.by)
        if session.state == "held" and session.date > session.recorded_at:
            yield f"date {session.date} is after recorded_at {session.recorded_at}: what is to come has state: planned"
        if not self._works_on(session.by, session.date):
            yield f'by "{session.by}" has no account on {session.date}: name who gave it'
        requirement = self._policy.requirements.get(session.requirement or "")
        if requirement:
            yield from self._recorder(session, requirement)
            if requirement.form == "document":
                yield f"{requirement.name} is met by a document, not in a session: record the document"
            elif requirement.form not in {"any", session.form}:
                yield f'form "{session.form}" doesn\'t do for {requirement.name}: it must be {requirement.form}'
        instrument = self._policy.instruments.get(session.instrument or "")
        if instrument and instrument.trainers and session.by not in instrument.trainers:
            yield f'by "{session.by}" may not train on {instrument.name}: {", ".join(instrument.trainers)} may'

    def _works_on(self, login: str, day: date) -> bool:
        known = self._people.get(login, [])
        return not known or any(
            (one.valid_from is None or one.valid_from <= day) and (one.valid_until is None or day <= one.valid_until)
            for one in known
        )

    def _attendance(self, attendance: Attendance) -> Iterator[str]:
        yield from self._person("person", attendance.person)
        document = self._documents.get(attendance.document or "")
        if attendance.document is not None and document is None and attendance.document not in self._unread:
            yield unknown("document", attendance.document, self._documents)
        if document and document.person not in {None, attendance.person}:
            yield f'document "{document.id}" is of {document.person}: name one of {attendance.person}'
        session = self._sessions.get(attendance.session)
        if session is None:
            if attendance.session not in self._unread:
                yield unknown("session", attendance.session, self._sessions)
            return
        yield from self._result(attendance, session)
        if attendance.person == session.by:
            yield f'person "{attendance.person}" gave this session: nobody trains or briefs themselves'
        requirement = self._policy.requirements.get(session.requirement or "")
        yield from self._recorder(attendance, requirement)
        counts = attendance.result in {"attended", "passed"}
        if requirement and requirement.proof == "required" and counts:
            if attendance.document is None and session.id not in self._session_proofs:
                yield f"has no proof, which {requirement.name} requires: record its document, or one of the session"
        elif requirement and requirement.proof == "none" and attendance.document is not None:
            yield f"has a document, which {requirement.name} must not have: remove it"

    def _result(self, attendance: Attendance, session: Session) -> Iterator[str]:
        if session.state == "planned":
            if attendance.result is not None:
                yield f'result "{attendance.result}" of a session that is only planned: record the session as held'
            return
        if attendance.result is None:
            yield "result is missing, and the session was held: add attended, passed or failed"
        if attendance.result == "attended" and session.form == "electronic":
            yield 'result "attended" doesn\'t do, for an electronic session ends with a test: passed or failed'
        if attendance.recorded_at < session.date:
            yield f"recorded_at {attendance.recorded_at} is before the session of {session.date}: mend one of them"

    def _document(self, document: Document) -> Iterator[str]:
        if (document.person is None) == (document.session is None):
            yield "belongs to a person or to a session: write exactly one of person and session"
        if document.person is not None:
            yield from self._person("person", document.person)
        session = document.session
        if session is not None and session not in self._sessions and session not in self._unread:
            yield unknown("session", session, self._sessions)
        if document.requirement is not None:
            yield from self._requirement(document.requirement)
            requirement = self._policy.requirements.get(document.requirement)
            yield from self._recorder(document, requirement)
            if document.person is None:
                yield "requirement belongs to a person's document: write person"
            if requirement and requirement.form not in {"any", "document"}:
                yield f"a document doesn't do for {requirement.name}: it must be {requirement.form}; remove requirement"
        if document.issued_on > document.recorded_at:
            yield f"issued_on {document.issued_on} is after recorded_at {document.recorded_at}: mend one of them"
        if document.valid_until is not None and document.valid_until < document.issued_on:
            yield f"valid_until {document.valid_until} is before issued_on {document.issued_on}: mend one of them"

    def _exception(self, exemption: Exemption) -> Iterator[str]:
        yield from self._target(exemption.requirement, exemption.instrument)
        yield from self._touchable(exemption.person)
        yield from self._staff_member("granted_by", exemption.granted_by)
        if exemption.second_by is not None:
            yield from self._staff_member("second_by", exemption.second_by)
        if exemption.person in {exemption.granted_by, exemption.second_by}:
            yield f'"{exemption.person}" grants it for themselves: somebody else must'
        if exemption.second_by == exemption.granted_by:
            yield f'second_by "{exemption.second_by}" is granted_by as well: name a second person'
        yield from _order(exemption.begins, exemption.ends)
        if exemption.ends - exemption.begins >= timedelta(days=LONGEST_EXCEPTION_DAYS):
            longest = exemption.begins + timedelta(days=LONGEST_EXCEPTION_DAYS - 1)
            yield f"is longer than {LONGEST_EXCEPTION_DAYS} days: until is {longest} at most"

    def _block(self, block: Block) -> Iterator[str]:
        yield from self._touchable(block.person)
        if block.door is not None and block.instrument is not None:
            yield "shuts one of door and instrument, or without both the account: remove one of them"
        if block.instrument is not None:
            yield from self._instrument(block.instrument)
        yield from _order(block.begins, block.ends)

    def _touchable(self, login: str) -> Iterator[str]:
        yield from self._person("person", login)
        if any(person.kind == IT_ADMIN for person in self._people.get(login, ())):
            yield f'person "{login}" is an IT administrator, who is never changed: remove this entry'

    # --- Several facts together ---------------------------------------------------------------------------------------

    def _ids(self) -> Iterator[str]:
        first: dict[str, str] = {person.id: BY_PEOPLE_FILE for person in self._register}
        for place, fact in self._placed:
            if fact.id in first:
                yield f'{place}: id "{fact.id}" is also that of {first[fact.id]}: give one of them another id'
            first.setdefault(fact.id, place)

    def _logins(self) -> Iterator[str]:
        places = {fact.id: place for place, fact in self._placed}
        for login, people in self._people.items():
            ordered = sorted(people, key=lambda one: (one.recorded_at, one.revoked_at or date.max))
            for earlier, later in pairwise(ordered):
                place = places.get(later.id, BY_PEOPLE_FILE)
                where = places.get(earlier.id, f"people.yml ({earlier.given_name} {earlier.family_name})")
                if earlier.revoked_at is None or earlier.revoked_at > later.recorded_at:
                    cure = "choose another, or revoke the earlier fact if this one replaces it"
                    yield f'{place}: login "{login}" is also that of {where}: {cure}'
                elif later.replaces != earlier.id:
                    cure = f"choose another, or write replaces: {earlier.id} if this is the same person"
                    yield f'{place}: login "{login}" was that of {where} and is never given again: {cure}'
            if ordered[0].replaces is not None:
                place = places.get(ordered[0].id, BY_PEOPLE_FILE)
                yield f'{place}: replaces "{ordered[0].replaces}", which is no earlier fact of {login}: remove it'
        mails: dict[str, str] = {}
        for person in (one for people in self._people.values() for one in people if one.revoked_at is None):
            other = mails.setdefault(person.mail.lower(), person.login)
            if other != person.login:
                place = places.get(person.id, BY_PEOPLE_FILE)
                yield f'{place}: mail "{person.mail}" is also that of {other}: give one of them another mail'

    def _places(self) -> Iterator[str]:
        """Two places for one person, or more people than places."""
        taken: dict[str, set[str]] = {}
        for place, fact in self._placed:
            if not isinstance(fact, Attendance) or fact.revoked_at is not None:
                continue
            people = taken.setdefault(fact.session, set())
            if fact.person in people:
                yield f'{place}: person "{fact.person}" is in session "{fact.session}" already: revoke one of the two'
            people.add(fact.person)
            session = self._sessions.get(fact.session)
            if session and session.max_people is not None and len(people) == session.max_people + 1:
                yield f'{place}: session "{session.id}" has {session.max_people} places, and they are taken'

    def _policy_people(self) -> Iterator[str]:
        """Logins that the policy names must be somebody's."""
        one: Instrument | Requirement
        for one in self._policy.instruments.values():
            yield from self._named(f'facility_instruments ("{one.name}"), trainers', one.trainers)
        for one in self._policy.requirements.values():
            yield from self._named(f'facility_requirements ("{one.name}"), recorded_by', one.recorded_by)
        for group in self._policy.groups.values():
            logins = (group.owner,) if group.owner else ()
            yield from self._named(f'facility_research_groups ("{group.name}"), owner', logins, staff=False)

    def _named(self, what: str, logins: Sequence[str], *, staff: bool = True) -> Iterator[str]:
        for login in logins:
            if login not in self._people:
                yield f"{FACILITY_FILE}, {what}: {unknown('login', login, self._people)}"
            elif staff and login not in self._staff:
                yield f'{FACILITY_FILE}, {what}: login "{login}" is no member of the staff: name somebody who is'


def _order(first: date, last: date | None) -> Iterator[str]:
    if last is not None and last < first:
        yield f"until {last} is before from {first}: mend one of them"


def _as_entry(person: Person) -> dict[str, object]:
    return {
        "kind": person.kind,
        "research_group": person.research_group,
        "valid_until": person.valid_until,
    }

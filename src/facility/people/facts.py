# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about people, which are only ever added and revoked, and what of them was known on a day.

Days are days in the facility's time zone; a first and a last day are both within. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

IT_ADMIN = "it_admin"
# Who recorded a person that people.yml lists: its history is git's, so that it counts as known always.
BY_PEOPLE_FILE = "(people.yml)"
ALWAYS = date(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What all facts have.

    Attributes:
        id: One of its own among all facts, of whatever kind.
        recorded_by: The login of who recorded it.
        recorded_at: The day of that.
        revoked_by, revoked_at, revoke_reason: Who took it back, on which day, why; all three or none.
    """

    id: str
    recorded_by: str
    recorded_at: date
    revoked_by: str | None = None
    revoked_at: date | None = None
    revoke_reason: str | None = None

    def known_on(self, day: date | None) -> bool:
        """Whether it stood on the evening of a day; None: whether it stands by all that is known now."""
        if day is None:
            return self.revoked_at is None
        return self.recorded_at <= day and (self.revoked_at is None or self.revoked_at > day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Fact):
    """Somebody with an account. A change is a new fact that replaces the one before it, which is revoked.

    Attributes:
        login: Never given to another person.
        kind: researcher, staff, or it_admin (people.yml alone makes one).
        research_group: A researcher's group.
        valid_from, valid_until: First and last day of the account; None: no such end.
        replaces: The id of the same person's earlier fact.
    """

    login: str
    given_name: str
    family_name: str
    mail: str
    kind: str
    research_group: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Fact):
    """A briefing (requirement) or a training (instrument), planned or held, by a person of the staff, in a form."""

    date: date
    by: str
    form: str
    state: str
    requirement: str | None = None
    instrument: str | None = None
    content_version: str | None = None
    max_people: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance(Fact):
    """A person in a session; result is attended, passed or failed once it was held; document is a proof's id."""

    session: str
    person: str
    result: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Fact):
    """A paper: of a person, perhaps for a requirement, or of a session, as a list with signatures. size in bytes."""

    sha256: str
    type: str
    size: int
    issued_on: date
    valid_until: date | None = None
    person: str | None = None
    requirement: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption(Fact):
    """An exception: one requirement, or the training on one instrument, is not demanded from one day to another."""

    person: str
    begins: date
    ends: date
    reason: str
    granted_by: str
    requirement: str | None = None
    instrument: str | None = None
    second_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Fact):
    """One door, or one instrument, or without both the whole account is shut; ends None: until it is revoked."""

    person: str
    begins: date
    reason: str
    ends: date | None = None
    door: str | None = None
    instrument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Fact):
    """A person used an instrument on a day. Trainings lapse by disuse only where there is one of these."""

    person: str
    instrument: str
    date: date


class Attended(NamedTuple):
    """A session that somebody attended with success; proven: a document lies beside it."""

    day: date
    proven: bool


@dataclass(slots=True)
class Record:
    """What is known of one person, ready for a decision; requirements and instruments by their names.

    Attributes:
        briefed, trained: Sessions attended.
        papers: Documents for a requirement: issued on, valid until (None: no end of its own).
        waived, waived_training: Exceptions, first and last day.
        blocks: In no order.
        used: Days of use.
    """

    briefed: dict[str, list[Attended]] = field(default_factory=dict)
    trained: dict[str, list[Attended]] = field(default_factory=dict)
    papers: dict[str, list[tuple[date, date | None]]] = field(default_factory=dict)
    waived: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    waived_training: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    used: dict[str, list[date]] = field(default_factory=dict)


NO_RECORD = Record()


class Known:
    """What of the facts was known on a day, by person.

    Attributes:
        day: That day; None: all that is known now.
        people: Each person as known then, by login.
    """

    def __init__(self, facts: Iterable[Fact], day: date | None = None) -> None:
        standing = [fact for fact in facts if fact.known_on(day)]
        self.day = day
        self.people: dict[str, Person] = {fact.login: fact for fact in standing if isinstance(fact, Person)}
        self._records: dict[str, Record] = {}
        sessions = {fact.id: fact for fact in standing if isinstance(fact, Session)}
        documents = {fact.id: fact for fact in standing if isinstance(fact, Document)}
        proven_sessions = {document.session for document in documents.values()}
        for fact in standing:
            if isinstance(fact, Attendance):
                session = sessions.get(fact.session)
                if session and _succeeded(session, fact):
                    proven = fact.document in documents or session.id in proven_sessions
                    self._attend(self._record(fact.person), session, Attended(session.date, proven))
            elif not isinstance(fact, Person | Session):
                self._add(fact)

    def of(self, login: str) -> Record:
        """A person's record; an empty one for somebody of whom nothing is known."""
        return self._records.get(login, NO_RECORD)

    def _record(self, login: str) -> Record:
        record = self._records.get(login)
        if record is None:
            record = self._records[login] = Record()
        return record

    @staticmethod
    def _attend(record: Record, session: Session, attended: Attended) -> None:
        if session.requirement is not None:
            record.briefed.setdefault(session.requirement, []).append(attended)
        elif session.instrument is not None:
            record.trained.setdefault(session.instrument, []).append(attended)

    def _add(self, fact: Fact) -> None:
        if isinstance(fact, Use):
            self._record(fact.person).used.setdefault(fact.instrument, []).append(fact.date)
        elif isinstance(fact, Block):
            self._record(fact.person).blocks.append(fact)
        elif isinstance(fact, Exemption):
            span = (fact.begins, fact.ends)
            if fact.requirement is not None:
                self._record(fact.person).waived.setdefault(fact.requirement, []).append(span)
            elif fact.instrument is not None:
                self._record(fact.person).waived_training.setdefault(fact.instrument, []).append(span)
        elif isinstance(fact, Document) and fact.person is not None and fact.requirement is not None:
            paper = (fact.issued_on, fact.valid_until)
            self._record(fact.person).papers.setdefault(fact.requirement, []).append(paper)


def _succeeded(session: Session, attendance: Attendance) -> bool:
    """An electronic briefing counts with its test alone (GenTSV § 17)."""
    if session.state != "held":
        return False
    return attendance.result == "passed" or (attendance.result == "attended" and session.form != "electronic")


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts, sorted by kind and id, so that the same facts are always the same value.

    Attributes:
        all: The facts.
        administrators: IT administrators, whom people.yml alone knows; they are no facts and are never exported.
    """

    all: tuple[Fact, ...] = ()
    administrators: tuple[Person, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Facts:
        """Sort facts; set IT administrators apart."""
        ordered = sorted(facts, key=lambda fact: (type(fact).__name__, fact.id))
        administrators = tuple(fact for fact in ordered if isinstance(fact, Person) and fact.kind == IT_ADMIN)
        return cls(
            tuple(fact for fact in ordered if not (isinstance(fact, Person) and fact.kind == IT_ADMIN)), administrators
        )

    def known(self, day: date | None = None) -> Known:
        """What was known on a day; None: what is known now."""
        return Known([*self.all, *self.administrators], day)


def people_of_register(people: Sequence[Mapping[str, str | None]]) -> list[Person]:
    """The people of a validated people.yml as facts, known always."""
    return [
        Person(
            id=f"people.yml-{person['login']}",
            recorded_by=BY_PEOPLE_FILE,
            recorded_at=ALWAYS,
            login=str(person["login"]),
            given_name=str(person["given_name"]),
            family_name=str(person["family_name"]),
            mail=str(person["mail"]),
            kind=str(person["kind"]),
            research_group=person["research_group"],
            valid_until=date.fromisoformat(person["valid_until"]) if person["valid_until"] else None,
        )
        for person in people
    ]

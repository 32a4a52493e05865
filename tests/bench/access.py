# SPDX-License-Identifier: GPL-3.0-or-later
"""What decisions cost: 5,000 people, 40 instruments, 60,000 facts, all decided anew, and one person alone.

Alone, without root: ``PYTHONPATH=src python -m tests.bench.access``.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any, TypeVar

from facility.people import policy as policies
from facility.people.access import decide, decide_all
from facility.people.fact_fields import KIND_OF_FACT, entry_of
from facility.people.facts import Attendance, Block, Document, Exemption, Fact, Facts, Person, Session, Use
from facility.people.interchange import read_lines, written
from facility.people.policy import Policy
from tests.bench.figures import Figure, figures_table

PEOPLE = 5_000
INSTRUMENTS = 40
FACTS = 60_000
SESSIONS = 3_000
REPEATS = 5
ALL_SECONDS = 1.0
ONE_MILLISECONDS = 1.0
TODAY = date(2026, 11, 2)
STAFF = [f"staff{number}" for number in range(20)]
BRIEFINGS = {"safety": "oral", "s1": "electronic", "s2": "oral", "laser": "electronic"}
_Result = TypeVar("_Result")


def described() -> dict[str, Any]:
    """40 instruments, a third each without, S1 and S2; all want a training, which lapses by disuse."""
    return {
        "research_groups": [{"name": f"group{number}", "title": f"Group {number}"} for number in range(50)],
        "time_zone": "Europe/Berlin",
        "requirements": [
            {"name": "safety", "title": "Safety", "months": 12, "grace_days": 14},
            {"name": "s1", "title": "S1", "months": 12, "form": "electronic"},
            {"name": "s2", "title": "S2", "months": 12, "form": "oral", "proof": "required"},
            {"name": "laser", "title": "Laser", "months": 24, "form": "electronic"},
            {"name": "paper", "title": "Formblatt Z", "form": "document"},
        ],
        "door_demands": {"share": ["safety"], "omero": ["safety"]},
        "biosafety_demands": {"S1": ["safety", "s1"], "S2": ["safety", "s2", "paper"]},
        "instruments": [
            {
                "name": f"mic{number}", "title": f"Microscope {number}", "host": f"mic{number}", "location": "Room",
                "biosafety": ("none", "S1", "S2")[number % 3], "ppms_system_id": number + 1,
                "demands": ["safety", "laser"] if number % 2 else ["safety"], "training": "required",
                "training_months": 36, "idle_days": 180,
                **({"equivalent_to": [f"mic{number - 1}"]} if number % 10 == 9 else {}),
            }
            for number in range(INSTRUMENTS)
        ],
    }  # fmt: skip


def policy() -> Policy:
    """The same, checked."""
    return policies.validated(described())


def facts() -> list[Fact]:
    """60,000 facts of all kinds, always the same ones."""
    dice = random.Random(14)
    people = [_person(login, "staff", dice) for login in STAFF]
    people += [_person(f"user{number}", "researcher", dice) for number in range(PEOPLE - len(STAFF))]
    sessions = [_session(number, dice) for number in range(SESSIONS)]
    proofs = [
        Document(id=f"list{one.id}", **_recorded(one.date), sha256="ab" * 32, type="pdf", size=9_000,
                 issued_on=one.date, session=one.id)
        for one in sessions if one.requirement == "s2"
    ]  # fmt: skip
    made: list[Fact] = [*people, *sessions, *proofs]
    seen: set[tuple[str, str]] = set()
    while len(made) < FACTS:
        number, person, day = len(made), dice.choice(people).login, TODAY - timedelta(days=dice.randrange(900))
        kind = dice.random()
        if kind < 0.85:
            session = dice.choice(sessions)
            if (session.id, person) in seen or person == session.by:
                continue
            seen.add((session.id, person))
            result = "passed" if session.form == "electronic" else "attended"
            made.append(Attendance(id=f"a{number}", **_recorded(session.date), session=session.id, person=person,
                                   result=result))  # fmt: skip
        elif kind < 0.95:
            made.append(Use(id=f"u{number}", **_recorded(day), person=person, instrument=f"mic{dice.randrange(40)}",
                            date=day))  # fmt: skip
        elif kind < 0.98:
            made.append(Document(id=f"d{number}", **_recorded(day), sha256="ab" * 32, type="pdf", size=9_000,
                                 issued_on=day, person=person, requirement="paper"))  # fmt: skip
        elif kind < 0.99:
            made.append(Block(id=f"b{number}", **_recorded(day), person=person, begins=day, reason="leave",
                              ends=day + timedelta(days=90)))  # fmt: skip
        elif person not in STAFF:
            made.append(Exemption(id=f"e{number}", **_recorded(day), person=person, begins=day, reason="ill",
                                  ends=day + timedelta(days=20), granted_by=STAFF[0],
                                  requirement="safety"))  # fmt: skip
    return made


def figures(say: Callable[[str], None] = print) -> list[Figure]:
    """The three figures. Seconds are of this process's CPU: other work on the machine counts for little."""
    say(f"decisions: {PEOPLE} people, {INSTRUMENTS} instruments, {FACTS} facts")
    rules, everything = policy(), Facts.of(facts())
    text = written(everything)
    known, deciding, ratios, bare, reading = everything.known(), [], [], [], []
    for _ in range(REPEATS):
        bare.append(_cpu(lambda: [json.loads(line) for line in text.splitlines()])[0])
        seconds, decisions = _cpu(lambda: decide_all(everything.known(), rules, TODAY))
        deciding.append(seconds)
        ratios.append(seconds / bare[-1])
        fault = "" if len(decisions) == PEOPLE else f"only {len(decisions)} people were decided about"
        del decisions
    seconds, again = _cpu(lambda: read_lines(text, rules))
    reading.append(seconds)
    unlike = "" if again == everything else "what was read back differs"
    singles = sorted(1000 * _cpu(lambda who=who: decide(who, known, rules, TODAY))[0] for who in known.people.values())
    slow = singles[int(0.99 * len(singles))]
    parsing = 1000 * median(_cpu(lambda: _bare_facts(everything.all, "user7"))[0] for _ in range(REPEATS))
    return [
        Figure(
            f"all decisions: {PEOPLE} people x {INSTRUMENTS} instruments, {FACTS} facts, index included", "s",
            ALL_SECONDS, median(deciding), median(bare), "json.loads of the same facts", median(ratios), deciding,
            fault,
        ),
        Figure(
            "one decision, of all people the 99th of 100", "ms", ONE_MILLISECONDS, slow, parsing,
            "json.loads of one person's facts", slow / parsing, (singles[0], median(singles), singles[-1]),
        ),
        Figure(
            f"read and check an export of {FACTS} facts", "s", 10.0, median(reading), median(bare),
            "json.loads of the same facts", median(reading) / median(bare), reading, unlike,
        ),
    ]  # fmt: skip


def _bare_facts(everything: Sequence[Fact], login: str) -> list[Any]:
    texts = _texts(everything, login)
    return [json.loads(text) for text in texts]


_kept: dict[str, list[str]] = {}


def _texts(everything: Sequence[Fact], login: str) -> list[str]:
    if login not in _kept:
        own = [fact for fact in everything if login in (getattr(fact, "person", ""), getattr(fact, "login", ""))]
        _kept[login] = [json.dumps({"fact": KIND_OF_FACT[type(fact)].name, **entry_of(fact)}) for fact in own]
    return _kept[login]


def _cpu(work: Callable[[], _Result]) -> tuple[float, _Result]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def _recorded(day: date) -> dict[str, Any]:
    return {"recorded_by": STAFF[0], "recorded_at": day}


def _person(login: str, kind: str, dice: random.Random) -> Person:
    researcher = kind == "researcher"
    return Person(
        id=f"p-{login}", **_recorded(date(2024, 1, 2)), login=login, given_name="Given", family_name=login.title(),
        mail=f"{login}@example.org", kind=kind, research_group=f"group{dice.randrange(50)}" if researcher else None,
        valid_until=TODAY + timedelta(days=dice.randrange(-90, 900)) if researcher else None,
    )  # fmt: skip


def _session(number: int, dice: random.Random) -> Session:
    day = TODAY - timedelta(days=dice.randrange(900))
    briefing = dice.choice([*BRIEFINGS, None, None])
    return Session(
        id=f"s{number}", **_recorded(day), date=day, by=dice.choice(STAFF[1:]), state="held",
        form=BRIEFINGS.get(briefing or "", "oral"), requirement=briefing,
        instrument=None if briefing else f"mic{dice.randrange(INSTRUMENTS)}",
    )  # fmt: skip


if __name__ == "__main__":
    print(figures_table(figures()))
    sys.exit(0)

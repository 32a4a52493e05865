# SPDX-License-Identifier: GPL-3.0-or-later
"""A small facility with a policy of short times, and histories of one researcher in it that make sense."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from facility.people import policy as policies
from facility.people.facts import (
    ALWAYS,
    BY_PEOPLE_FILE,
    Attendance,
    Block,
    Document,
    Exemption,
    Fact,
    Person,
    Session,
    Use,
)
from facility.people.policy import Policy

FIRST = date(2026, 1, 1)
DAYS = 240
SHA256 = "ab" * 32


def facility(**changes: Any) -> dict[str, Any]:
    """What facility.yml of the small facility says."""
    plain = {"location": "Room 1", "biosafety": "none"}
    described = {
        "research_groups": [{"name": "neuro", "title": "Neuronal Circuits"}, {"name": "plant", "title": "Plant Cells"}],
        "instruments": [
            {"name": "confocal", "title": "Confocal", "host": "mic1", **plain, "ppms_system_id": 11,
             "demands": ["safety", "laser"], "training": "required", "idle_days": 30},
            {"name": "twin", "title": "Twin", "host": "mic2", **plain, "biosafety": "S2", "ppms_system_id": 12,
             "training": "required", "equivalent_to": ["confocal"]},
            {"name": "lamp", "title": "Lamp", "host": "mic3", **plain, "training": "required", "training_months": 2,
             "trainers": ["thomas"]},
            {"name": "bench", "title": "Bench", "host": "mic4", **plain},
        ],
        "time_zone": "Europe/Berlin",
        "requirements": [
            {"name": "safety", "title": "safety briefing", "months": 2, "grace_days": 10},
            {"name": "laser", "title": "laser course", "months": 1, "form": "electronic"},
            {"name": "s2", "title": "S2 briefing", "months": 3, "form": "oral", "proof": "required", "grace_days": 1},
            {"name": "paper", "title": "Formblatt Z", "form": "document", "grace_days": 5},
            {"name": "house", "title": "house rules"},
        ],
        "door_demands": {"share": ["safety"], "omero": ["safety", "house"]},
        "biosafety_demands": {"S2": ["safety", "s2", "paper"]},
    }  # fmt: skip
    return {key: value for key, value in {**described, **changes}.items() if value is not ...}


@cache
def policy() -> Policy:
    """The policy; the wiki and the bench demand nothing."""
    return policies.validated(facility())


@cache
def strict_policy() -> Policy:
    """The same, but everything demands the safety briefing."""
    described = facility(door_demands={"wiki": ["safety"], "share": ["safety"], "omero": ["safety", "house"]})
    for instrument in described["instruments"]:
        instrument["demands"] = list(dict.fromkeys(["safety", *instrument.get("demands", [])]))
    return policies.validated(described)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def recorded(on: date = FIRST, by: str = "sabine") -> dict[str, Any]:
    return {"recorded_by": by, "recorded_at": on}


def person(login: str = "anna", kind: str = "researcher", **changes: Any) -> Person:
    group = "neuro" if kind == "researcher" else None
    until = day(DAYS) if kind == "researcher" else None
    values = {
        "id": f"person-{login}", "recorded_by": BY_PEOPLE_FILE, "recorded_at": ALWAYS, "login": login,
        "given_name": login.title(), "family_name": "Adler", "mail": f"{login}@example.org", "kind": kind,
        "research_group": group, "valid_until": until, **changes,
    }  # fmt: skip
    return Person(**values)


def colleagues() -> list[Person]:
    """Staff, and an IT administrator."""
    return [person("sabine", "staff"), person("thomas", "staff"), person("irina", "it_admin")]


def attended(target: str, on: date, number: int = 1, *, result: str | None = None, proof: bool = True) -> list[Fact]:
    """Facts of somebody who was in a session, with the proof that it needs."""
    instrument = target in policy().instruments
    electronic = target == "laser"
    session = Session(
        id=f"session-{number}", **recorded(on), date=on, by="thomas", form="electronic" if electronic else "oral",
        state="held", **{"instrument" if instrument else "requirement": target},
    )  # fmt: skip
    facts: list[Fact] = [session]
    if target == "s2" and proof:
        facts.append(
            Document(id=f"proof-{number}", **recorded(on), sha256=SHA256, type="pdf", size=1, issued_on=on,
                     session=session.id)
        )  # fmt: skip
    result = result or ("passed" if electronic else "attended")
    facts.append(
        Attendance(id=f"attendance-{number}", **recorded(on), session=session.id, person="anna", result=result)
    )
    return facts


def paper(on: date, number: int = 1, valid_until: date | None = None) -> Document:
    return Document(id=f"paper-{number}", **recorded(on), sha256=SHA256, type="pdf", size=1, issued_on=on,
                    person="anna", requirement="paper", valid_until=valid_until)  # fmt: skip


def planned(on: date, number: int = 1, result: str | None = None) -> list[Fact]:
    """Facts of somebody who is registered for a briefing that is still to come."""
    session = Session(id=f"session-{number}", **recorded(), date=on, by="thomas", form="oral", state="planned",
                      requirement="safety")  # fmt: skip
    attendance = Attendance(id=f"attendance-{number}", **recorded(), session=session.id, person="anna", result=result)
    return [session, attendance]


def exemption(target: str, first: date, last: date, number: int = 1) -> Exemption:
    key = "instrument" if target in policy().instruments else "requirement"
    return Exemption(id=f"exception-{number}", **recorded(first), person="anna", begins=first, ends=last, reason="ill",
                     granted_by="sabine", **{key: target})  # type: ignore[arg-type]  # fmt: skip


def months_after(first: date, months: int) -> date:
    """The same day so many months later, or its month's last; counted month by month."""
    year, month = first.year, first.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


numbers = st.integers(0, DAYS)
days = numbers.map(day)


@st.composite
def giving(draw: st.DrawFn, number: int) -> list[Fact]:
    """Facts that can only give rights: an attended session, a document, or an exception."""
    on = draw(days)
    match draw(st.sampled_from(["session", "session", "session", "paper", "exception", "exception"])):
        case "session":
            target = draw(st.sampled_from(["safety", "safety", "laser", "s2", "house", "confocal", "twin", "lamp"]))
            return attended(target, on, number)
        case "paper":
            until = draw(st.none() | st.integers(0, 60))
            return [paper(on, number, None if until is None else on + timedelta(days=until))]
        case _:
            target = draw(st.sampled_from(["safety", "laser", "s2", "paper", "house", "confocal", "twin", "lamp"]))
            return [exemption(target, on, on + timedelta(days=draw(st.integers(0, 29))), number)]


@st.composite
def taking(draw: st.DrawFn, number: int) -> list[Fact]:
    """A block, or some days of use, a few weeks apart."""
    on = draw(days)
    if draw(st.booleans()):
        instrument = draw(st.sampled_from(["confocal", "twin"]))
        apart = [0, *draw(st.lists(st.integers(15, 45), max_size=3))]
        used = [on + timedelta(days=sum(apart[: count + 1])) for count in range(len(apart))]
        return [
            Use(id=f"use-{number}-{count}", **recorded(one), person="anna", instrument=instrument, date=one)
            for count, one in enumerate(used)
        ]
    length = draw(st.none() | st.integers(0, 40))
    scope = draw(
        st.sampled_from([{}, {"door": "share"}, {"door": "wiki"}, {"instrument": "confocal"}, {"instrument": "bench"}])
    )
    return [
        Block(id=f"block-{number}", **recorded(on), person="anna", begins=on, reason="leave",
              ends=None if length is None else on + timedelta(days=length), **scope)
    ]  # fmt: skip


@st.composite
def failing(draw: st.DrawFn, number: int) -> list[Fact]:
    """What gives nothing: a session that was failed, or is only planned, or whose proof was revoked."""
    on = draw(days)
    match draw(st.sampled_from(["failed", "planned", "unproven"])):
        case "failed":
            return attended(draw(st.sampled_from(["safety", "laser", "confocal"])), on, number, result="failed")
        case "planned":
            return planned(on, number)
        case _:
            session, proof, attendance = attended("s2", on, number)
            revoked = replace(proof, revoked_by="sabine", revoked_at=on, revoke_reason="not signed")
            return [session, revoked, attendance]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """People, and all that is recorded of anna."""
    begins = draw(st.sampled_from([None, None, None, day(30)]))
    facts: list[Fact] = [*colleagues(), person(valid_from=begins, valid_until=day(draw(st.integers(100, DAYS + 20))))]
    for number in range(draw(st.integers(2, 10))):
        kind = draw(st.sampled_from([giving, giving, giving, taking, taking, failing]))
        facts += draw(kind(number))
    return facts

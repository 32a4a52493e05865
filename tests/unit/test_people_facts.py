# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts: each that makes no sense is refused with its place, all at once; what was known on a day stays known."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.people.entries import RegisterError
from facility.people.fact_fields import KIND_OF_KEY, KINDS, entry_of
from facility.people.facts import Facts
from facility.people.validation import validated
from tests.people_facts import colleagues, day, facility, histories, person, policy

TODAY = date(2026, 12, 1)
RECORDED = {"recorded_by": "sabine", "recorded_at": "2026-03-09"}
REVOKED = {"revoked_by": "thomas", "revoked_at": "2026-03-10", "revoke_reason": "mistyped"}


def entry(**keys: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RECORDED, **keys}.items() if value is not ...}


def a_person(**changes: Any) -> dict[str, Any]:
    return entry(**{
        "id": "p1", "login": "bernd", "given_name": "Bernd", "family_name": "Bauer", "mail": "bernd@example.org",
        "kind": "researcher", "research_group": "neuro", "valid_until": "2027-03-31", **changes,
    })  # fmt: skip


def a_session(**changes: Any) -> dict[str, Any]:
    return entry(**{
        "id": "s1", "requirement": "safety", "date": "2026-03-09", "by": "thomas", "form": "oral", "state": "held",
        **changes,
    })  # fmt: skip


def an_attendance(**changes: Any) -> dict[str, Any]:
    return entry(**{"id": "a1", "session": "s1", "person": "anna", "result": "attended", **changes})


def a_document(**changes: Any) -> dict[str, Any]:
    return entry(**{
        "id": "d1", "person": "anna", "requirement": "paper", "sha256": "ab" * 32, "type": "pdf", "size": 1000,
        "issued_on": "2026-03-01", **changes,
    })  # fmt: skip


def an_exception(**changes: Any) -> dict[str, Any]:
    return entry(**{
        "id": "e1", "person": "anna", "requirement": "safety", "from": "2026-03-10", "until": "2026-04-08",
        "reason": "course cancelled", "granted_by": "sabine", **changes,
    })  # fmt: skip


def a_block(**changes: Any) -> dict[str, Any]:
    return entry(**{"id": "b1", "person": "anna", "from": "2026-03-10", "reason": "leave", **changes})


def a_use(**changes: Any) -> dict[str, Any]:
    return entry(**{"id": "u1", "person": "anna", "instrument": "confocal", "date": "2026-03-09", **changes})


def checked(*facts: tuple[str, dict[str, Any]], rules=None, people=None) -> Facts:
    """Facts as (key, entry) pairs, with Anna and the staff in people.yml."""
    written = [(f"f.yml, {key}, entry {number}", KIND_OF_KEY[key], one) for number, (key, one) in enumerate(facts, 1)]
    register = [*colleagues(), person()] if people is None else people
    return validated(written, register, rules or policy(), TODAY)


def problems(*facts: tuple[str, dict[str, Any]], rules=None) -> list[str]:
    with pytest.raises(RegisterError) as refused:
        checked(*facts, rules=rules)
    return refused.value.problems


def test_good_facts_of_each_kind_are_taken():
    facts = checked(
        ("people", a_person()),
        ("sessions", a_session()),
        ("attendances", an_attendance()),
        ("documents", a_document()),
        ("exceptions", an_exception()),
        ("blocks", a_block()),
        ("uses", a_use()),
    )
    assert len(facts.all) == 7 + 3
    assert [one.login for one in facts.administrators] == ["irina"]
    assert {type(fact) for fact in facts.all} == {kind.make for kind in KINDS}


def test_a_fact_is_written_as_it_was_read():
    for key, one in [("people", a_person()), ("exceptions", an_exception(**REVOKED)), ("blocks", a_block())]:
        fact = next(fact for fact in checked((key, one)).all if fact.id == one["id"])
        assert entry_of(fact) == one


SESSION, ATTENDANCE = ("sessions", a_session()), ("attendances", an_attendance())


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ([("sessions", a_session(date="2026-04-01"))],
         "date 2026-04-01 is after recorded_at 2026-03-09: what is to come has state: planned"),
        ([("sessions", a_session(date="2026-02-30"))], 'date "2026-02-30" is no date: write a day like 2026-12-31'),
        ([("sessions", a_session(date="0206-02-03"))], 'date "0206-02-03" is no year of ours: write a day like'),
        ([("sessions", a_session(requirement="saftey"))],
         'requirement "saftey" doesn\'t exist: did you mean "safety"? (or add it to facility_requirements'),
        ([("sessions", a_session(requirement=..., instrument="confocl"))],
         'instrument "confocl" doesn\'t exist: did you mean "confocal"?'),
        ([("sessions", a_session(instrument="confocal"))],
         "names one of requirement and instrument: write exactly one of them"),
        ([("sessions", a_session(requirement=...))],
         "names one of requirement and instrument: write exactly one of them"),
        ([("sessions", a_session(requirement=..., instrument="lamp", by="sabine"))],
         'by "sabine" may not train on lamp: thomas may'),
        ([("sessions", a_session(requirement=..., instrument="confocal", by="anna"))],
         'by "anna" is no member of the staff: staff record, revoke, train and grant'),
        ([("sessions", a_session(by="tomas"))], 'by "tomas" doesn\'t exist: did you mean "thomas"?'),
        ([("sessions", a_session(requirement="laser"))], 'form "oral" doesn\'t do for laser: it must be electronic'),
        ([("sessions", a_session(requirement="s2", form="electronic"))],
         'form "electronic" doesn\'t do for s2: it must be oral'),
        ([("sessions", a_session(requirement="paper"))],
         "paper is met by a document, not in a session: record the document"),
        ([("attendances", an_attendance())], 'session "s1" doesn\'t exist: there are none yet'),
        ([SESSION, ("attendances", an_attendance(session="s2"))], 'session "s2" doesn\'t exist: one of s1'),
        ([SESSION, ("attendances", an_attendance(person="ana"))], 'person "ana" doesn\'t exist: did you mean "anna"?'),
        ([SESSION, ("attendances", an_attendance(person="thomas"))],
         'person "thomas" gave this session: nobody trains or briefs themselves'),
        ([SESSION, ("attendances", an_attendance(result=...))],
         "result is missing, and the session was held: add attended, passed or failed"),
        ([("sessions", a_session(state="planned", date="2027-01-05")), ATTENDANCE],
         'result "attended" of a session that is only planned: record the session as held'),
        ([("sessions", a_session(requirement="laser", form="electronic")), ATTENDANCE],
         'result "attended" doesn\'t do, for an electronic session ends with a test: passed or failed'),
        ([SESSION, ("attendances", an_attendance(recorded_at="2026-03-08"))],
         "recorded_at 2026-03-08 is before the session of 2026-03-09: mend one of them"),
        ([("sessions", a_session(requirement="s2")), ATTENDANCE],
         "has no proof, which s2 requires: record its document, or one of the session"),
        ([SESSION, ("attendances", an_attendance(document="d1"))], 'document "d1" doesn\'t exist: there are none yet'),
        ([SESSION, ("documents", a_document(person="sabine")), ("attendances", an_attendance(document="d1"))],
         'document "d1" is of sabine: name one of anna'),
        ([SESSION, ATTENDANCE, ("attendances", an_attendance(id="a2"))],
         'person "anna" is in session "s1" already: revoke one of the two'),
        ([("sessions", a_session(max_people=1)), ATTENDANCE, ("attendances", an_attendance(id="a2", person="sabine"))],
         'session "s1" has 1 places, and they are taken'),
        ([("documents", a_document(valid_until="2026-02-01"))],
         "valid_until 2026-02-01 is before issued_on 2026-03-01: mend one of them"),
        ([("documents", a_document(issued_on="2026-03-10"))], "issued_on 2026-03-10 is after recorded_at 2026-03-09"),
        ([("documents", a_document(requirement="s2"))], "a document doesn't do for s2: it must be oral"),
        ([("documents", a_document(person=..., requirement=...))],
         "belongs to a person or to a session: write exactly one"),
        ([("documents", a_document(sha256="AB" * 32))], "is no SHA-256: write its 64 digits of 0-9 a-f"),
        ([("documents", a_document(type="exe"))], 'type "exe" doesn\'t exist: one of pdf, jpeg, png'),
        ([("documents", a_document(size=2_000_000_000))], 'size "2000000000" is out of range: choose 1 to 20000000'),
        ([("exceptions", an_exception(until="2026-04-09"))], "is longer than 30 days: until is 2026-04-08 at most"),
        ([("exceptions", an_exception(until="2026-03-09"))], "until 2026-03-09 is before from 2026-03-10"),
        ([("exceptions", an_exception(person="sabine"))], '"sabine" grants it for themselves: somebody else must'),
        ([("exceptions", an_exception(second_by="sabine"))],
         'second_by "sabine" is granted_by as well: name a second person'),
        ([("exceptions", an_exception(person="thomas", granted_by="anna"))],
         'granted_by "anna" is no member of the staff'),
        ([("exceptions", an_exception(person="irina"))], 'person "irina" is an IT administrator, who is never changed'),
        ([("blocks", a_block(person="irina"))], 'person "irina" is an IT administrator, who is never changed'),
        ([("blocks", a_block(door="wicki"))], 'door "wicki" doesn\'t exist: did you mean "wiki"?'),
        ([("blocks", a_block(door="wiki", instrument="lamp"))], "shuts one of door and instrument"),
        ([("uses", a_use(date="2026-03-10"))], "date 2026-03-10 is after recorded_at 2026-03-09"),
        ([("people", a_person(research_group="nuero"))],
         'research_group "nuero" doesn\'t exist: did you mean "neuro"?'),
        ([("people", a_person(valid_until=...))], "a researcher needs valid_until: the last day of the account"),
        ([("people", a_person(valid_from="2027-04-01"))], "valid_until 2027-03-31 is before valid_from 2027-04-01"),
        ([("people", a_person(kind="it_admin"))], 'kind "it_admin" doesn\'t exist: one of researcher, staff'),
        ([("people", a_person(login="root"))], 'login "root" is a built-in account\'s name: choose another'),
        ([("people", a_person(mail="Anna@example.org"))], 'mail "Anna@example.org" is also that of anna'),
        ([("people", a_person(login="anna", mail="b@example.org"))],
         'login "anna" is also that of people.yml (Anna Adler)'),
        ([("people", a_person(given_name="x" * 1_000_000))], "is longer than 1000 characters: shorten it"),
        ([("sessions", a_session(recorded_by="anna"))], 'recorded_by "anna" is no member of the staff'),
        ([("sessions", a_session(recorded_at="2026-12-02"))], "recorded_at 2026-12-02 is in the future"),
        ([("sessions", a_session(**{**REVOKED, "revoked_at": "2026-03-08"}))],
         "revoked_at 2026-03-08 is before recorded_at 2026-03-09: mend one of them"),
        ([("sessions", a_session(**{**REVOKED, "revoked_at": "2026-12-02"}))],
         "revoked_at 2026-12-02 is in the future"),
        ([("sessions", a_session(revoked_by="thomas"))], "revoked_by alone doesn't revoke it"),
        ([SESSION, ("uses", a_use(id="s1"))],
         'id "s1" is also that of f.yml, sessions, entry 1: give one of them another'),
        ([("sessions", a_session(id="-x"))], 'id "-x" is no id: use 1 to 64 of a-z A-Z 0-9 . _ -'),
        ([("sessions", a_session(recorded_by="(people.yml)"))], 'goes with recorded_at 0001-01-01 alone'),
        ([("people", a_person(recorded_by="(people.yml)", recorded_at="0001-01-01"))], "is for people in an export"),
        ([("sessions", a_session(shoe=42))], 'unknown key "shoe": remove it; the keys are id, recorded_by'),
    ],
)  # fmt: skip
def test_a_fact_that_makes_no_sense_is_refused_with_its_place_and_cure(facts, problem):
    found = problems(*facts)
    assert len(found) == 1, found
    assert found[0].startswith("f.yml, ")
    assert problem in found[0]


def test_who_left_can_not_have_given_a_session_afterwards():
    people = [*colleagues(), person(), person("gisela", "staff", valid_until=day(30))]
    checked(("sessions", a_session(by="gisela", date="2026-01-20")), people=people)
    with pytest.raises(RegisterError, match='by "gisela" has no account on 2026-03-09: name who gave it'):
        checked(("sessions", a_session(by="gisela")), people=people)


def test_whom_the_policy_names_must_exist_and_be_staff():
    from facility.people import policy as policies

    described = facility()
    described["instruments"][2]["trainers"] = ["thomas", "tom"]
    described["requirements"][0]["recorded_by"] = ["anna"]
    described["research_groups"][0]["owner"] = "nobody-of-us"
    found = problems(rules=policies.validated(described))
    assert [problem.split(": ")[-2].split(" doesn't")[0] for problem in found] == [
        'login "tom"', 'login "anna" is no member of the staff', 'login "nobody-of-us"',
    ] or len(found) == 3  # fmt: skip
    assert all(problem.startswith("group_vars/all/facility.yml, facility_") for problem in found)


def test_only_those_whom_the_policy_names_may_record_a_briefing():
    from facility.people import policy as policies

    described = facility()
    described["requirements"][0]["recorded_by"] = ["thomas"]
    found = problems(SESSION, ATTENDANCE, rules=policies.validated(described))
    assert found == [
        f'f.yml, {place}: recorded_by "sabine" may not record safety: thomas may'
        for place in ("sessions, entry 1", "attendances, entry 2")
    ]


def test_a_changed_person_is_a_new_fact_that_replaces_the_revoked_one():
    first = a_person(**REVOKED)
    second = a_person(id="p2", recorded_at="2026-03-10", valid_until="2028-03-31", replaces="p1")
    facts = checked(("people", first), ("people", second))
    assert facts.known().people["bernd"].valid_until == date(2028, 3, 31)
    assert facts.known(date(2026, 3, 9)).people["bernd"].valid_until == date(2027, 3, 31)
    assert "bernd" not in facts.known(date(2026, 3, 8)).people


def test_a_login_is_never_given_to_somebody_else():
    first = a_person(**REVOKED)
    other = a_person(id="p2", recorded_at="2026-06-01", given_name="Bernadette")
    assert problems(("people", first), ("people", other)) == [
        'f.yml, people, entry 2: login "bernd" was that of f.yml, people, entry 1 and is never given again: '
        "choose another, or write replaces: p1 if this is the same person"
    ]
    assert "is also that of" in problems(("people", a_person()), ("people", {**other, "replaces": "p1"}))[0]
    assert "which is no earlier fact of bernd" in problems(("people", a_person(replaces="p9")))[0]


def test_a_revoked_fact_need_not_fit_the_policy_any_more_so_that_revoking_cures():
    checked(("sessions", a_session(requirement="of-former-times", **REVOKED)))


def test_what_refers_to_an_entry_that_can_not_be_read_has_no_problem_of_its_own():
    found = problems(("sessions", a_session(form="written")), ATTENDANCE, ("people", a_person(mail="x")),
                     ("blocks", a_block(person="bernd")))  # fmt: skip
    assert len(found) == 2


def test_all_problems_are_named_at_once():
    found = problems(("sessions", a_session(by="tomas", requirement="saftey")), ("blocks", a_block(person="ana")))
    assert [problem.split(":")[0] for problem in found] == ["f.yml, sessions, entry 1"] * 2 + ["f.yml, blocks, entry 2"]


def test_a_flood_of_nonsense_is_refused_in_a_moment():
    staff = [*colleagues(), person(), *(person(f"user{number}", "staff") for number in range(500))]
    flood = [("blocks", a_block(id=f"b{number}", person=f"usr{number}")) for number in range(20_000)]
    began = time.process_time()
    with pytest.raises(RegisterError) as refused:
        checked(*flood, people=staff)
    assert time.process_time() - began < 20
    assert len(refused.value.problems) == 201
    assert refused.value.problems[-1] == "there may be more: mend these first"


def test_known_on_a_day_counts_what_was_recorded_up_to_its_evening_and_revocations_likewise():
    facts = checked(("sessions", a_session(**REVOKED)), ("uses", a_use()))
    assert [sum(one.known_on(on) for one in facts.all if one.id in {"s1", "u1"}) for on in
            (date(2026, 3, 8), date(2026, 3, 9), date(2026, 3, 10), None)] == [0, 2, 1, 1]  # fmt: skip


@given(histories())
def test_the_histories_of_the_other_tests_are_valid(facts):
    register = [fact for fact in facts if fact.id.startswith("person-")]
    written = [
        (fact.id, kind, entry_of(fact))
        for fact in facts
        for kind in KINDS
        if kind.make is type(fact) and fact not in register
    ]
    assert validated(written, register, policy(), None) == Facts.of(facts)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)
GOOD = {"people": a_person(), "sessions": a_session(**REVOKED), "attendances": an_attendance(document="d1"),
        "documents": a_document(valid_until="2027-01-01"), "exceptions": an_exception(second_by="thomas"),
        "blocks": a_block(until="2026-05-01", door="wiki"), "uses": a_use()}  # fmt: skip


@st.composite
def nearly(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    key = draw(st.sampled_from(sorted(GOOD)))
    changed = draw(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOOD[key], "x"], ANYTHING)))
    return key, {**GOOD[key], **changed}


@given(st.lists(nearly(), max_size=4))
def test_whatever_is_written_is_taken_or_refused_in_words_but_never_crashes(facts):
    try:
        assert len(checked(*facts).all) == 3 + len(facts)
    except RegisterError as error:
        assert error.problems
        assert all("\n" not in problem for problem in error.problems)


def test_the_example_has_someone_expired_someone_on_leave_and_someone_by_exception(repository):
    from facility.people.access import decide
    from facility.people.inventory import read_inventory

    rules, facts = read_inventory(repository / "inventories/example")
    known = facts.known()
    on = date(2026, 11, 30)
    doors = {login: decide(who, known, rules, on).doors for login, who in known.people.items()}
    assert doors["aadler"]["log-on:confocal-2"].state == "allowed"
    assert doors["bbergstroem"]["share"].reasons[0].code == "expired"
    assert doors["ddubois"]["wiki"].reasons[0].code == "blocked"
    assert doors["eerdogan"]["log-on:confocal-1"].reasons[0].code == "exception"
    assert doors["hhansen"]["log-on:lightsheet"].state == "denied"

# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds of every decision, whatever is recorded; and a second, plain way to decide that must agree."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from facility.people.access import LOG_ON, PPMS, Decision, decide, decide_all
from facility.people.facts import Attendance, Block, Document, Exemption, Fact, Known, Session, Use
from tests.people_facts import (
    DAYS,
    FIRST,
    days,
    giving,
    histories,
    months_after,
    numbers,
    person,
    policy,
    recorded,
    strict_policy,
)

RANKS = {"allowed": 0, "grace": 1, "denied": 2}
ONE_DAY = timedelta(days=1)
policies = st.sampled_from([policy, strict_policy]).map(lambda made: made())


def decided(facts: Sequence[Fact], on: date, rules=None, login: str = "anna") -> Decision:
    known = Known(facts)
    return decide(known.people[login], known, rules or policy(), on)


def ending(last: date | None) -> date:
    return last or date.max


def without_next(decision: Decision) -> Decision:
    return replace(decision, next_change=None)


@given(histories(), days, policies, st.randoms())
def test_the_same_facts_in_any_order_give_the_same_decision(facts, on, rules, random):
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert decided(facts, on, rules) == decided(shuffled, on, rules)


@settings(max_examples=500)
@given(histories(), days, policies)
def test_nothing_differs_before_the_next_change_and_something_does_on_it(facts, on, rules):
    known = Known(facts)
    whole = decide(known.people["anna"], known, rules, on)
    latest = whole.next_change or on + timedelta(days=2 * DAYS)
    between = on + ONE_DAY
    while between < latest:
        assert without_next(decide(known.people["anna"], known, rules, between)) == without_next(whole)
        between += ONE_DAY
    if whole.next_change:
        assert whole.next_change > on
        assert without_next(decide(known.people["anna"], known, rules, latest)) != without_next(whole)


@given(histories(), giving(99), days, policies)
def test_a_further_valid_fact_never_takes_a_right_away(facts, further, on, rules):
    before, after = decided(facts, on, rules), decided([*facts, *further], on, rules)
    pairs = [(before.doors[name], after.doors[name]) for name in before.doors]
    for earlier, later in [*pairs, (before.account, after.account), (before.log_in, after.log_in)]:
        assert RANKS[later.state] <= RANKS[earlier.state]
        if earlier.open:
            assert ending(later.closes) >= ending(earlier.closes)
        if earlier.state == later.state:
            assert ending(later.until) >= ending(earlier.until)


@given(histories(), giving(99), days, numbers, policies)
def test_a_revoked_fact_never_gives_anything(facts, further, on, revoked, rules):
    taken_back = [
        replace(fact, revoked_by="sabine", revoked_at=fact.recorded_at + timedelta(days=revoked), revoke_reason="wrong")
        for fact in further
    ]
    assert decided([*facts, *taken_back], on, rules) == decided(facts, on, rules)


@given(histories(), days, days, policies)
def test_what_was_recorded_later_was_not_known_on_that_day(facts, on, known_on, rules):
    then, early = Known(facts, known_on), Known([fact for fact in facts if fact.recorded_at <= known_on])
    who = then.people["anna"]
    assert decide(who, then, rules, on) == decide(who, early, rules, on)


@given(histories(), days, policies)
def test_no_door_is_open_longer_than_the_account_or_than_what_all_doors_demand(facts, on, rules):
    decision = decided(facts, on, rules)
    for outcome in decision.doors.values():
        if outcome.open:
            assert decision.account.open
            assert decision.log_in.open
            assert ending(outcome.closes) <= ending(decision.log_in.closes) <= ending(decision.account.closes)
            assert ending(outcome.until) <= ending(outcome.closes)


@given(histories(), st.dates(), policies)
def test_it_administrators_are_untouched_whatever_is_recorded(facts, on, rules):
    decision = decided([*facts, Block(id="x", **recorded(), person="irina", begins=FIRST, reason="left")], on, rules,
                       "irina")  # fmt: skip
    assert decision.untouched
    assert (decision.doors, decision.next_change, decision.account.state) == ({}, None, "allowed")


@given(histories(), st.dates(), policies)
def test_on_any_day_of_the_calendar_there_is_a_decision(facts, on, rules):
    decision = decided(facts, on, rules)
    assert all(outcome.reasons or outcome.state == "allowed" for outcome in decision.doors.values())


@given(histories(), days, policies)
def test_deciding_about_everybody_is_deciding_about_each(facts, on, rules):
    known = Known(facts)
    assert decide_all(known, rules, on) == {login: decide(who, known, rules, on) for login, who in known.people.items()}
    assert gc.isenabled()


@given(st.dates(), st.dates(), st.dates())
def test_somebody_of_whom_nothing_is_known_gets_a_decision_too(first, last, on):
    decision = decide(person(valid_from=first, valid_until=last), Known([]), policy(), on)
    assert decision.doors["wiki"].open == (first <= on <= last or (on >= first and last >= date(9999, 12, 30)))


# A second decision, as slow and plain as can be, from the facts themselves.


def plainly_met(facts: Sequence[Fact], name: str, on: date, grace: int = 0) -> bool:
    requirement = policy().requirements[name]
    sessions = {fact.id: fact for fact in facts if isinstance(fact, Session) and fact.state == "held"}
    spans = []
    proven = {fact.session for fact in facts if isinstance(fact, Document) and fact.revoked_at is None}
    for fact in facts:
        if isinstance(fact, Attendance) and fact.result in {"attended", "passed"}:
            session = sessions.get(fact.session)
            if session and session.requirement == name and (session.id in proven or requirement.proof != "required"):
                months = requirement.months
                spans.append((session.date, months_after(session.date, months) if months else date.max))
        elif getattr(fact, "requirement", None) == name and hasattr(fact, "issued_on"):
            spans.append((fact.issued_on, fact.valid_until or date.max))
    return any(
        first <= on and (last == date.max or on <= last + timedelta(days=grace))
        for first, last in spans
        if first <= last
    )


def plainly_waived(facts: Sequence[Fact], name: str, on: date) -> bool:
    return any(
        isinstance(fact, Exemption) and name in {fact.requirement, fact.instrument} and fact.begins <= on <= fact.ends
        for fact in facts
    )


def plainly_trained(facts: Sequence[Fact], name: str, on: date) -> bool:
    """Whether Anna is trained: walks day by day from each training."""
    instrument = policy().instruments[name]
    sessions = {fact.id: fact for fact in facts if isinstance(fact, Session)}
    used = {fact.date for fact in facts if isinstance(fact, Use) and fact.instrument in instrument.counts}
    for fact in facts:
        session = sessions.get(fact.session) if isinstance(fact, Attendance) and fact.result == "attended" else None
        if session is None or session.instrument not in instrument.counts or session.date > on:
            continue
        idle, walked = 0, session.date
        while walked < on and (idle <= (instrument.idle_days or 0) or not instrument.idle_days or not used):
            walked += ONE_DAY
            idle = 0 if walked in used and idle < (instrument.idle_days or 0) else idle + 1
        lasted = not instrument.idle_days or not used or idle <= instrument.idle_days
        if lasted and (not instrument.training_months or on <= months_after(session.date, instrument.training_months)):
            return True
    return False


def plain_state(facts: Sequence[Fact], door: str, on: date, rules) -> str:
    who = next(fact for fact in facts if getattr(fact, "login", "") == "anna")
    if (who.valid_from and on < who.valid_from) or on > who.valid_until:
        return "denied"
    name = door.removeprefix(LOG_ON)
    for fact in facts:
        shuts = isinstance(fact, Block) and (fact.door, fact.instrument) in {(None, None), (name, None), (None, name)}
        if shuts and fact.begins <= on and (fact.ends is None or on <= fact.ends):
            return "denied"
    instrument = rules.instruments.get(name)
    if instrument and instrument.training and not (plainly_trained(facts, name, on) or plainly_waived(facts, name, on)):
        return "denied"
    state = "allowed"
    for demand in instrument.demands if instrument else rules.doors[door]:
        if not plainly_met(facts, demand, on) and not plainly_waived(facts, demand, on):
            if not plainly_met(facts, demand, on, rules.requirements[demand].grace_days):
                return "denied"
            state = "grace"
    return state


@settings(max_examples=400)
@given(histories(), days, policies)
def test_a_door_is_open_if_and_only_if_each_demand_is_met_waived_or_in_grace(facts, on, rules):
    known = Known(facts)
    for _ in range(8):
        decision = decide(known.people["anna"], known, rules, on)
        doors = [name for name in decision.doors if not name.startswith(PPMS)]
        assert {name: decision.doors[name].state for name in doors} == {
            name: plain_state(facts, name, on, rules) for name in doors
        }
        if decision.next_change is None:
            break
        # Mistakes sit at the edges: the last day before a change, then the day of the change.
        eve = decision.next_change - ONE_DAY
        on = eve if eve > on else decision.next_change


@settings(max_examples=400)
@given(histories(), days, policies)
def test_a_door_closes_on_the_day_that_is_said_and_is_allowed_as_long_as_is_said(facts, on, rules):
    decision = decided(facts, on, rules)
    for name, outcome in decision.doors.items():
        if name.startswith(PPMS) or not outcome.open:
            continue
        walked = on
        while walked < date(2028, 1, 1) and plain_state(facts, name, walked + ONE_DAY, rules) != "denied":
            walked += ONE_DAY
        assert outcome.closes == walked
        if outcome.state == "allowed":
            walked = on
            while plain_state(facts, name, walked + ONE_DAY, rules) == "allowed":
                walked += ONE_DAY
            assert outcome.until == walked

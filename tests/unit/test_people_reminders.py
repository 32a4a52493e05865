# SPDX-License-Identifier: GPL-3.0-or-later
"""Reminders are neither lost nor doubled, whatever happens to dates and nights."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from facility.people import policy as policies
from facility.people.access import decide_all
from facility.people.facts import Facts
from facility.people.reminders import Reminder, due_on
from tests.people_facts import attended, colleagues, exemption, facility, person

TODAY = date(2026, 6, 15)


def policy(*stages):
    described = facility()
    described["requirements"][0] = {**described["requirements"][0], "remind_days": list(stages)}
    return policies.validated(described)


RULES = policy(30, 14, 3)


def reminded(day, facts, sent=(), rules=RULES):
    known = Facts.of(facts).known()
    found = due_on(day, known.people, decide_all(known, rules, day), rules, sent)
    return [one for one in found.get("anna", []) if one.what == "safety"]


def known(day):
    """Anna's safety briefing ends on that day, two months after it was given."""
    return [*colleagues(), person(valid_until=None, kind="staff"), *attended("safety", day)]


BRIEFED = date(2026, 4, 20)
ENDS = date(2026, 6, 20)


def test_each_stage_is_sent_once_and_the_mail_names_the_last_day():
    sent = []
    for number in range(80):
        sent += reminded(BRIEFED + timedelta(days=number), known(BRIEFED), sent)
    stages = [(one.due, one.stage) for one in sent]
    assert stages[:3] == [(ENDS, 30), (ENDS, 14), (ENDS, 3)]
    # In its time of grace, of ten days, it is still open, and ends once more.
    assert stages[3:] == [(ENDS + timedelta(days=10), 14), (ENDS + timedelta(days=10), 3)]


def test_several_ends_are_one_mail_and_an_administrator_gets_none():
    facts = [*colleagues(), person(valid_until=TODAY + timedelta(days=10)), *attended("safety", BRIEFED)]
    known_now = Facts.of(facts).known()
    found = due_on(TODAY, known_now.people, decide_all(known_now, RULES, TODAY), RULES, ())
    assert [one.what for one in found["anna"]] == ["safety", "account"]
    assert "irina" not in found


def test_whose_account_has_ended_is_not_reminded():
    facts = [*colleagues(), person(valid_until=TODAY - timedelta(days=1)), *attended("safety", BRIEFED)]
    assert reminded(TODAY, facts) == []


def test_who_has_renewed_in_time_is_left_alone():
    facts = [*known(BRIEFED), *attended("safety", TODAY, 2)]
    assert reminded(TODAY, facts) == []
    assert reminded(TODAY, [*known(BRIEFED), exemption("safety", TODAY, TODAY + timedelta(days=29))]) != []


nights = st.sets(st.integers(0, 79), max_size=70)
moves = st.dictionaries(st.integers(0, 79), st.integers(-40, 40), max_size=6)


@given(missed=nights, moved=moves)
def test_nothing_is_lost_or_doubled_when_nights_are_missed_and_dates_edited(missed, moved):
    sent, briefed = [], BRIEFED
    for number in range(80):
        day = date(2026, 5, 1) + timedelta(days=number)
        if number in moved:
            briefed = min(BRIEFED + timedelta(days=moved[number]), day)
        if number in missed:
            continue
        new = reminded(day, known(briefed), sent)
        assert len(new) <= 1
        sent += new
        # Whoever's briefing ends within a stage has been told so, at this stage or a more urgent one.
        for due in _open_ends(briefed, day):
            left = (due - day).days
            stage = min((one for one in (30, 14, 3) if one >= left >= 0), default=None)
            if stage is not None:
                assert any(one.due == due and one.stage <= stage for one in sent), (day, due)
    assert len(sent) == len(set(sent))
    for number, one in enumerate(sent):
        earlier = [other for other in sent[:number] if (other.what, other.due) == (one.what, one.due)]
        assert all(other.stage > one.stage for other in earlier)


def _open_ends(briefed, day):
    from tests.people_facts import months_after

    end = months_after(briefed, 2)
    return [end] if day <= end else [end + timedelta(days=10)] if day <= end + timedelta(days=10) else []


def test_a_reminder_is_known_by_person_demand_day_and_stage():
    assert Reminder("anna", "safety", ENDS, 3) == Reminder("anna", "safety", ENDS, 3)
    assert reminded(ENDS, known(BRIEFED), [Reminder("anna", "safety", ENDS, 3)]) == []
    assert reminded(ENDS, known(BRIEFED), [Reminder("bert", "safety", ENDS, 3)]) != []
    assert reminded(TODAY, known(BRIEFED), rules=policy()) == []

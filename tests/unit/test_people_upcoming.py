# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiki's page of what ends soon has numbers and dates, and nobody's name."""

from datetime import date, timedelta

from hypothesis import given

from facility.people import policy as policies
from facility.people.access import decide_all
from facility.people.facts import Facts, Session
from facility.people.upcoming import page
from tests.people_facts import attended, colleagues, days, facility, histories, person

TODAY = date(2026, 6, 15)
RULES = policies.validated(facility())


def shown(facts, day=TODAY, address=""):
    found = Facts.of(facts)
    return page(found, decide_all(found.known(), RULES, day), RULES, day, address)


def planned(day, **about):
    noted = {"recorded_by": "sabine", "recorded_at": TODAY}
    return Session(id=f"p{day}", **noted, date=day, by="sabine", form="oral", state="planned", **about)


def test_what_ends_is_counted_by_how_soon():
    facts = [*colleagues(), person(valid_until=TODAY + timedelta(days=10)), *attended("safety", date(2026, 4, 17))]
    lines = shown(facts, address="https://register.example.org/").splitlines()
    assert "^ Ends within ^ 3 days ^ 14 days ^ 30 days ^" in lines
    assert "| %%Accounts%% | - | 1 | 1 |" in lines
    assert any(line.endswith("| 1 | 1 | 1 |") and "safety" in line.lower() for line in lines)
    assert "As of 15 June 2026." in lines[2]
    assert "[[https://register.example.org/me/|My doors]]" in lines[2]


def test_sessions_to_come_are_named_and_those_of_the_past_are_not():
    past = planned(TODAY - timedelta(days=1), requirement="safety")
    text = shown([*colleagues(), planned(TODAY, requirement="laser"), past])
    assert "  * 15 June 2026: %%" in text
    assert "14 June 2026" not in text
    revoked = planned(TODAY, requirement="laser")
    taken_back = type(revoked)(**{
        **{name: getattr(revoked, name) for name in revoked.__dataclass_fields__},
        "revoked_by": "sabine", "revoked_at": TODAY, "revoke_reason": "ill",
    })  # fmt: skip
    assert "Nothing is planned." in shown([*colleagues(), taken_back])


def test_where_nothing_ends_the_page_says_so():
    assert "Nothing ends within 30 days." in shown(colleagues())


@given(histories(), days)
def test_nobody_is_named(facts, on):
    text = shown([*colleagues(), person(), *facts], on)
    for one in Facts.of([*colleagues(), person()]).known().people.values():
        for name in (one.login, one.family_name, one.mail):
            assert name not in text

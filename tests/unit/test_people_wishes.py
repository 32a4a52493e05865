# SPDX-License-Identifier: GPL-3.0-or-later
"""What each system should hold follows from the decision, and nothing is wanted of IT administrators."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.directory import filetime
from facility.people import policy as policies
from facility.people.access import decide
from facility.people.facts import Block, Known
from facility.people.wishes import end_of, wishes
from tests.people_facts import (
    DAYS,
    attended,
    colleagues,
    day,
    days,
    facility,
    histories,
    person,
    policy,
    recorded,
    strict_policy,
)


def wanted(facts, on, rules=None, login="anna"):
    known, rules = Known(facts), rules or policy()
    return wishes(known.people[login], decide(known.people[login], known, rules, on), rules)


def anna(*facts, on, rules=None, **changes):
    flat = [one for fact in facts for one in (fact if isinstance(fact, list) else [fact])]
    return wanted([*colleagues(), person(**changes), *flat], on, rules)


def test_a_new_person_has_an_account_her_group_and_the_doors_that_demand_nothing():
    assert anna(on=day(5)) == {
        "login": "anna",
        "untouched": False,
        "directory": {
            "enabled": True,
            "account_expires": "2026-08-30T00:00:00+02:00",
            "groups": ["door-wiki", "instrument-bench", "rg-neuro"],
            "log_on": {"confocal": False, "twin": False, "lamp": False},
            "doors": {"wiki": True, "share": False, "omero": False},
        },
        "ppms": {
            "known": True,
            "rights": {"A": [], "D": [11, 12]},
        },
        "omero": {"open": False, "group": "rg-neuro"},
        "share": {"open": False},
        "wiki": {"open": True},
    }


def test_briefed_and_trained_she_may_log_on_and_book():
    found = anna(
        attended("safety", day(0), 1), attended("laser", day(0), 2), attended("confocal", day(0), 3), on=day(5)
    )
    assert found["directory"]["groups"] == [
        "door-share",
        "door-wiki",
        "instrument-bench",
        "instrument-confocal",
        "rg-neuro",
    ]
    assert found["directory"]["doors"] == {"wiki": True, "share": True, "omero": False}
    assert found["ppms"]["rights"] == {"A": [11], "D": [12]}


def test_the_account_expires_with_the_end_of_what_every_door_demands():
    briefed = attended("safety", date(2026, 1, 1))
    found = anna(briefed, on=day(5), rules=strict_policy())["directory"]
    # Two months and ten days of grace.
    assert found["account_expires"] == "2026-03-12T00:00:00+01:00"
    assert anna(briefed, on=day(5))["directory"]["account_expires"] == "2026-08-30T00:00:00+02:00"


def test_where_every_door_is_shut_the_account_is_disabled_and_keeps_its_own_last_day():
    shut = anna(on=day(5), rules=strict_policy())["directory"]
    assert (shut["enabled"], shut["account_expires"]) == (False, "2026-08-30T00:00:00+02:00")
    leave = Block(id="b", **recorded(), person="anna", begins=day(1), ends=day(9), reason="leave")
    assert anna(leave, on=day(5))["directory"]["groups"] == ["rg-neuro"]
    assert not anna(leave, on=day(5))["directory"]["enabled"]
    assert anna(leave, on=day(0))["directory"]["account_expires"] == "2026-01-02T00:00:00+01:00"


def test_the_group_of_an_instrument_that_demands_nothing_is_left_alone_but_not_a_blocked_person_in_it():
    assert "bench" not in anna(on=day(5))["directory"]["log_on"]
    block = Block(id="b", **recorded(), person="anna", begins=day(1), reason="broke it", instrument="bench")
    assert anna(block, on=day(5))["directory"]["log_on"]["bench"] is False
    leave = Block(id="b", **recorded(), person="anna", begins=day(1), reason="leave")
    assert "bench" not in anna(leave, on=day(5))["directory"]["log_on"]


def test_whose_last_day_has_passed_hears_that_and_not_that_the_account_is_disabled():
    over = anna(on=date(2026, 8, 30))["directory"]
    assert (over["enabled"], over["account_expires"]) == (True, "2026-08-30T00:00:00+02:00")
    block = Block(id="b", **recorded(), person="anna", begins=day(1), reason="left")
    assert not anna(block, on=date(2026, 8, 30))["directory"]["enabled"]


def test_of_whom_the_last_day_has_passed_no_door_s_group_is_changed_but_a_block_shuts_all_of_them():
    assert anna(on=date(2026, 8, 30))["directory"]["doors"] == {}
    assert not anna(on=date(2026, 8, 30))["ppms"]["known"]
    block = Block(id="b", **recorded(), person="anna", begins=day(1), reason="left")
    for on in (day(5), date(2026, 8, 30)):
        assert set(anna(block, on=on)["directory"]["doors"].values()) == {False}


def test_a_block_of_one_door_takes_the_person_out_of_its_group_even_where_nothing_is_demanded():
    block = Block(id="b", **recorded(), person="anna", begins=day(1), reason="wrote nonsense", door="wiki")
    assert anna(block, on=day(5))["directory"]["doors"]["wiki"] is False


def test_rights_on_an_instrument_that_demands_nothing_are_left_alone_but_not_a_blocked_person_s():
    described = facility()
    next(one for one in described["instruments"] if one["name"] == "bench")["ppms_system_id"] = 99
    rules = policies.validated(described)
    assert rights(anna(on=day(5), rules=rules)) == {11: "D", 12: "D"}
    assert rights(anna(on=date(2026, 8, 30), rules=rules)) == {11: "D", 12: "D"}
    block = Block(id="b", **recorded(), person="anna", begins=day(1), reason="broke it", instrument="bench")
    assert rights(anna(block, on=day(5), rules=rules))[99] == "D"
    leave = Block(id="b", **recorded(), person="anna", begins=day(1), reason="leave")
    assert rights(anna(leave, on=day(5), rules=rules))[99] == "D"


def rights(found):
    return {system: right for right, systems in found["ppms"]["rights"].items() for system in systems}


def test_staff_are_in_their_group_and_need_no_end():
    found = wanted([*colleagues(), person()], day(5), login="sabine")
    assert found["directory"]["account_expires"] == "never"
    assert "facility-staff" in found["directory"]["groups"]
    assert found["omero"] == {"open": False, "group": None}


@given(histories(), days)
def test_nothing_is_wanted_of_it_administrators(facts, on):
    found = wanted(facts, on, login="irina")
    assert found.pop("untouched")
    assert found.pop("login") == "irina"
    assert set(found.values()) == {None}


@given(histories(), days, st.sampled_from([policy, strict_policy]))
def test_no_system_is_open_while_the_account_is_not_and_none_outlives_it(facts, on, rules):
    known = Known(facts)
    decision = decide(known.people["anna"], known, rules(), on)
    found = wishes(known.people["anna"], decision, rules())
    directory = found["directory"]
    doors = [group for group in directory["groups"] if group.startswith(("door-", "instrument-"))]
    opened = [*doors, *(door for door in ("omero", "share", "wiki") if found[door]["open"]),
              *found["ppms"]["rights"]["A"],
              *(door for door, is_open in directory["doors"].items() if is_open)]  # fmt: skip
    expires = datetime.fromisoformat(directory["account_expires"]).date()
    if not decision.log_in.open:
        assert opened == []
        assert not directory["enabled"] or expires <= on
    else:
        assert directory["enabled"]
        assert all(outcome.closes < expires for outcome in decision.doors.values() if outcome.open)
        assert on < expires <= day(DAYS + 21)
    json.dumps(found)


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (date(2026, 12, 31), "2027-01-01T00:00:00+01:00"),
        (date(2026, 3, 28), "2026-03-29T00:00:00+01:00"),
        (date(2026, 3, 29), "2026-03-30T00:00:00+02:00"),
        (None, "never"),
        (date.max, "never"),
        (date.max - timedelta(days=1), "never"),
    ],
)
def test_a_day_ends_at_midnight_of_the_facility_as_the_directory_takes_it(last, end):
    assert end_of(last, "Europe/Berlin") == end
    filetime.to_filetime(end)


def test_an_end_is_the_same_that_the_playbooks_write_today(filters):
    keys = ("login", "given_name", "family_name", "mail")
    one = {**dict.fromkeys(keys, "a"), "kind": "staff", "research_group": None, "valid_until": "2026-10-24"}
    register = {"time_zone": "Europe/Berlin", "people": [one]}
    assert filters.directory_users(register)[0]["account_expires"] == end_of(date(2026, 10, 24), "Europe/Berlin")

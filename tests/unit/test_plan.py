# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from got to wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.plan import Change, Plan, Secret, applied, membership, plan

NAMES = st.sampled_from(["aadler", "mmueller", "sstein", "zzelenka"])
VALUES = st.one_of(
    st.none(), st.text("ab", max_size=2), st.booleans(), st.integers(0, 3), st.lists(NAMES, unique=True).map(tuple)
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["mail", "members", "enabled", "title"]), VALUES)
STATES = st.dictionaries(NAMES, ATTRIBUTES)
WANTED = st.dictionaries(NAMES, st.one_of(st.none(), ATTRIBUTES))
MEMBERS = st.sets(st.sampled_from("abcdef"))


def there(attributes):
    return {name: value for name, value in attributes.items() if value is not None and value not in ("", ())}


@given(STATES, WANTED)
def test_after_the_plan_everything_wanted_is_there(got, wanted):
    after = applied(got, plan(got, wanted).changes)
    for key, attributes in wanted.items():
        if attributes is None:
            assert key not in after
        else:
            managed = {name: value for name, value in after[key].items() if name in attributes}
            assert there(managed) == there(attributes)


@given(STATES, WANTED)
def test_what_is_not_wanted_is_left_alone(got, wanted):
    after = applied(got, plan(got, wanted).changes)
    for key, attributes in got.items():
        if key not in wanted:
            assert after[key] == attributes
        elif wanted[key] is not None:
            unmanaged = {name: value for name, value in attributes.items() if name not in wanted[key]}
            assert there(unmanaged).items() <= after[key].items()


@given(STATES, WANTED)
def test_a_second_run_finds_nothing_to_do(got, wanted):
    again = plan(applied(got, plan(got, wanted).changes), wanted)
    assert not again.changed
    assert again.unchanged == len(wanted)


@given(STATES)
def test_what_is_already_wanted_needs_no_plan(state):
    nothing = plan(state, state)
    assert nothing == Plan((), unchanged=len(state))
    assert nothing.diff() == {"before": "", "after": ""}


@given(STATES, WANTED)
def test_the_diff_shows_a_difference_exactly_if_something_changes(got, wanted):
    found = plan(got, wanted)
    diff = found.diff()
    assert (diff["before"] != diff["after"]) == found.changed


def test_a_plan_tells_attribute_by_attribute_what_differs():
    got = {"aadler": {"mail": "old@example.org", "family_name": "Adler"}, "left": {"mail": "left@example.org"}}
    wanted = {"aadler": {"mail": "new@example.org", "family_name": "Adler"}, "new": {"mail": ""}, "left": None}
    assert plan(got, wanted).changes == (
        Change("aadler", "update", {"mail": "old@example.org"}, {"mail": "new@example.org"}),
        Change("new", "create", {}, {}),
        Change("left", "delete", {"mail": "left@example.org"}, {}),
    )


def test_the_diff_reads_like_sorted_yaml():
    found = plan(
        {"rg-neuro": {"members": ("aadler",), "description": "Old"}},
        {"rg-neuro": {"members": ("aadler", "ccosta"), "description": None}, "alone": {"enabled": True}},
    )
    assert found.diff() == {
        "before": "rg-neuro:\n  description: Old\n  members:\n    - aadler\n",
        "after": "alone:\n  enabled: true\nrg-neuro:\n  members:\n    - aadler\n    - ccosta\n",
    }


@given(st.text("abcXYZ0189", min_size=12))
def test_a_secret_is_always_written_and_never_shown(password):
    wanted = {"svc-wiki": {"password": Secret(password)}}
    found = plan({"svc-wiki": {}}, wanted)
    assert found.keys("update") == ["svc-wiki"]
    assert password not in str(found) + str(found.diff())


@given(MEMBERS, MEMBERS, MEMBERS)
def test_added_members_are_in_removed_ones_are_out_all_others_stay(current, add, remove):
    to_add, to_remove = membership(current, add=add - remove, remove=remove)
    after = (current | set(to_add)) - set(to_remove)
    assert after == (current | (add - remove)) - remove
    assert set(to_add).isdisjoint(current)
    assert set(to_remove) <= current


@given(MEMBERS, MEMBERS)
def test_set_members_are_exactly_those(current, exactly):
    to_add, to_remove = membership(current, set=exactly)
    assert (current | set(to_add)) - set(to_remove) == exactly
    assert membership(exactly, set=exactly) == ([], [])


def test_an_empty_set_empties_the_group_and_no_list_leaves_it_alone():
    assert membership({"a", "b"}, set=[]) == ([], ["a", "b"])
    assert membership({"a", "b"}) == ([], [])


def test_contradicting_lists_are_refused():
    with pytest.raises(ValueError, match="either set, or add and remove"):
        membership([], set=["a"], add=["b"])
    with pytest.raises(ValueError, match="a can't be in both add and remove"):
        membership([], add=["a"], remove=["a"])

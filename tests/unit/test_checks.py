# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a role's checks fails, all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.checks import ChecksError, faults

CHECKS = st.fixed_dictionaries({"holds": st.booleans(), "cure": st.text()}) | st.fixed_dictionaries(
    {"wrong": st.lists(st.text() | st.integers()), "cure": st.text()}
)


class Unspeakable(Mapping[str, object]):
    """A check whose cure can't be rendered, as Ansible's is that names what isn't there."""

    def __init__(self, **said: object) -> None:
        self.said = said

    def __getitem__(self, name: str) -> object:
        assert name != "cure", "the cure was looked at"
        return self.said[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.said, "cure"])

    def __len__(self) -> int:
        return len(self.said) + 1


def test_every_fault_is_named_and_nothing_else():
    assert faults(
        [
            {"holds": True, "cure": "name it."},
            {"holds": False, "cure": "name the relay."},
            {"wrong": [], "cure": "is no path."},
            {"wrong": ["srv", 7], "cure": "is no path."},
            {"wrong": ("x",), "cure": "is twice."},
        ]
    ) == ["name the relay.", "srv, 7 is no path.", "x is twice."]


def test_what_is_well_has_no_fault():
    assert faults([]) == []
    assert faults([{"holds": True, "cure": "name it."}]) == []


@given(st.lists(CHECKS, max_size=5), st.lists(CHECKS, max_size=5))
def test_checks_do_not_know_of_each_other(some, others):
    assert faults(some + others) == faults(some) + faults(others)


@given(CHECKS)
def test_a_fault_ends_with_its_cure(check):
    found = faults([check])
    assert bool(found) == bool(check.get("wrong") or check.get("holds") is False)
    assert all(fault.endswith(check["cure"]) for fault in found)


def test_the_cure_of_what_holds_is_not_looked_at():
    assert faults([Unspeakable(holds=True), Unspeakable(wrong=[])]) == []
    with pytest.raises(AssertionError, match="looked at"):
        faults([Unspeakable(holds=False)])


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"cure": "x"}, "check 2 must have cure and one of holds and wrong, not cure"),
        ({"cure": "x", "holds": True, "wrong": []}, "not cure, holds, wrong"),
        ({"holds": True}, "not holds"),
        ({"holds": True, "cure": "x", "when": False}, "not holds, cure, when"),
        ({}, "not nothing"),
        ("holds", "not str"),
        ({"cure": "x", "holds": "True"}, "holds of check 2 must be true or false, not str"),
        ({"cure": "x", "holds": 1}, "not int"),
        ({"cure": "x", "holds": []}, "not list"),
        ({"cure": "x", "wrong": "a, b"}, "wrong of check 2 must be a list, not str"),
        ({"cure": "x", "wrong": {"a": 1}}, "not dict"),
        ({"cure": "x", "wrong": None}, "not NoneType"),
    ],
)
def test_what_is_no_check_is_named_by_its_place(check, said):
    with pytest.raises(ChecksError, match=said):
        faults([{"holds": True, "cure": "x"}, check])


@pytest.mark.parametrize("checks", ["holds", {"holds": True, "cure": "x"}, None])
def test_checks_are_a_list(checks):
    with pytest.raises(ChecksError, match="checks must be a list"):
        faults(checks)


def test_an_error_shows_no_value():
    with pytest.raises(ChecksError) as raised:
        faults([{"holds": "a-password", "cure": "x"}])
    assert "a-password" not in str(raised.value)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy in facility.yml: all of it is optional, and what contradicts itself is refused with place and cure."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.people import policy as policies
from facility.people import register
from facility.people.entries import RegisterError
from facility.people.policy import Requirement
from tests.people_facts import facility

FILE = "group_vars/all/facility.yml"


def problems(described) -> list[str]:
    with pytest.raises(RegisterError) as refused:
        policies.validated(described)
    assert all("\n" not in problem for problem in refused.value.problems)
    return refused.value.problems


def with_entry(key, number, **changes):
    described = deepcopy(facility())
    entry = described[key][number]
    entry.update(changes)
    described[key][number] = {name: value for name, value in entry.items() if value is not ...}
    return described


def test_a_facility_that_says_nothing_of_it_demands_nothing():
    plain = {"name": "mic", "title": "M", "host": "m", "location": "R", "biosafety": "S2"}
    policy = policies.validated(
        facility(requirements=..., door_demands=..., biosafety_demands=..., instruments=[plain])
    )
    assert policy.requirements == {}
    assert policy.doors == {"wiki": (), "share": (), "omero": ()}
    assert policy.instruments["mic"].demands == ()
    assert not policy.instruments["mic"].training
    assert (policy.common, policy.used) == ((), ())


def test_what_is_left_out_has_its_usual_value_and_the_rest_is_kept():
    policy = policies.validated(with_entry("requirements", 0, remind_days=[3, 30, 14], recorded_by=["sabine"]))
    assert policy.requirements["safety"] == Requirement(
        "safety", "safety briefing", 2, 10, "any", "optional", (30, 14, 3), 2, ("sabine",)
    )
    assert policy.requirements["house"] == Requirement("house", "house rules")


def test_an_instrument_demands_its_own_and_what_its_biosafety_level_demands_each_once():
    described = with_entry("instruments", 1, demands=["laser", "safety"])
    assert policies.validated(described).instruments["twin"].demands == ("laser", "safety", "s2", "paper")


def test_what_all_doors_and_instruments_demand_is_known():
    described = facility(door_demands={"wiki": ["house"], "share": ["house", "safety"], "omero": ["house"]})
    for instrument in described["instruments"]:
        instrument["demands"] = ["house"]
    assert policies.validated(described).common == ("house",)


def test_equivalent_instruments_count_for_each_other_over_several_steps():
    described = with_entry("instruments", 2, equivalent_to=["twin"])
    counts = {name: one.counts for name, one in policies.validated(described).instruments.items()}
    assert counts == {**dict.fromkeys(["confocal", "twin", "lamp"], ("confocal", "lamp", "twin")), "bench": ("bench",)}


INSTRUMENT = f'{FILE}, facility_instruments, entry 1 (name "confocal"): '
REQUIREMENT = f'{FILE}, facility_requirements, entry 1 (name "safety"): '


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        (
            with_entry("instruments", 0, demands=["saftey"]),
            INSTRUMENT + 'demands: requirement "saftey" doesn\'t exist: did you mean "safety"? '
            f"(or add it to facility_requirements in {FILE})",
        ),
        (
            facility(door_demands={"wiki": ["xyz"]}),
            f'{FILE}, facility_door_demands: wiki: requirement "xyz" doesn\'t exist: one of house, laser, paper, s2, '
            f"safety (or add it to facility_requirements in {FILE})",
        ),
        (
            facility(door_demands={"wikki": []}),
            f'{FILE}, facility_door_demands: unknown key "wikki": did you mean "wiki"?',
        ),
        (
            facility(door_demands=["safety"]),
            f"{FILE}, facility_door_demands: must be keys and values, is list: write it like {{wiki: [safety]}}",
        ),
        (
            facility(biosafety_demands={"S3": ["safety"]}),
            f'{FILE}, facility_biosafety_demands: unknown key "S3": remove it; the keys are S1, S2',
        ),
        (
            facility(door_demands={"wiki": "safety"}),
            f'{FILE}, facility_door_demands: wiki "safety" must be a list, is text: write it like [one, two]',
        ),
        (
            facility(door_demands={"wiki": ["safety", "safety"]}),
            f"{FILE}, facility_door_demands: wiki \"['safety', 'safety']\" holds \"safety\" twice: remove one",
        ),
        (
            with_entry("requirements", 0, months="12"),
            REQUIREMENT + 'months "12" must be a number, is text: write digits, without quotes',
        ),
        (with_entry("requirements", 0, months=0), REQUIREMENT + 'months "0" is out of range: choose 1 to 1200'),
        (with_entry("requirements", 0, months=True), REQUIREMENT
         + 'months "True" must be a number, is true/false: write digits, without quotes'),
        (
            with_entry("requirements", 0, form="orally"),
            REQUIREMENT + 'form "orally" doesn\'t exist: did you mean "oral"?',
        ),
        (
            with_entry("requirements", 0, months=..., form="oral"),
            REQUIREMENT + "grace_days has no effect on what never ends: add months, or remove grace_days",
        ),
        (
            with_entry("requirements", 0, form="document", proof="none"),
            REQUIREMENT + "proof none contradicts form document, which is a proof: remove proof",
        ),
        (
            with_entry("requirements", 0, remind_days=[30, "3"]),
            REQUIREMENT + "remind_days \"[30, '3']\" holds \"3\", which is not a number: mend it",
        ),
        (
            with_entry("requirements", 1, name="safety"),
            f'{FILE}, facility_requirements, entry 2 (name "safety"): name "safety" is also that of entry 1 '
            '(name "safety"): give one of them another name',
        ),
        (
            with_entry("instruments", 0, training=...),
            INSTRUMENT + "idle_days has no effect without training: add training: required, or remove idle_days",
        ),
        (
            with_entry("instruments", 0, equivalent_to=["confocal"]),
            INSTRUMENT + 'equivalent_to "confocal" is itself: remove it',
        ),
        (
            with_entry("instruments", 0, equivalent_to=["bench"]),
            INSTRUMENT + 'equivalent_to "bench", which demands no training: remove it',
        ),
        (
            with_entry("instruments", 0, equivalent_to=["twins"]),
            INSTRUMENT + 'equivalent_to "twins" doesn\'t exist: did you mean "twin"?',
        ),
        (
            with_entry("instruments", 0, equivalent_to=["twin"]),
            f'{FILE}, facility_instruments, entry 2 (name "twin"): equivalent_to "confocal" is equivalent already, '
            "and a circle says it twice: remove it",
        ),
        (
            with_entry("research_groups", 0, owner="Anna"),
            f'{FILE}, facility_research_groups, entry 1 (name "neuro"): owner "Anna" is no login: '
            "use 1 to 20 of a-z 0-9 . _ -, beginning with a letter",
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_refused_with_place_and_cure(described, problem):
    assert problem in problems(described)


def test_all_problems_are_named_at_once():
    described = with_entry("instruments", 0, demands=["nothing"], trainers=["Not a login"])
    described["requirements"][0]["months"] = -1
    described["time_zone"] = "Berlin"
    assert len(problems(described)) == 4


def test_the_register_of_the_playbooks_takes_what_is_said_of_instruments_and_hands_it_on():
    person = {"login": "sabine", "given_name": "S", "family_name": "S", "mail": "s@example.org", "kind": "staff"}
    result = register.validated("people.yml", {"people": [person]}, facility())
    assert result["instruments"][0]["demands"] == ["safety", "laser"]
    assert set(result) == {"people", "research_groups", "instruments", "time_zone"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


def nearly(entry):
    return st.fixed_dictionaries({key: st.just(value) | ANYTHING for key, value in entry.items()})


@given(
    st.fixed_dictionaries(
        {
            **{key: ANYTHING | st.just(value) for key, value in facility().items()},
            "instruments": st.lists(nearly(facility()["instruments"][1]) | ANYTHING, max_size=3),
            "requirements": st.lists(nearly(facility()["requirements"][2]) | ANYTHING, max_size=3),
        }
    )
)
def test_whatever_is_written_is_refused_in_words_or_makes_a_policy_but_never_crashes(described):
    try:
        policy = policies.validated(described)
    except RegisterError as error:
        assert error.problems
        assert all(problem.startswith(FILE) for problem in error.problems)
    else:
        assert set(policy.doors) == {"wiki", "share", "omero"}


def test_the_policy_of_the_example_demands_s2_with_its_paper_and_leaves_the_wiki_open(example):
    policy, _ = example
    assert policy.doors["wiki"] == ()
    assert policy.instruments["confocal-2"].demands == ("laser-safety", "safety-briefing", "s2-briefing", "formblatt-z")
    assert policy.instruments["confocal-1"].counts == ("confocal-1", "confocal-2")


@pytest.fixture(scope="module")
def example(repository):
    from facility.people.inventory import read_inventory

    return read_inventory(repository / "inventories/example")

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may use follows from what is recorded: the wiki, drive X, OMERO, and rights in the booking system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from facility.ppms.pumapi import Ppms
from testbed.podman import podman
from tests.acceptance.register import (
    EXAMPLE,
    NEWCOMER,
    SESSIONS,
    YESTERDAY,
    attended,
    changes,
    edit,
    initial_password,
    people,
    play,
    recorded,
    remove_account,
)

PPMS_HOST = "ppms1.imaging.example.org"
CONFOCAL, LIGHTSHEET, STED = 11, 13, 14
RULES = {"id": "more-rules", "requirement": "wiki-rules", "date": YESTERDAY, "by": "tthoma", "form": "oral"}
# Nobody briefs themselves.
RULES_FOR_THOMA = {**RULES, "id": "more-rules-again", "by": "sstein"}


@pytest.fixture
def ruled(site: Path) -> Path:
    """The site, where the wiki demands a briefing, too, that everybody but a newcomer has had."""

    def demand(facility: dict[str, Any]) -> None:
        facility["facility_requirements"].append({"name": "wiki-rules", "title": "the wiki's rules"})
        facility["facility_door_demands"]["wiki"] = ["wiki-rules"]

    edit(site / "group_vars/all/facility.yml", demand)
    return site


def everybody_else() -> list[str]:
    register = yaml.safe_load(people(EXAMPLE).read_text())
    others = [person for person in register["people"] if person["kind"] != "it_admin" and person["login"] != "tthoma"]
    return [person["login"] for person in others]


def all_recorded(site: Path, *newcomers: str) -> None:
    parts = [
        attended([RULES], *everybody_else(), *newcomers),
        attended([RULES_FOR_THOMA], "tthoma"),
        attended(SESSIONS, *newcomers),
    ]
    recorded(site, **{kind: [entry for part in parts for entry in part[kind]] for kind in parts[0]})


def test_without_the_demanded_briefing_every_door_is_shut_and_with_it_all_are_open(ruled, newcomer, doors, ppms):
    all_recorded(ruled)
    status, output = play(ruled, "people.yml")
    assert status == 0, output
    password = initial_password(newcomer)
    assert doors(newcomer, password) == set()
    assert ppms.user(newcomer).group == "neuro"
    assert ppms.rights(CONFOCAL)[newcomer] == "D"

    all_recorded(ruled, newcomer)
    status, output = play(ruled, "people.yml", "--check", "--diff")
    assert status == 0, output
    assert f"{newcomer} on {CONFOCAL}: - right: D + right: A" in output
    assert ppms.rights(CONFOCAL)[newcomer] == "D", "check mode changed something"
    assert play(ruled, "people.yml")[0] == 0
    assert doors(newcomer, password) == {"wiki", "share", "omero"}
    assert (ppms.rights(CONFOCAL)[newcomer], ppms.rights(STED)[newcomer]) == ("A", "D")
    assert changes(play(ruled, "people.yml")[1]) == 0

    # OMERO knows the person by now; what was recorded turns out to be wrong.
    all_recorded(ruled)
    assert play(ruled, "people.yml")[0] == 0
    assert doors(newcomer, password) == set()
    assert ppms.rights(CONFOCAL)[newcomer] == "D"


def test_it_administrators_pass_every_door(doors):
    assert doors("iivanova", initial_password("iivanova")) == {"wiki", "share", "omero"}


@pytest.fixture
def superusers(ppms: Ppms) -> Iterator[dict[int, str]]:
    """Two superusers, of whom the register says other things; they are again afterwards what it says."""
    for system, login in ((LIGHTSHEET, "tthoma"), (STED, "sstein")):
        ppms.set_right(system, login, "S")
    yield {LIGHTSHEET: "tthoma", STED: "sstein"}
    ppms.set_right(LIGHTSHEET, "tthoma", "A")
    ppms.set_right(STED, "sstein", "D")


def test_superusers_stay_what_ppms_made_them(superusers, ppms):
    status, output = play(EXAMPLE, "people.yml")
    assert status == 0, output
    assert changes(output) == 0
    assert "Still superusers in PPMS, where only its administrators change that: sstein" in output
    assert {system: ppms.rights(system)[login] for system, login in superusers.items()} == {LIGHTSHEET: "S", STED: "S"}


@pytest.fixture
def ppms_down() -> Iterator[None]:
    """PPMS doesn't answer."""
    podman("exec", PPMS_HOST, "ppms", "fault", "off")
    yield
    podman("exec", PPMS_HOST, "ppms", "fault", "none")


def test_while_ppms_is_down_the_directory_follows_and_the_run_fails_and_says_what_to_do(
    site, newcomer, doors, ppms_down
):
    recorded(site, **attended(SESSIONS, newcomer))
    status, output = play(site, "people.yml")
    assert status != 0
    assert "What does not follow the register" in output
    assert "PPMS - " in output
    assert "run playbooks/people.yml again" in output
    assert "directory - " not in output
    assert "Traceback" not in output
    assert doors(newcomer, initial_password(newcomer)) == {"wiki", "share", "omero"}


def test_while_the_directory_is_down_ppms_follows_and_the_run_fails_and_says_what_to_do(site, newcomer, ppms):
    recorded(site, **attended(SESSIONS, newcomer))
    nowhere = {"server_uri": "ldaps://dc1.imaging.example.org:6399", "timeout": 5}
    edit(site / "group_vars/all/wiring.yml", lambda variables: variables["people_directory"].update(nowhere))
    status, output = play(site, "people.yml")
    assert status != 0
    assert "directory - " in output
    assert "PPMS - " not in output
    assert ppms.rights(CONFOCAL)[newcomer] == "A"


def test_a_site_without_a_key_for_ppms_is_told_so_and_nothing_fails(site):
    edit(site / "group_vars/all/vault.yml", lambda vault: vault.update(vault_ppms_api_key=""))
    status, output = play(site, "people.yml")
    assert status == 0, output
    assert "Nothing is done in PPMS: vault_ppms_api_key is empty" in output


@pytest.fixture
def unbilled(site: Path) -> Iterator[str]:
    """A newcomer, whom PPMS never knew, of a research group that it doesn't have under that name."""
    login = "nnobody"

    def bill_to_nobody(facility: dict[str, Any]) -> None:
        facility["facility_research_groups"][0]["ppms_group"] = "nuero"

    edit(site / "group_vars/all/facility.yml", bill_to_nobody)
    edit(people(site), lambda register: register["people"].append({**NEWCOMER, "login": login}))
    yield login
    remove_account(site, login)


def test_a_group_that_ppms_lacks_keeps_a_newcomer_out_and_nobody_else_s_rights_open(site, unbilled, ppms):
    ppms.set_right(STED, "uugwu", "A")
    status, output = play(site, "people.yml")
    assert status != 0
    assert "PPMS has no group nuero and would silently make it" in output
    assert "nuero" not in ppms.groups
    assert ppms.user(unbilled) is None
    assert ppms.rights(STED)["uugwu"] == "D"

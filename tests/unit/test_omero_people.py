# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about people and groups of OMERO."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.plan import Plan, applied
from facility.omero import people as port
from facility.omero.connection import OmeroError
from facility.omero.people import groups_plan, users_plan, users_state

KNOWN = {"system", "user", "guest", "rg-neuro", "rg-plant", "rg-fly"}
GROUPS = st.frozensets(st.sampled_from(["rg-neuro", "rg-plant", "rg-fly"]))


def person(**changed: Any) -> dict[str, Any]:
    return {
        "first_name": "Anna", "last_name": "Adler", "email": "", "institution": "", "ldap": True,
        "groups": ("rg-neuro",), "default_group": "rg-neuro", "active": True, "privileges": (), **changed,
    }  # fmt: skip


def planned(got: Mapping[str, Any], *wanted: dict[str, Any], state: str = "present", update: str = "on_create") -> Plan:
    return users_plan(got, list(wanted), state=state, update_password=update, known_groups=KNOWN)


def test_what_is_not_given_is_not_managed() -> None:
    assert not planned({"aadler": person()}, {"login": "aadler"}).changed
    assert not planned({}, {"login": "aadler"}, state="inactive").changed


def test_a_new_person_needs_a_group_and_a_password() -> None:
    with pytest.raises(OmeroError, match=r"aadler is new and needs a group; give groups: \{add: "):
        planned({}, {"login": "aadler", "password": "Secret-of-aadler"})
    with pytest.raises(OmeroError, match="people of the directory come in by themselves"):
        planned({}, {"login": "aadler", "groups": {"add": ["rg-neuro"]}})
    with pytest.raises(OmeroError, match="no group rg-none; make it first"):
        planned({}, {"login": "aadler", "groups": {"add": ["rg-none"]}})
    with pytest.raises(OmeroError, match="the default group rg-fly is none of rg-neuro"):
        planned({"aadler": person()}, {"login": "aadler", "default_group": "rg-fly"})
    with pytest.raises(OmeroError, match="aadler: members: give either set, or add and remove"):
        planned({"aadler": person()}, {"login": "aadler", "groups": {"set": ["rg-fly"], "add": ["rg-fly"]}})


def test_a_password_is_set_once_and_never_shown() -> None:
    wanted = {"login": "aadler", "groups": {"add": ["rg-neuro"]}, "password": "Secret-of-aadler"}
    new = planned({}, wanted)
    assert new.keys("create") == ["aadler"]
    assert "Secret-of-aadler" not in str(new.diff()) + repr(new)
    assert not planned({"aadler": person()}, wanted).changed
    assert planned({"aadler": person()}, wanted, update="always").keys("update") == ["aadler"]


@given(now=GROUPS, add=GROUPS, remove=GROUPS)
def test_memberships_end_where_they_should_and_others_stay(
    now: frozenset[str], add: frozenset[str], remove: frozenset[str]
) -> None:
    got = {"aadler": person(groups=tuple(sorted(now)))}
    wanted = {"login": "aadler", "groups": {"add": sorted(add), "remove": sorted(remove - add)}}
    plan = planned(got, wanted)
    after = applied(got, plan.changes)
    assert set(after["aadler"].get("groups", ())) == (now | add) - (remove - add)  # type: ignore[arg-type]
    assert not planned({"aadler": {"groups": (), **after["aadler"]}}, wanted).changed


@given(now=GROUPS, exactly=GROUPS)
def test_a_set_of_memberships_is_exactly_that(now: frozenset[str], exactly: frozenset[str]) -> None:
    got = {"aadler": person(groups=tuple(sorted(now)))}
    after = applied(got, planned(got, {"login": "aadler", "groups": {"set": sorted(exactly)}}).changes)
    assert set(after["aadler"].get("groups", ())) == exactly  # type: ignore[arg-type]


def test_who_left_is_made_inactive_once_and_comes_back_whole() -> None:
    plan = planned({"aadler": person()}, {"login": "aadler"}, state="inactive")
    assert plan.changes[0].after == {"active": False}
    gone = {"aadler": person(active=False)}
    assert not planned(gone, {"login": "aadler"}, state="inactive").changed
    assert planned(gone, {"login": "aadler"}).changes[0].after == {"active": True}


def test_an_administrator_without_privileges_is_not_mistaken_for_one_whose_are_not_managed() -> None:
    """An empty list says "none", and a new account must be told so, or it has all."""
    wanted = {"login": "svc", "groups": {"set": ["system"]}, "password": "Secret-of-svc", "privileges": []}
    assert planned({}, wanted).changes[0].after["privileges"] == ("(none)",)
    mighty = person(groups=("system",), privileges=("Chown", "Sudo"))
    assert planned({"svc": mighty}, wanted).changes[0].after == {"privileges": ("(none)",)}
    assert not planned({"svc": person(groups=("system",), privileges=("(none)",))}, wanted).changed
    assert not planned({"svc": mighty}, {"login": "svc"}).changed
    assert not planned({"svc": mighty}, {"login": "svc", "privileges": ["Sudo", "Chown"]}).changed


def test_a_new_group_is_private_and_an_old_one_keeps_what_is_not_given() -> None:
    got = {"rg-neuro": {"permissions": "rwra--", "description": "Neurons", "ldap": True}}
    plan = groups_plan(got, [{"name": "rg-neuro"}, {"name": "rg-new", "from_directory": True}])
    assert [(change.key, change.after) for change in plan.changes] == [
        ("rg-new", {"permissions": "rw----", "ldap": True})
    ]
    changed = groups_plan(got, [{"name": "rg-neuro", "permissions": "private", "description": ""}])
    assert changed.changes[0].after == {"permissions": "rw----", "description": ""}
    # Whether a group is the directory's is decided when it is made.
    assert not groups_plan(got, [{"name": "rg-neuro", "from_directory": False}]).changed


def value(content: Any) -> Any:
    return SimpleNamespace(val=content)


class Administration:
    """OMERO's IAdmin with two people and four groups."""

    def __init__(self) -> None:
        self.groups = {0: "system", 1: "user", 3: "rg-plant", 4: "rg-neuro"}

    def lookupGroups(self) -> list[Any]:  # noqa: N802 - OMERO's name
        return [SimpleNamespace(id=value(key), name=value(name)) for key, name in self.groups.items()]

    def lookupExperimenters(self) -> list[Any]:  # noqa: N802
        return [self._person("aadler", [1, 4, 3]), self._person("svc", [0, 1])]

    def getAdminPrivileges(self, person: Any) -> list[Any]:  # noqa: N802
        assert person.omeName.val == "svc", "only administrators have any"
        return []

    def _person(self, login: str, groups: list[int]) -> Any:
        links = [SimpleNamespace(parent=SimpleNamespace(id=value(key))) for key in groups]
        return SimpleNamespace(
            omeName=value(login), firstName=value("Anna"), lastName=value("Adler"), email=None, institution=None,
            ldap=value(True), copyGroupExperimenterMap=lambda: links,
        )  # fmt: skip


def test_people_are_told_with_their_default_group_first_named_and_their_privileges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(port, "call", lambda what, function, *arguments: function(*arguments))
    found = users_state(Administration())
    assert found["aadler"]["groups"] == ("rg-neuro", "rg-plant")
    assert (found["aadler"]["default_group"], found["aadler"]["active"]) == ("rg-neuro", True)
    assert (found["aadler"]["privileges"], found["aadler"]["email"]) == ((), "")
    assert found["svc"]["privileges"] == ("(none)",)

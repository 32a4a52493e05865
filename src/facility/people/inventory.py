# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy and facts of an inventory's folder, as the controller has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from . import policy as policies
from . import upcoming
from .access import decide_all
from .entries import FACILITY_FILE, RegisterError
from .facts import IT_ADMIN, Facts, Person, people_of_register
from .interchange import people_in, read_folder, read_lines
from .policy import Policy
from .register import document_of, read
from .wishes import Wishes, everybodys_wishes

REGISTER_FOLDER = "register"
EXPORT_FILE = "export.jsonl"
"""What the register's host exported, as it was fetched into the register's folder."""


class Inventory(NamedTuple):
    """What an inventory says of people."""

    policy: Policy
    facts: Facts


def read_inventory(folder: Path, today: date | None = None) -> Inventory:
    """Read and check policy, people and facts.

    Args:
        folder: The inventory's folder, with group_vars/all/facility.yml, register/people.yml and register/facts/*.yml.
        today: Nothing can have been recorded later; None: today in the facility's time zone.

    Raises:
        RegisterError: With all problems of the first of these that has any: facility.yml, people.yml, facts.
    """
    return facts_of_register(folder / REGISTER_FOLDER, _facility(folder / FACILITY_FILE), today)


def policy_of(folder: Path) -> Policy:
    """The policy of an inventory's folder.

    Raises:
        RegisterError: With all problems.
    """
    return policies.validated(_facility(folder / FACILITY_FILE))


def wishes_of_register(folder: Path, facility: Mapping[str, Any], day: date | None = None) -> dict[str, Wishes]:
    """What the systems should hold of everybody, by login.

    Args:
        folder: The register's, with people.yml and facts/*.yml.
        facility: The policy, as policy.validated takes it.
        day: Of which to decide; None: today in the facility's time zone.

    Raises:
        RegisterError: With all problems of the first of policy, people and facts that has any.
    """
    policy, facts = facts_of_register(folder, facility)
    return everybodys_wishes(facts, policy, day or today_in(policy))


def upcoming_of_register(folder: Path, facility: Mapping[str, Any], address: str = "", day: date | None = None) -> str:
    """What ends soon and what is planned, as upcoming.page gives it; else as wishes_of_register."""
    policy, facts = facts_of_register(folder, facility)
    day = day or today_in(policy)
    return upcoming.page(facts, decide_all(facts.known(), policy, day), policy, day, address)


def facts_of_register(folder: Path, facility: Mapping[str, Any], today: date | None = None) -> Inventory:
    """Read and check the people and facts of a register's folder.

    Args:
        folder: The register's, with people.yml and facts/*.yml; if the pages' export lies there, it says who there is
            and what is recorded, and people.yml only who the IT administrators are.
        facility: The policy, as policy.validated takes it.
        today: Nothing can have been recorded later; None: today in the facility's time zone.

    Raises:
        RegisterError: With all problems of the first of policy, people and facts that has any.
    """
    policy = policies.validated(facility)
    people = people_of_register(read(folder, facility)["people"])
    today = today or today_in(policy)
    export = export_in(folder)
    if export is None:
        return Inventory(policy, read_folder(folder, people, policy, today))
    administrators = [person for person in people if person.kind == IT_ADMIN]
    return Inventory(policy, read_lines(export, policy, administrators, today, name=EXPORT_FILE))


def register_of(folder: Path, facility: Mapping[str, Any]) -> dict[str, Any]:
    """The register of a folder as register.read gives it, with the people of the export if there is one.

    Raises:
        RegisterError: With all problems. What the export says besides people is not looked at here.
    """
    register = read(folder, facility)
    export = export_in(folder)
    if export is not None:
        people = [person for person in register["people"] if person["kind"] == IT_ADMIN]
        people += [_listed(person) for person in people_in(export, EXPORT_FILE)]
        register["people"] = sorted(people, key=lambda person: str(person["login"]))
    return register


def export_in(folder: Path) -> str | None:
    """The export that was fetched into a register's folder; None if there is none."""
    try:
        return (folder / EXPORT_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RegisterError([f"{folder.name}/{EXPORT_FILE}: can't be read ({error}): fetch it again"]) from None


def _listed(person: Person) -> dict[str, str | None]:
    until = person.valid_until.isoformat() if person.valid_until else None
    names = {name: getattr(person, name) for name in ("login", "given_name", "family_name", "mail", "kind")}
    return {**names, "research_group": person.research_group, "valid_until": until}


def today_in(policy: Policy) -> date:
    """The day that it is in the facility."""
    return datetime.now(ZoneInfo(policy.time_zone)).date()


def _facility(file: Path) -> Mapping[str, Any]:
    shown = FACILITY_FILE
    missing = f"there is no such file in {file.parents[2]}: name an inventory's folder with --inventory"
    document = document_of(file, shown, missing)
    if not isinstance(document, dict):
        raise RegisterError([f"{shown}: must be keys and values: begin with facility_name: and the facility's name"])
    return {key: document[f"facility_{key}"] for key in policies.KEYS if f"facility_{key}" in document}

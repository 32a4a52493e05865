# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy and facts of an inventory's folder, as the controller has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from . import policy as policies
from .entries import FACILITY_FILE, RegisterError
from .facts import Facts, people_of_register
from .interchange import read_folder
from .policy import Policy
from .register import document_of, read
from .wishes import Wishes, everybodys_wishes

REGISTER_FOLDER = "register"


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
    facility = _facility(folder / FACILITY_FILE)
    policy = policies.validated(facility)
    register = read(folder / REGISTER_FOLDER, facility)
    people = people_of_register(register["people"])
    return Inventory(policy, read_folder(folder / REGISTER_FOLDER, people, policy, today or today_in(policy)))


def wishes_of_register(folder: Path, facility: Mapping[str, Any], day: date | None = None) -> dict[str, Wishes]:
    """What the systems should hold of everybody, by login.

    Args:
        folder: The register's, with people.yml and facts/*.yml.
        facility: The policy, as policy.validated takes it.
        day: Of which to decide; None: today in the facility's time zone.

    Raises:
        RegisterError: With all problems of the first of policy, people and facts that has any.
    """
    policy = policies.validated(facility)
    people = people_of_register(read(folder, facility)["people"])
    today = today_in(policy)
    return everybodys_wishes(read_folder(folder, people, policy, today), policy, day or today)


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

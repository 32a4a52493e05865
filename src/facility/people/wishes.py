# SPDX-License-Identifier: GPL-3.0-or-later
"""What each system should hold of a person, from a decision: plain data, in the words of the modules that will take it.

Nothing is applied here. Standard library only.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from .access import LOG_ON, PPMS, Decision, decide_all
from .facts import Facts, Person
from .policy import DOORS, Policy

NEVER = "never"


class Directory(TypedDict):
    """The account.

    Keys:
        enabled: Whether it may be used at all.
        account_expires: As directory_user takes it.
        groups: All that it should be in.
        log_on: By instrument whether it belongs into its log-on group. One that demands nothing is missing, for its
            group is made by hand, but where the person is blocked there.
        doors: By door whether it belongs into the group door-<door>. All are missing where the person's last day has
            passed: the account has expired, and that is no reason to take groups from it.
    """

    enabled: bool
    account_expires: str
    groups: list[str]
    log_on: dict[str, bool]
    doors: dict[str, bool]


class Ppms(TypedDict):
    """PPMS.

    Keys:
        known: Whether PPMS should know the person. Who is known there stays known.
        rights: The numbers of the instruments that PPMS knows, by right: A may book, D may not. One that demands
            nothing is missing, for its rights are given by hand, but where the person is shut out for another reason
            than a last day that has passed.
    """

    known: bool
    rights: dict[str, list[int]]


class Omero(TypedDict):
    """OMERO: whether the person may log in; group is the one that holds their images, None for staff."""

    open: bool
    group: str | None


class Door(TypedDict):
    """A door that is open or not."""

    open: bool


class Wishes(TypedDict):
    """All systems. Of an IT administrator, untouched and with None everywhere: nothing is wanted of any system."""

    login: str
    untouched: bool
    directory: Directory | None
    ppms: Ppms | None
    omero: Omero | None
    share: Door | None
    wiki: Door | None


def wishes(person: Person, decision: Decision, policy: Policy) -> Wishes:
    """What the systems should hold.

    Args:
        person: The person of whom was decided.
        decision: What was decided.
        policy: With which policy.

    Returns:
        The account is enabled while what every door demands is met, and expires with the earliest end of that, so that
        a day that passes closes all doors by itself; it is not disabled because its own last day has passed. A
        research group is where a person belongs, open doors or not; instrument-<instrument> and door-<door> are open
        doors.
    """
    if decision.untouched:
        return {"login": person.login, "untouched": True, "directory": None, "ppms": None, "omero": None,
                "share": None, "wiki": None}  # fmt: skip
    doors = {name: outcome.open for name, outcome in decision.doors.items()}
    group = f"rg-{person.research_group}" if person.research_group else None
    groups = [group or "facility-staff"]
    groups += [_group_of(name) for name, is_open in doors.items() if is_open and not name.startswith(PPMS)]
    is_open = decision.log_in.open
    # Whose last day has passed is told so by the directory itself, and not that the account is disabled.
    ended = not is_open and all(reason.code == "ended" for reason in decision.log_in.reasons)
    # Of a closed account the person's own last day stays: the next briefing opens it with one change.
    last = decision.log_in.closes if is_open else person.valid_until
    rights: dict[str, list[int]] = {"A": [], "D": []}
    for name, instrument in policy.instruments.items():
        if instrument.ppms_system_id is None:
            continue
        may = doors[PPMS + name]
        if instrument.demands or instrument.training or not (may or ended):
            rights["A" if may else "D"].append(instrument.ppms_system_id)
    log_on = {
        name: doors[LOG_ON + name]
        for name, instrument in policy.instruments.items()
        if instrument.demands or instrument.training or (is_open and not doors[LOG_ON + name])
    }
    account_expires = end_of(last, policy.time_zone)
    return {
        "login": person.login,
        "untouched": False,
        "directory": {
            "enabled": is_open or ended,
            "account_expires": account_expires,
            "groups": sorted(groups),
            "log_on": log_on,
            "doors": {} if ended else {door: doors[door] for door in DOORS},
        },
        "ppms": {"known": is_open, "rights": rights},
        "omero": {"open": doors["omero"], "group": group},
        "share": {"open": doors["share"]},
        "wiki": {"open": doors["wiki"]},
    }


def everybodys_wishes(facts: Facts, policy: Policy, day: date) -> dict[str, Wishes]:
    """What the systems should hold of everybody on a day, by login."""
    known = facts.known()
    decisions = decide_all(known, policy, day)
    return {login: wishes(known.people[login], decision, policy) for login, decision in decisions.items()}


def _group_of(door: str) -> str:
    return f"instrument-{door.removeprefix(LOG_ON)}" if door.startswith(LOG_ON) else f"door-{door}"


def end_of(day: date | None, time_zone: str) -> str:
    """The end of a day as directory_user takes it: ISO 8601 with an offset; never for None and the calendar's end."""
    if day is None or day >= date.max - timedelta(days=1):
        return NEVER
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)).isoformat()

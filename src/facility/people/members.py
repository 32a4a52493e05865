# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided of everybody, turned round: by door or instrument who is in its group, and PPMS's people and rights.

Everything here leaves IT administrators and people whom the register doesn't know alone. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .policy import DOORS

Members = dict[str, dict[str, list[str]]]
Access = Mapping[str, Mapping[str, Any]]
Register = Mapping[str, Any]

# IT administrators are never decided about, and pass every door as a group.
_ADMINISTRATORS = "facility-it"


def instruments(access: Access, register: Register) -> Members:
    """Who may log on to each instrument and who may not.

    Args:
        access: What was decided, by login.
        register: A register.

    Returns:
        {"confocal-1": {"add": ["aadler", ...], "remove": [...]}}. IT administrators and accounts that the register
        doesn't know are in neither: they stay what somebody made them.
    """
    return _members(access, register, "log_on")


def doors(access: Access, register: Register) -> Members:
    """Who may use the wiki, the share and OMERO and who may not; likewise.

    Returns:
        {"wiki": {"add": ["facility-it", "aadler", ...], "remove": [...]}, ...}.
    """
    found = _members(access, register, "doors")
    nobody: dict[str, list[str]] = {"add": [], "remove": []}
    # Each door has its group, whoever may pass: services ask for it.
    decided = {door: found.get(door, nobody) for door in DOORS}
    return {
        door: {"add": [_ADMINISTRATORS, *members["add"]], "remove": members["remove"]}
        for door, members in decided.items()
    }


def ppms_users(access: Access, register: Register, staff_group: str) -> list[dict[str, Any]]:
    """People whom PPMS should know, for ppms_user's users.

    Args:
        access: What was decided, by login.
        register: A register. A research group's name in PPMS is its ppms_group, or else its own.
        staff_group: The staff's group in PPMS; empty: staff are made there by hand.
    """
    groups = {group["name"]: group.get("ppms_group") or group["name"] for group in register["research_groups"]}
    found = []
    for person, wishes in _decided(access, register):
        group = groups.get(person.get("research_group") or "", staff_group)
        if wishes["ppms"]["known"] and group:
            names = {name: person[name] for name in ("login", "given_name", "family_name", "mail")}
            found.append({**names, "group": group})
    return found


def ppms_rights(access: Access, register: Register) -> list[dict[str, Any]]:
    """All rights in PPMS that were decided, for ppms_right's rights: an entry for each instrument and right."""
    found: dict[tuple[int, str], list[str]] = {}
    for person, wishes in _decided(access, register):
        for right, systems in wishes["ppms"]["rights"].items():
            for system in systems:
                found.setdefault((system, right), []).append(person["login"])
    return [
        {"system_id": system, "right": right, "logins": logins} for (system, right), logins in sorted(found.items())
    ]


def _members(access: Access, register: Register, kind: str) -> Members:
    found: Members = {}
    for person, wishes in _decided(access, register):
        for name, may in wishes["directory"][kind].items():
            found.setdefault(name, {"add": [], "remove": []})["add" if may else "remove"].append(person["login"])
    return found


def _decided(access: Access, register: Register) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """People of the register about whom was decided, by login."""
    known = {person["login"]: person for person in register["people"]}
    for login, wishes in sorted(access.items()):
        if login in known and wishes["directory"]:
            yield known[login], wishes

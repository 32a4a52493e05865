# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters from the register and the facility to what modules take. Pure functions of their arguments.

A register is the result of register_info: people, research_groups, instruments, time_zone.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SOURCES = Path(__file__).resolve().parents[1] / "src"
# Ansible finds the package for modules alone.
sys.path.append(str(SOURCES))
from facility.backup.choice import moment_of, shown_moment  # noqa: E402 - needs the line before
from facility.core.checks import faults as faults_of_checks  # noqa: E402 - needs it, too
from facility.core.program_files import program_files as files_of_program  # noqa: E402 - needs it, too
from facility.core.sandbox import sandbox as sandbox_of_unit  # noqa: E402 - needs it, too
from facility.device_pc.report import device_answered, device_status  # noqa: E402 - needs it, too
from facility.omero import sql as omero_sql  # noqa: E402 - needs it, too
from facility.people import members  # noqa: E402 - needs it, too

# The options that all modules for device PCs share (doc_fragments/device_pc.py).
_CONNECTION = frozenset(
    {
        "host", "port", "scheme", "transport", "username", "password", "certificate", "private_key", "ca_file",
        "connect_seconds",
    }
)  # fmt: skip
# What lookup access decides of an account.
_DECIDED = ("enabled", "account_expires")
_DOOR_TITLES = {"wiki": "the wiki", "share": "drive X", "omero": "OMERO"}
_KIND_TITLES = {"researcher": "researcher", "staff": "staff", "it_admin": "IT administrator"}


def domain_to_dn(domain: str) -> str:
    """The DN of a DNS domain: imaging.example.org is DC=imaging,DC=example,DC=org."""
    labels = domain.strip(".").split(".")
    if not all(labels) or any(character in domain for character in ',=+<>#;\\" '):
        raise ValueError(f'"{domain}" is no DNS domain: write it like imaging.example.org')
    return ",".join(f"DC={label}" for label in labels)


def directory_groups(
    register: Mapping[str, Any],
    instrument_members: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    door_members: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> list[dict[str, Any]]:
    """All groups and their members, for directory_group's groups.

    Args:
        register: A register.
        instrument_members: Per instrument who is to be a member and who isn't, as the filter instrument_members says
            it. An instrument that isn't in it keeps the members it has.
        door_members: Per door likewise, as the filter door_members says it.

    Returns:
        rg-<research group>, facility-staff, facility-it, facility-users (which holds all of them, nested),
        instrument-<name>, and door-<name> of each door in door_members. But of these two kinds members are set: the
        register rules.
    """
    people, research_groups = register["people"], register["research_groups"]
    nested = [f"rg-{group['name']}" for group in research_groups] + ["facility-staff", "facility-it"]
    groups = [
        _group(
            f"rg-{group['name']}",
            f"Research group {group['title']}",
            _logins(people, "research_group", group["name"]),
        )
        for group in research_groups
    ]
    groups.append(_group("facility-staff", "Staff of the facility", _logins(people, "kind", "staff")))
    groups.append(_group("facility-it", "IT administrators of the facility", _logins(people, "kind", "it_admin")))
    groups.append(_group("facility-users", "Everybody with an account at the facility", nested))
    for instrument in register["instruments"]:
        group = _group(f"instrument-{instrument['name']}", f"May log on to {instrument['title']}", None)
        if changes := (instrument_members or {}).get(instrument["name"]):
            group["members"] = {kind: list(logins) for kind, logins in changes.items()}
        groups.append(group)
    for door, changes in (door_members or {}).items():
        group = _group(f"door-{door}", f"May use {_DOOR_TITLES.get(door, door)}", None)
        group["members"] = {kind: list(logins) for kind, logins in changes.items()}
        groups.append(group)
    return groups


def directory_users(
    register: Mapping[str, Any],
    access: Mapping[str, Mapping[str, Any]] | None = None,
    researchers_unit: str = "",
    activate: bool = False,
) -> list[dict[str, Any]]:
    """One account a person, for directory_user's users.

    Args:
        register: A register.
        access: What lookup access decided, by login: whether an account is enabled, and when it expires. Of whom it
            says nothing, as of IT administrators, the account expires at the end of the day valid_until in the
            facility's time zone; without that day, never.
        researchers_unit: DN of the unit for researchers' accounts; empty: they are where everybody is.
        activate: Whether researchers set their first password themselves, so that nobody else is to know one.
    """
    of_researchers = {"ou": researchers_unit} if researchers_unit else {}
    if activate:
        of_researchers["initial_password"] = "unknown"  # noqa: S105 - a choice of directory_user, no password
    zone = ZoneInfo(register["time_zone"])
    decided = {login: wishes["directory"] or {} for login, wishes in (access or {}).items()}
    return [
        {
            "login": person["login"],
            "given_name": person["given_name"],
            "family_name": person["family_name"],
            "display_name": f"{person['given_name']} {person['family_name']}",
            "mail": person["mail"],
            "description": ", ".join(filter(None, (_KIND_TITLES[person["kind"]], person.get("research_group")))),
            "account_expires": _end_of(person.get("valid_until"), zone),
            **{key: value for key, value in decided.get(person["login"], {}).items() if key in _DECIDED},
            **(of_researchers if person["kind"] == "researcher" else {}),
        }
        for person in register["people"]
    ]


def instrument_members(access: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Who may log on to each instrument, for directory_groups; see people/members.py. access: of lookup access."""
    return members.instruments(access, register)


def door_members(access: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Who may use the wiki, the share and OMERO, for directory_groups; see people/members.py."""
    return members.doors(access, register)


def ppms_users(access: Mapping[str, Any], register: Mapping[str, Any], staff_group: str = "") -> list[dict[str, Any]]:
    """People whom PPMS should know, for ppms_user's users; see people/members.py."""
    return members.ppms_users(access, register, staff_group)


def ppms_rights(access: Mapping[str, Any], register: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rights in PPMS, for ppms_right's rights; see people/members.py."""
    return members.ppms_rights(access, register)


def _end_of(day: str | None, zone: ZoneInfo) -> str:
    if day is None:
        return "never"
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), zone).isoformat()


def _group(name: str, description: str, members: Sequence[str] | None) -> dict[str, Any]:
    group: dict[str, Any] = {"name": name, "description": description}
    if members is not None:
        group["members"] = {"set": list(members)}
    return group


def _logins(people: Sequence[Mapping[str, Any]], key: str, value: str) -> list[str]:
    return [person["login"] for person in people if person.get(key) == value]


def omero_groups(research_groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The research groups as groups of OMERO, for omero_group's groups; without a word in `omero` they are private."""
    return [
        {
            "name": f"rg-{group['name']}",
            "description": group["title"],
            "permissions": group.get("omero") or "private",
            "from_directory": True,
        }
        for group in research_groups
    ]


def research_group_members(register: Mapping[str, Any]) -> dict[str, list[str]]:
    """The logins of each research group: {"neuro": ["aadler", ...]}."""
    return {
        group["name"]: _logins(register["people"], "research_group", group["name"])
        for group in register["research_groups"]
    }


def omero_users(logins: Sequence[str]) -> list[dict[str, Any]]:
    """People whom OMERO shall know before their first log-in, for omero_user's users."""
    return [{"login": login, "from_directory": True} for login in logins]


def local_moment(text: str, time_zone: str, days: int = 0) -> int:
    """Epoch seconds of a day or minute as the facility's clocks show it, so many days later.

    Raises:
        ValueError: when it is no time.
    """
    day, _, clock = text.strip().partition(" ")
    if days:
        try:
            day = (date.fromisoformat(day) + timedelta(days=days)).isoformat()
        except ValueError:
            raise ValueError(f"{text!r} is no day: write it like 2026-11-24") from None
    return moment_of(f"{day} {clock}".strip(), time_zone)


def omero_query(name: str, **values: str) -> str:
    """A question to OMERO's database by its name: image_files, image_count, or images_of_person with its values.

    Raises:
        ValueError: for another name, or a login that is none.
    """
    queries: dict[str, Callable[..., str]] = {
        "image_count": omero_sql.image_count,
        "image_files": omero_sql.image_files,
        "images_of_person": omero_sql.images_of_person,
    }
    if name not in queries:
        raise ValueError(f"OMERO's database is not asked for {name!r}: choose of {', '.join(queries)}")
    return queries[name](**values)


def device_agents(
    hosts: Sequence[str],
    instruments: Sequence[Mapping[str, Any]],
    codes: Mapping[str, str],
    shared: Mapping[str, Any],
    special: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """How the agents of instruments' PCs should be, for ppms_agent_info's pcs. One call for all: hostvars take longer.

    Args:
        hosts: Inventory names of PCs.
        instruments: As in the register; host names the PC without its domain, ppms_system_id its number in PPMS.
        codes: Tracker codes by instrument.
        shared: Options of ppms_agent that all PCs share.
        special: Options of single PCs, by host name without the domain; they win.

    Returns:
        One mapping a host, in their order. A PC without instrument has no system_id and no tracker_code, which the
        module reports.
    """
    by_host = {instrument["host"]: instrument for instrument in instruments}
    agents = []
    for host in hosts:
        short = host.partition(".")[0]
        instrument = by_host.get(short, {})
        own = {"system_id": instrument.get("ppms_system_id"), "tracker_code": codes.get(instrument.get("name", ""))}
        agents.append({"host": host, **shared, **own, **(special or {}).get(short, {})})
    return agents


def device_connections(agents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How instruments' PCs are reached, for device_pc_drive's pcs: of the agents' options, those of the connection."""
    return [{name: value for name, value in agent.items() if name in _CONNECTION} for agent in agents]


def device_logons(
    agents: Sequence[Mapping[str, Any]],
    instruments: Sequence[Mapping[str, Any]],
    state: str,
    exceptions: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Who may log on at instruments' PCs, for device_pc_logon's pcs.

    Args:
        agents: As of device_agents.
        instruments: As in the register; host names the PC without its domain.
        state: present, absent, or empty for PCs whose log-on is left alone.
        exceptions: The state of single PCs, by host name without the domain.

    Returns:
        One mapping for each PC whose log-on is not left alone. One without instrument has no group, which the module
        reports.

    Raises:
        ValueError: For another state.
    """
    groups = {instrument["host"]: f"instrument-{instrument['name']}" for instrument in instruments}
    logons = []
    for agent, connection in zip(agents, device_connections(agents), strict=True):
        short = agent["host"].partition(".")[0]
        own = (exceptions or {}).get(short, state)
        if own not in {"present", "absent", ""}:
            raise ValueError(f'log-on at {short}: "{own}" is no state: write present, absent or ""')
        if own:
            logons.append({**connection, "group": groups.get(short, ""), "state": own})
    return logons


def derived_secret(key: str, purpose: str) -> str:
    """A secret of its own for each purpose, from one key of the vault, so that a new host needs no new entry there.

    Whoever learns one of them learns neither the key nor another (HKDF, RFC 5869).

    Args:
        key: At least 32 characters that nobody can guess.
        purpose: What it is for, and for whom; another purpose gives another secret.

    Returns:
        43 characters of A-Z, a-z, 0-9, - and _, which are 256 bits.

    Raises:
        ValueError: for a short key, or no purpose.
    """
    if len(key) < 32 or not purpose:
        raise ValueError("a secret is derived from a key of at least 32 characters, and for a purpose")
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key.encode())
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def htpasswd_hash(secret: str) -> str:
    """The hash of a derived secret in a web server's password file: {SHA}, as Apache and rest-server know it.

    A slow hash protects passwords that somebody could guess. These are 256 random bits; a slow hash would only make
    each of a backup's thousands of requests slow.

    Raises:
        ValueError: for a secret that is short enough to be somebody's word.
    """
    if len(secret) < 40:
        raise ValueError("only a derived secret of 40 characters and more may have a fast hash")
    return "{SHA}" + base64.b64encode(hashlib.sha1(secret.encode(), usedforsecurity=False).digest()).decode()


def program_files(package: str) -> dict[str, str]:
    """What module python_program installs of a program: {"facility/core/plan.py": its text}; see core/program_files.py.

    Args:
        package: The program's package, as facility.drive.settle.
    """
    return files_of_program(package, SOURCES)


def sandbox(exceptions: Mapping[str, Any]) -> str:
    """How systemd locks a unit in, for its template: one list for all units, and this unit's exceptions.

    Args:
        exceptions: By directive what the unit has in place of the list's value, or besides it; none leaves one out:
            {'ReadWritePaths': ['/srv/x'], 'MemoryDenyWriteExecute': none}. See core/sandbox.py.
    """
    return sandbox_of_unit(exceptions)


def faults(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of a role's checks fails, for one assert that names all of it: of each the cure, after what is wrong.

    Args:
        checks: Each with `cure`, and one of `holds` and `wrong`: {'holds': port > 1023, 'cure': 'port is too low.'},
            {'wrong': paths | reject('match', '/'), 'cure': 'in paths is not absolute.'}. See core/checks.py.
    """
    return faults_of_checks(checks)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name -> function."""
        return {
            "derived_secret": derived_secret,
            "device_agents": device_agents,
            "device_answered": device_answered,
            "device_connections": device_connections,
            "device_logons": device_logons,
            "device_status": device_status,
            "directory_groups": directory_groups,
            "directory_users": directory_users,
            "domain_to_dn": domain_to_dn,
            "door_members": door_members,
            "faults": faults,
            "htpasswd_hash": htpasswd_hash,
            "instrument_members": instrument_members,
            "local_moment": local_moment,
            "omero_groups": omero_groups,
            "omero_query": omero_query,
            "omero_users": omero_users,
            "ppms_rights": ppms_rights,
            "ppms_users": ppms_users,
            "program_files": program_files,
            "research_group_members": research_group_members,
            "sandbox": sandbox,
            "shown_moment": shown_moment,
        }

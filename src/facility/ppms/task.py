# SPDX-License-Identifier: GPL-3.0-or-later
"""People and rights in PPMS: from what is there to what should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.plan import Plan, State, Value, plan
from .answers import KINDS, User
from .pumapi import Access, Ppms, PpmsError

CONNECTION: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "api_key": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str", "default": ""},
}


def connection(params: Mapping[str, Any]) -> Ppms:
    """Return PPMS as a module's parameters name it.

    Raises:
        PpmsError: when the address is no https.
    """
    return Ppms(Access(params["url"], params["api_key"], params["ca_file"] or "", params["proxy"]))


def converge_users(ppms: Ppms, wanted: Sequence[Mapping[str, Any]], *, check_mode: bool) -> dict[str, Any]:
    """Bring people to where they should be. Nobody is ever deleted: PPMS keeps who used what.

    Args:
        ppms: the port.
        wanted: login and active, and where active: given_name, family_name, mail, group.
        check_mode: only show.

    Returns:
        changed, diff, created, updated, unchanged.

    Raises:
        PpmsError: PPMS refuses, or a group doesn't exist; then nobody was changed.
    """
    got = ppms.people(entry["login"] for entry in wanted)
    targets: dict[str, dict[str, Value] | None] = {}
    for entry in wanted:
        if not entry["active"] and entry["login"] not in got:
            continue
        names = ("given_name", "family_name", "mail", "group")
        targets[entry["login"]] = {
            "active": entry["active"],
            **{name: entry[name] for name in names if entry.get(name) is not None},
        }
    steps = plan(_people(got), targets)
    unknown = sorted(
        {str(target["group"]) for target in targets.values() if target and "group" in target} - set(ppms.groups)
    )
    if unknown and steps.changed:
        raise PpmsError(
            f"PPMS has no group {', '.join(unknown)} and would silently make it: mend the name, or make it in PPMS"
        )
    incomplete = [key for key in steps.keys("create") if not _complete(targets[key] or {})]
    if incomplete:
        raise PpmsError(f"{', '.join(incomplete)}: new people need given_name, family_name, mail and group")
    if not check_mode:
        for change in steps.changes:
            target = {**_people(got).get(change.key, {}), **(targets[change.key] or {})}
            ppms.save_user(_user(change.key, target), new=change.action == "create")
    return {**_result_of(steps), "created": steps.keys("create"), "updated": steps.keys("update")}


def converge_rights(ppms: Ppms, wanted: Sequence[Mapping[str, Any]], *, check_mode: bool) -> dict[str, Any]:
    """Give people the rights that they should have.

    Args:
        ppms: the port.
        wanted: system_id, login and right (A, N, S or D).
        check_mode: only show.

    Returns:
        changed, diff, unchanged.

    Raises:
        PpmsError: an instrument or kind that doesn't exist (then nothing was changed), or PPMS refuses.
    """
    known = {system.number for system in ppms.systems}
    unknown = sorted({entry["system_id"] for entry in wanted} - known)
    if unknown:
        raise PpmsError(
            f"PPMS has no instrument {', '.join(map(str, unknown))}: it has {', '.join(map(str, sorted(known)))}"
        )
    systems = sorted({entry["system_id"] for entry in wanted})
    got: dict[str, dict[str, Value]] = {
        f"{login} on {system}": {"right": kind} for system in systems for login, kind in ppms.rights(system).items()
    }
    by_name = {f"{entry['login']} on {entry['system_id']}": entry for entry in wanted}
    steps = plan(got, {name: {"right": entry["right"]} for name, entry in by_name.items()})
    if not check_mode:
        for change in steps.changes:
            entry = by_name[change.key]
            ppms.set_right(entry["system_id"], entry["login"], entry["right"])
        _confirmed(ppms, [by_name[change.key] for change in steps.changes])
    return _result_of(steps)


def _confirmed(ppms: Ppms, changed: Sequence[Mapping[str, Any]]) -> None:
    """PPMS answers "done" to much that it doesn't do, so it is asked again."""
    now = {system: ppms.rights(system) for system in {entry["system_id"] for entry in changed}}
    lost = [entry["login"] for entry in changed if now[entry["system_id"]].get(entry["login"]) != entry["right"]]
    if lost:
        raise PpmsError(
            f"PPMS said done, but these have no such right afterwards: {', '.join(lost)}: see PPMS's own pages"
        )


def _people(got: Mapping[str, User]) -> State:
    return {
        login: {
            "given_name": person.given_name,
            "family_name": person.family_name,
            "mail": person.mail,
            "group": person.group,
            "active": person.active,
        }
        for login, person in got.items()
    }


def _complete(target: Mapping[str, Value]) -> bool:
    return all(target.get(name) for name in ("given_name", "family_name", "mail", "group"))


def _user(login: str, target: Mapping[str, Value]) -> User:
    return User(
        login=login,
        family_name=str(target["family_name"]),
        given_name=str(target["given_name"]),
        mail=str(target["mail"]),
        group=str(target["group"]),
        active=bool(target["active"]),
    )


def _result_of(steps: Plan) -> dict[str, Any]:
    return {"changed": steps.changed, "diff": steps.diff(), "unchanged": steps.unchanged}


RIGHTS = tuple(KINDS)

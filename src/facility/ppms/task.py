# SPDX-License-Identifier: GPL-3.0-or-later
"""People and rights in PPMS: from what is there to what should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.caps import too_many
from ..core.plan import Change, Plan, State, Value, plan
from .answers import KINDS, SUPERUSER, User
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


def converge_users(
    ppms: Ppms, wanted: Sequence[Mapping[str, Any]], *, check_mode: bool, keep_existing: bool = False
) -> dict[str, Any]:
    """Bring people to where they should be. Nobody is ever deleted: PPMS keeps who used what.

    Args:
        ppms: the port.
        wanted: login and active, and where active: given_name, family_name, mail, group.
        check_mode: only show.
        keep_existing: whoever PPMS has stays as PPMS has them; asked with one call in place of one a person.

    Returns:
        changed, diff, created, updated, unchanged.

    Raises:
        PpmsError: PPMS refuses, or a group doesn't exist; then nobody was changed.
    """
    existing = {login.lower() for login in ppms.users()} if keep_existing else set()
    kept = sum(entry["login"].lower() in existing for entry in wanted)
    wanted = [entry for entry in wanted if entry["login"].lower() not in existing]
    got = {} if keep_existing else ppms.people(entry["login"] for entry in wanted)
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
    result = _result_of(steps)
    result["unchanged"] += kept
    return {**result, "created": steps.keys("create"), "updated": steps.keys("update")}


def converge_rights(
    ppms: Ppms,
    wanted: Sequence[Mapping[str, Any]],
    *,
    check_mode: bool,
    keep_superusers: bool = False,
    most_removed: int | None = None,
    ignore_unknown: bool = False,
    new_people: Sequence[str] = (),
) -> dict[str, Any]:
    """Give people the rights that they should have. What closes is set before what opens.

    Args:
        ppms: the port.
        wanted: system_id, right (A, N, S or D) and the logins that should have it. Of people whom PPMS doesn't know D
            is there already.
        check_mode: only show.
        keep_superusers: who is a superuser of an instrument stays that.
        most_removed: from how many people something may be taken; None: any number.
        ignore_unknown: leave out people whom PPMS doesn't know, rather than refuse.
        new_people: who counts as known: in check mode nobody has made them.

    Returns:
        changed, diff, unchanged, kept_superusers (logins who would else have got a D) and ignored (logins).

    Raises:
        PpmsError: an instrument, a kind or a person doesn't exist, somebody is named for two rights of an instrument,
            or too many would lose a right (then nothing was changed), or PPMS refuses.
    """
    wanted = [{**entry, "login": login} for entry in wanted for login in entry["logins"]]
    keys = Counter(_key(entry) for entry in wanted)
    if doubled := sorted(f"{login} on instrument {system}" for (login, system), times in keys.items() if times > 1):
        raise PpmsError(f"{', '.join(doubled)}: has one right, and is named more than once: name it once")
    known = {system.number for system in ppms.systems}
    unknown = sorted({entry["system_id"] for entry in wanted} - known)
    if unknown:
        raise PpmsError(
            f"PPMS has no instrument {', '.join(map(str, unknown))}: it has {', '.join(map(str, sorted(known)))}"
        )
    # PPMS may write a login in other letters than we do.
    people = {login.lower() for login in [*ppms.users(), *new_people]}
    strangers = sorted({e["login"] for e in wanted if e["login"].lower() not in people and e["right"] != "D"})
    if strangers and not ignore_unknown:
        raise PpmsError(f"PPMS doesn't know {', '.join(strangers)}: make the person first, with ppms_user")
    got = _rights(ppms, {entry["system_id"] for entry in wanted})
    settled = [entry for entry in wanted if keep_superusers and got.get(_key(entry)) == SUPERUSER]
    by_name = {
        f"{entry['login']} on {entry['system_id']}": entry
        for entry in wanted
        if entry["login"].lower() in people and not (keep_superusers and got.get(_key(entry)) == SUPERUSER)
    }
    state: State = {name: {"right": got[_key(entry)]} for name, entry in by_name.items() if _key(entry) in got}
    steps = plan(state, {name: {"right": entry["right"]} for name, entry in by_name.items()})
    refusal = too_many(_losses(steps.changes, by_name), most_removed)
    if refusal:
        raise PpmsError(refusal)
    if not check_mode:
        changed = sorted((by_name[change.key] for change in steps.changes), key=lambda entry: _rank(entry["right"]))
        for entry in changed:
            ppms.set_right(entry["system_id"], entry["login"], entry["right"])
        _confirmed(ppms, changed)
    result = _result_of(steps)
    result["unchanged"] += len(settled)
    return {
        **result,
        "kept_superusers": sorted({e["login"] for e in settled if e["right"] == "D"}),
        "ignored": strangers,
    }


def _rights(ppms: Ppms, systems: set[int]) -> dict[tuple[str, int], str]:
    """The kind of right by login, in small letters, and instrument."""
    return {(login.lower(), system): kind for system in sorted(systems) for login, kind in ppms.rights(system).items()}


def _key(entry: Mapping[str, Any]) -> tuple[str, int]:
    return entry["login"].lower(), entry["system_id"]


def _rank(kind: str) -> int:
    """How much a right opens: D nothing, S most."""
    return "DNAS".index(kind)


def _losses(changes: Sequence[Change], by_name: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Who would lose which rights, by login. Who has none on an instrument yet loses none."""
    losses: dict[str, list[str]] = {}
    for change in changes:
        before, entry = change.before.get("right"), by_name[change.key]
        if isinstance(before, str) and _rank(entry["right"]) < _rank(before):
            losses.setdefault(entry["login"], []).append(f"{before} on instrument {entry['system_id']}")
    return {login: ", ".join(rights) for login, rights in losses.items()}


def _confirmed(ppms: Ppms, changed: Sequence[Mapping[str, Any]]) -> None:
    """PPMS answers "done" to much that it doesn't do, so it is asked again."""
    now = _rights(ppms, {entry["system_id"] for entry in changed})
    lost = sorted({entry["login"] for entry in changed if now.get(_key(entry)) != entry["right"]})
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

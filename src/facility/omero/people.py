# SPDX-License-Identifier: GPL-3.0-or-later
"""People and groups of OMERO: what there is, what should be, and how one change is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.plan import Change, Plan, Secret, State, membership, plan
from .connection import OmeroError, call

PERMISSIONS = {"private": "rw----", "read-only": "rwr---", "read-annotate": "rwra--", "read-write": "rwrw--"}
# Said in words: a plan takes an empty list for one that isn't managed.
_NO_PRIVILEGES = ("(none)",)
_FIELDS = {"first_name": "firstName", "last_name": "lastName", "email": "email", "institution": "institution"}


def groups_state(admin: Any) -> dict[str, dict[str, Any]]:
    """Return name to permissions, description and ldap of every group."""
    found = {}
    for group in admin.lookupGroups():
        found[group.name.val] = {
            "permissions": str(group.details.permissions),
            "description": group.description.val if group.description else "",
            "ldap": bool(group.ldap.val),
        }
    return found


def groups_plan(got: State, wanted: list[Mapping[str, Any]]) -> Plan:
    """Plan groups; what isn't given isn't managed.

    Args:
        got: as groups_state gives it.
        wanted: name, permissions (a key of PERMISSIONS), description, from_directory.
    """
    targets: dict[str, dict[str, Any] | None] = {}
    for group in wanted:
        known = group["name"] in got
        permissions = group.get("permissions") or (None if known else "private")
        attributes: dict[str, Any] = {}
        if permissions:
            attributes["permissions"] = PERMISSIONS[permissions]
        if group.get("description") is not None:
            attributes["description"] = group["description"]
        if not known and group.get("from_directory"):
            attributes["ldap"] = True
        targets[group["name"]] = attributes
    return plan(got, targets)


def apply_group(admin: Any, change: Change) -> None:
    """Make one change of groups_plan."""
    import omero  # noqa: PLC0415
    from omero.rtypes import rbool, rstring  # noqa: PLC0415

    what = f"group {change.key}"
    group = omero.model.ExperimenterGroupI() if change.action == "create" else call(what, admin.lookupGroup, change.key)
    group.name = rstring(change.key)
    if change.action == "create":
        group.ldap = rbool(bool(change.after.get("ldap")))
    if "permissions" in change.after:
        group.details.permissions = omero.model.PermissionsI(change.after["permissions"])
    if "description" in change.after:
        group.description = rstring(str(change.after["description"] or ""))
    call(what, admin.createGroup if change.action == "create" else admin.updateGroup, group)


def users_state(admin: Any) -> dict[str, dict[str, Any]]:
    """Return login to fields, groups (sorted, the default one apart), privileges and whether active, of everybody."""
    names = {group.id.val: group.name.val for group in admin.lookupGroups()}
    found = {}
    for person in admin.lookupExperimenters():
        ids = [link.parent.id.val for link in person.copyGroupExperimenterMap()]
        groups = [names[key] for key in ids]
        data_groups = [name for name in groups if name not in {"user", "guest"}]
        found[person.omeName.val] = {
            **{name: (getattr(person, field).val if getattr(person, field) else "") for name, field in _FIELDS.items()},
            "ldap": bool(person.ldap.val),
            "groups": tuple(sorted(data_groups)),
            "default_group": data_groups[0] if data_groups else "",
            "active": "user" in groups,
            "privileges": _privileges_of(admin, person) if "system" in groups else (),
        }
    return found


def _privileges_of(admin: Any, person: Any) -> tuple[str, ...]:
    privileges = call(f"privileges of {person.omeName.val}", admin.getAdminPrivileges, person)
    return tuple(sorted(privilege.value.val for privilege in privileges)) or _NO_PRIVILEGES


def users_plan(
    got: State, wanted: list[Mapping[str, Any]], *, state: str, update_password: str, known_groups: set[str]
) -> Plan:
    """Plan people.

    Args:
        got: as users_state gives it.
        wanted: login, fields, groups (add, remove or set), default_group, password, privileges.
        state: present, or inactive: may no longer log in, all data stay.
        update_password: always, or on_create.
        known_groups: the names of all groups.

    Raises:
        OmeroError: for a group that doesn't exist, or a new person without a group or a password.
    """
    targets: dict[str, dict[str, Any] | None] = {}
    for person in wanted:
        login = person["login"]
        current = got.get(login)
        if state == "inactive":
            if current is not None:
                targets[login] = {"active": False}
            continue
        attributes: dict[str, Any] = {name: person[name] for name in _FIELDS if person.get(name) is not None}
        if current is None or not current["active"]:
            attributes["active"] = True
        attributes.update(_group_attributes(person, current, known_groups))
        if person.get("privileges") is not None:
            attributes["privileges"] = tuple(sorted(person["privileges"])) or _NO_PRIVILEGES
        if person.get("password") and (current is None or update_password == "always"):  # noqa: S105
            attributes["password"] = Secret(person["password"])
        if current is None:
            _refuse_incomplete(login, attributes)
        targets[login] = attributes
    return plan(got, targets)


def _group_attributes(
    person: Mapping[str, Any], current: Mapping[str, Any] | None, known_groups: set[str]
) -> dict[str, Any]:
    login = person["login"]
    now = tuple(current["groups"]) if current else ()
    change = person.get("groups") or {}
    try:
        add, remove = membership(now, **{key: change.get(key) for key in ("add", "remove", "set")})
    except ValueError as error:
        raise OmeroError(f"{login}: {error}") from error
    unknown = sorted(set(add) - known_groups)
    if unknown:
        raise OmeroError(f"{login}: no group {', '.join(unknown)}; make it first, with the module omero_group")
    groups = tuple(sorted((set(now) | set(add)) - set(remove)))
    attributes: dict[str, Any] = {} if groups == now else {"groups": groups}
    if person.get("default_group"):
        if person["default_group"] not in groups:
            raise OmeroError(f"{login}: the default group {person['default_group']} is none of {', '.join(groups)}")
        attributes["default_group"] = person["default_group"]
    return attributes


def _refuse_incomplete(login: str, attributes: Mapping[str, Any]) -> None:
    if not attributes.get("groups"):
        raise OmeroError(f"{login} is new and needs a group; give groups: {{add: […]}}")
    if not attributes.get("password"):
        raise OmeroError(f"{login} is new and has no password; people of the directory come in by themselves")


def apply_user(admin: Any, change: Change) -> None:
    """Make one change of users_plan."""
    what = f"user {change.key}"
    if change.action == "create":
        _create(admin, change, what)
        return
    person = call(what, admin.lookupExperimenter, change.key)
    after = change.after
    if set(after) & set(_FIELDS):
        _fill(person, after)
        call(what, admin.updateExperimenter, person)
    if "groups" in after:
        before = set(change.before.get("groups") or ())  # type: ignore[arg-type]
        now = set(after["groups"] or ())  # type: ignore[arg-type]
        _groups(admin, what, person, add=now - before, remove=before - now)
    if "active" in after:
        _groups(admin, what, person, **{"add" if after["active"] else "remove": {"user"}})
    if after.get("default_group"):
        call(what, admin.setDefaultGroup, person, call(what, admin.lookupGroup, after["default_group"]))
    _secrets(admin, change, person, what)


def _create(admin: Any, change: Change, what: str) -> None:
    import omero  # noqa: PLC0415
    from omero.rtypes import rbool, rstring  # noqa: PLC0415

    person = omero.model.ExperimenterI()
    person.omeName, person.ldap = rstring(change.key), rbool(False)
    person.firstName = person.lastName = rstring(change.key)
    _fill(person, change.after)
    names = list(change.after["groups"] or ())  # type: ignore[arg-type]
    first = str(change.after.get("default_group") or names[0])
    others = [call(what, admin.lookupGroup, name) for name in [*names, "user"] if name != first]
    password = change.after["password"]
    assert isinstance(password, Secret)  # noqa: S101 - users_plan sees to it
    call(
        what, admin.createExperimenterWithPassword, person, rstring(password.value),
        call(what, admin.lookupGroup, first), others,
    )  # fmt: skip
    if "privileges" in change.after:
        made = call(what, admin.lookupExperimenter, change.key)
        call(what, admin.setAdminPrivileges, made, _privileges(change))


def _fill(person: Any, values: Mapping[str, Any]) -> None:
    from omero.rtypes import rstring  # noqa: PLC0415

    for name, field in _FIELDS.items():
        if name in values:
            setattr(person, field, rstring(str(values[name] or "")))


def _groups(admin: Any, what: str, person: Any, add: set[str] = frozenset(), remove: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    if add:
        call(what, admin.addGroups, person, [call(what, admin.lookupGroup, name) for name in sorted(add)])
    if remove:
        call(what, admin.removeGroups, person, [call(what, admin.lookupGroup, name) for name in sorted(remove)])


def _secrets(admin: Any, change: Change, person: Any, what: str) -> None:
    from omero.rtypes import rstring  # noqa: PLC0415

    if "privileges" in change.after:
        call(what, admin.setAdminPrivileges, person, _privileges(change))
    password = change.after.get("password")
    if isinstance(password, Secret):
        call(what, admin.changeUserPassword, change.key, rstring(password.value))


def _privileges(change: Change) -> list[Any]:
    import omero  # noqa: PLC0415
    from omero.rtypes import rstring  # noqa: PLC0415

    found = []
    wanted = change.after["privileges"]
    for value in () if wanted == _NO_PRIVILEGES else wanted or ():  # type: ignore[union-attr]
        privilege = omero.model.AdminPrivilegeI()
        privilege.value = rstring(value)
        found.append(privilege)
    return found


def from_directory(
    session: Any, got: State, wanted: list[Mapping[str, Any]], *, check_mode: bool
) -> tuple[list[str], list[str]]:
    """Make people from the directory who OMERO doesn't know yet.

    Returns:
        The logins that were made (or would be, in check mode), and those that the directory doesn't let in.
    """
    made: list[str] = []
    unknown: list[str] = []
    ldap = session.getLdapService()
    for person in wanted:
        login = person["login"]
        if not person.get("from_directory") or login in got:
            continue
        try:
            call(f"user {login}", ldap.findExperimenter if check_mode else ldap.createUser, login)
        except OmeroError:
            unknown.append(login)
        else:
            made.append(login)
    return made, unknown


def converge_users(session: Any, params: Mapping[str, Any], *, check_mode: bool) -> tuple[list[str], list[str], Plan]:
    """Bring people to what a module's parameters say.

    Returns:
        The logins made from the directory, those that it doesn't let in, and the plan for all others.
    """
    admin = session.getAdminService()
    got = users_state(admin)
    made, unknown = from_directory(session, got, params["users"], check_mode=check_mode)
    # In check mode people of the directory who are new can't be looked at.
    left_out = {*unknown, *(made if check_mode else ())}
    plan = users_plan(
        users_state(admin) if made and not check_mode else got,
        [person for person in params["users"] if person["login"] not in left_out],
        state=params["state"],
        update_password=params["update_password"],
        known_groups={group.name.val for group in admin.lookupGroups()},
    )
    if not check_mode:
        for change in plan.changes:
            apply_user(admin, change)
    return made, unknown, plan

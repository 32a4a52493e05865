# SPDX-License-Identifier: GPL-3.0-or-later
"""IAdmin and ILdap: people, groups, passwords, and the directory behind them."""

from typing import Any

import omero
import omero.all
from omero.rtypes import rbool, rstring

from omero_standin import people as roles
from omero_standin.dispatch import servant, usage
from omero_standin.sessions import Session


class _Service:
    """What every service of a session has: the server's parts, and who is logged in."""

    def __init__(self, server: Any, session: Session) -> None:
        self.server = server
        self.people = server.people
        self.objects = server.objects
        self.database = server.database
        self.session = session

    def need_admin(self, privilege: str) -> None:
        """Refuse people who may not do this."""
        if privilege not in self.people.privileges(self.session.user):
            raise omero.SecurityViolation(None, None, f"{self.session.login} lacks the privilege {privilege}")


@servant(omero.api.IAdmin)
class Admin(_Service):
    """People and groups."""

    # --- reading --------------------------------------------------------------------------------------------------
    def getEventContext(self, current: Any) -> Any:
        return self.server.sessions.event_context(self.session)

    def getSecurityRoles(self, current: Any) -> Any:
        return omero.sys.Roles(
            rootId=roles.ROOT, rootName="root", guestId=roles.GUEST, guestName="guest",
            systemGroupId=roles.SYSTEM, systemGroupName="system", userGroupId=roles.USER, userGroupName="user",
            guestGroupId=roles.GUEST_GROUP, guestGroupName="guest",
        )  # fmt: skip

    def lookupExperimenter(self, name: str, current: Any) -> Any:
        person = self.people.find(name)
        if person is None:
            raise usage(f"No such experimenter: {name}")
        return self._experimenter(person)

    def lookupExperimenters(self, current: Any) -> Any:
        return self._experimenters("SELECT id FROM experimenter ORDER BY id")

    def getExperimenter(self, key: int, current: Any) -> Any:
        return self._experimenter(key)

    def lookupGroup(self, name: str, current: Any) -> Any:
        group = self.people.find_group(name)
        if group is None:
            raise usage(f"No such group: {name}")
        return self._group(group)

    def lookupGroups(self, current: Any) -> Any:
        return [self._group(row[0]) for row in self.database.run("SELECT id FROM experimentergroup ORDER BY id")]

    def getGroup(self, key: int, current: Any) -> Any:
        return self._group(key)

    def getDefaultGroup(self, person: int, current: Any) -> Any:
        return self._group(self.people.default_group(person))

    def containedGroups(self, person: int, current: Any) -> Any:
        return [self._group(group) for group in self.people.groups_of(person)]

    def containedExperimenters(self, group: int, current: Any) -> Any:
        return self._experimenters(
            "SELECT child FROM groupexperimentermap WHERE parent = :group ORDER BY child", group=group
        )

    def getMemberOfGroupIds(self, person: Any, current: Any) -> list[int]:
        return list(self.people.groups_of(person.id.val))

    def getLeaderOfGroupIds(self, person: Any, current: Any) -> list[int]:
        return list(self.people.owned_groups(person.id.val))

    def lookupLdapAuthExperimenters(self, current: Any) -> Any:
        return {}

    def lookupLdapAuthExperimenter(self, key: int, current: Any) -> str:
        login = self.database.one("SELECT omename FROM experimenter WHERE id = :id AND ldap", id=key)
        person = self.server.directory.find(login) if login else None
        return person.dn if person else ""

    def getCurrentAdminPrivileges(self, current: Any) -> Any:
        return _privileges(self.people.privileges(self.session.user))

    def getAdminPrivileges(self, person: Any, current: Any) -> Any:
        return _privileges(self.people.privileges(person.id.val))

    def canUpdate(self, item: Any, current: Any) -> bool:
        return self.people.is_admin(self.session.user)

    def getMyUserPhotos(self, current: Any) -> Any:
        return []

    # --- changing -------------------------------------------------------------------------------------------------
    def createGroup(self, group: Any, current: Any) -> int:
        self.need_admin("ModifyGroup")
        name = group.name.val
        if self.people.find_group(name) is not None:
            raise omero.ValidationException(None, None, f"Group {name} already exists")
        with self.database.transaction():
            key = self.people.ensure_group(name)
            self._set_group(key, group)
        return key

    def updateGroup(self, group: Any, current: Any) -> None:
        self.need_admin("ModifyGroup")
        with self.database.transaction():
            self._set_group(group.id.val, group)

    def createExperimenter(self, person: Any, default: Any, others: Any, current: Any) -> int:
        return self._create(person, default, others)

    def createExperimenterWithPassword(
        self, person: Any, password: Any, default: Any, others: Any, current: Any
    ) -> int:
        with self.database.transaction():
            key = self._create(person, default, others)
            self.people.set_password(key, password.val)
        return key

    def createRestrictedSystemUserWithPassword(self, person: Any, privileges: Any, password: Any, current: Any) -> int:
        with self.database.transaction():
            key = self._create(person, omero.model.ExperimenterGroupI(roles.SYSTEM, False), [])
            self.people.join(key, [roles.USER])
            self.people.set_privileges(key, [item.value.val for item in privileges])
            self.people.set_password(key, password.val)
        return key

    def setAdminPrivileges(self, person: Any, privileges: Any, current: Any) -> None:
        self.need_admin("ModifyUser")
        self.people.set_privileges(person.id.val, [item.value.val for item in privileges])

    def updateExperimenter(self, person: Any, current: Any) -> None:
        self.need_admin("ModifyUser")
        self.people.update(person.id.val, _fields(person))
        if person.ldap is not None:
            self.database.run(
                "UPDATE experimenter SET ldap = :ldap WHERE id = :id", ldap=person.ldap.val, id=person.id.val
            )

    def addGroups(self, person: Any, groups: Any, current: Any) -> None:
        self.need_admin("ModifyGroupMembership")
        self.people.join(person.id.val, [group.id.val for group in groups])

    def removeGroups(self, person: Any, groups: Any, current: Any) -> None:
        self.need_admin("ModifyGroupMembership")
        self.people.leave(person.id.val, [group.id.val for group in groups])

    def setDefaultGroup(self, person: Any, group: Any, current: Any) -> None:
        if person.id.val != self.session.user:
            self.need_admin("ModifyUser")
        if group.id.val not in self.people.groups_of(person.id.val):
            raise usage(f"person {person.id.val} is no member of group {group.id.val}")
        self.people.set_default_group(person.id.val, group.id.val)

    def addGroupOwners(self, group: Any, people: Any, current: Any) -> None:
        self.need_admin("ModifyGroupMembership")
        for person in people:
            self.people.set_owner(group.id.val, person.id.val, owner=True)

    def removeGroupOwners(self, group: Any, people: Any, current: Any) -> None:
        self.need_admin("ModifyGroupMembership")
        for person in people:
            self.people.set_owner(group.id.val, person.id.val, owner=False)

    def setGroupOwner(self, group: Any, person: Any, current: Any) -> None:
        self.addGroupOwners(group, [person], current)

    def changeUserPassword(self, login: str, password: Any, current: Any) -> None:
        self.need_admin("ModifyUser")
        person = self.people.find(login)
        if person is None:
            raise usage(f"No such user: {login}")
        self.people.set_password(person, password.val)

    def changePassword(self, password: Any, current: Any) -> None:
        self.people.set_password(self.session.user, password.val)

    # --- inside ---------------------------------------------------------------------------------------------------
    def _create(self, person: Any, default: Any, others: Any) -> int:
        self.need_admin("ModifyUser")
        login = person.omeName.val
        if self.people.find(login) is not None:
            raise omero.ValidationException(None, None, f"User {login} already exists")
        fields = {"firstName": "", "lastName": "", "email": "", "institution": "", **_fields(person)}
        fields.pop("middleName", None)
        ldap = bool(person.ldap and person.ldap.val)
        with self.database.transaction():
            return int(self.people.create(login, fields, default.id.val, [group.id.val for group in others], ldap=ldap))

    def _set_group(self, key: int, group: Any) -> None:
        self.database.run(
            "UPDATE experimentergroup SET name = :name, description = :description, ldap = :ldap WHERE id = :id",
            id=key, name=group.name.val, description=group.description.val if group.description else None,
            ldap=bool(group.ldap and group.ldap.val),
        )  # fmt: skip
        permissions = group.details.permissions
        if permissions is not None:
            level = (
                3
                if permissions.isGroupWrite()
                else 2
                if permissions.isGroupAnnotate()
                else int(permissions.isGroupRead())
            )
            self.database.run("UPDATE experimentergroup SET permissions = :level WHERE id = :id", level=level, id=key)

    def _experimenters(self, sql: str, **parameters: Any) -> list[Any]:
        return [self._experimenter(row[0]) for row in self.database.run(sql, **parameters)]

    def _experimenter(self, key: int) -> Any:
        person = self.objects.one("Experimenter", key)
        if person is None:
            raise usage(f"No such experimenter: {key}")
        person.clearGroupExperimenterMap()
        for group in self.people.groups_of(key):
            person.addGroupExperimenterMap(self._map(self.objects.one("ExperimenterGroup", group), person, group, key))
        return person

    def _group(self, key: int) -> Any:
        group = self.objects.one("ExperimenterGroup", key)
        if group is None:
            raise usage(f"No such group: {key}")
        group.clearGroupExperimenterMap()
        for row in self.database.run(
            "SELECT child FROM groupexperimentermap WHERE parent = :id ORDER BY child", id=key
        ):
            group.addGroupExperimenterMap(self._map(group, self.objects.one("Experimenter", row[0]), key, row[0]))
        return group

    def _map(self, parent: Any, child: Any, group: int, person: int) -> Any:
        link = omero.model.GroupExperimenterMapI()
        link.parent, link.child = parent, child
        link.owner = rbool(group in self.people.owned_groups(person))
        return link


@servant(omero.api.ILdap)
class Ldap(_Service):
    """The directory as OMERO shows it."""

    def getSetting(self, current: Any) -> bool:
        return bool(self.server.directory.active)

    def createUser(self, name: str, current: Any) -> Any:
        self.need_admin("ModifyUser")
        person = self.server.directory.find(name)
        if person is None:
            raise usage(f"Cannot find unique user DN: {name}")
        try:
            key = self.people.from_directory(person)
        except ValueError as error:
            raise omero.ValidationException(None, None, str(error)) from error
        return self.objects.one("Experimenter", key)

    def findDN(self, name: str, current: Any) -> str:
        person = self.server.directory.find(name)
        if person is None:
            raise usage(f"Cannot find unique user DN: {name}")
        return str(person.dn)

    def findExperimenter(self, name: str, current: Any) -> Any:
        person = self.server.directory.find(name)
        if person is None:
            raise usage(f"Cannot find unique user DN: {name}")
        found = omero.model.ExperimenterI()
        for field, value in person.fields.items():
            setattr(found, field, rstring(value))
        return found

    def setDN(self, person: Any, dn: str, current: Any) -> None:
        self.need_admin("ModifyUser")
        self.database.run("UPDATE experimenter SET ldap = :ldap WHERE id = :id", ldap=bool(dn), id=person.val)

    def discover(self, current: Any) -> Any:
        return []

    def discoverGroups(self, current: Any) -> Any:
        return []


def _fields(person: Any) -> dict[str, str]:
    names = ("firstName", "middleName", "lastName", "email", "institution")
    return {name: getattr(person, name).val for name in names if getattr(person, name) is not None}


def _privileges(values: list[str]) -> list[Any]:
    found = []
    for number, value in enumerate(values):
        privilege = omero.model.AdminPrivilegeI(number, True)
        privilege.value = rstring(value)
        found.append(privilege)
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""People and groups in the database, and who may log in."""

import base64
import hashlib
import hmac
import os
from typing import Any

from omero_standin.database import Database
from omero_standin.ldap import Directory, Person

ROOT, GUEST = 0, 1
SYSTEM, USER, GUEST_GROUP = 0, 1, 2
ROLES = ("system", "user", "guest")
PRIVATE = "rw----"
PRIVILEGES = (
    "Chgrp", "Chown", "DeleteFile", "DeleteManagedRepo", "DeleteOwned", "DeleteScriptRepo", "ModifyGroup",
    "ModifyGroupMembership", "ModifyUser", "ReadSession", "Sudo", "WriteFile", "WriteManagedRepo", "WriteOwned",
    "WriteScriptRepo",
)  # fmt: skip


class People:
    """What IAdmin and the log-in need."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self.database = database
        self.directory = directory

    # --- log-in ---------------------------------------------------------------------------------------------------
    def log_in(self, login: str, password: str) -> bool:
        """Return whether login and password are right; a person new to OMERO is made from the directory."""
        row = self.database.run(
            "SELECT e.id, e.ldap, p.hash FROM experimenter e LEFT JOIN password p ON p.experimenter_id = e.id"
            " WHERE e.omename = :login",
            login=login,
        )
        # As OMERO does: who was taken out of the group "user" is inactive, also when the directory lets them in.
        if row and login != "guest" and USER not in self.groups_of(row[0][0]):
            return False
        if row and not row[0][1]:
            return row[0][2] == "" if login == "guest" else _right(row[0][2], password)
        if not self.directory.active:
            return False
        person = self.directory.find(login)
        if person is None or not self.directory.check(person.dn, password):
            return False
        if not row or self.directory.syncs:
            self.from_directory(person)
        return True

    def from_directory(self, person: Person) -> int:
        """Make or update the person as the directory has it and return the id."""
        with self.database.transaction():
            login = person.fields["omeName"]
            known = self.find(login)
            values = {key: person.fields.get(key, "") for key in ("firstName", "lastName", "email", "institution")}
            groups = [self.ensure_group(name, ldap=True) for name in self.directory.groups(person)]
            if known is None:
                if not groups:
                    raise ValueError(f"{login} is in no group that OMERO takes from the directory")
                return self.create(login, values, groups[0], groups[1:], ldap=True)
            self.update(known, values)
            current = self.groups_of(known)
            taken = {
                row[0]
                for row in self.database.run(
                    "SELECT m.parent FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent"
                    " WHERE m.child = :id AND g.ldap", id=known,
                )
            }  # fmt: skip
            self.leave(known, sorted(taken - set(groups)))
            self.join(known, [group for group in groups if group not in current])
            return known

    # --- reading --------------------------------------------------------------------------------------------------
    def find(self, login: str) -> int | None:
        """Return the id of a login."""
        return self.database.one("SELECT id FROM experimenter WHERE omename = :login", login=login)

    def find_group(self, name: str) -> int | None:
        """Return the id of a group."""
        return self.database.one("SELECT id FROM experimentergroup WHERE name = :name", name=name)

    def groups_of(self, person: int) -> list[int]:
        """Return the ids of a person's groups, the default one first."""
        rows = self.database.run(
            "SELECT parent FROM groupexperimentermap WHERE child = :id ORDER BY child_index, id", id=person
        )
        return [row[0] for row in rows]

    def default_group(self, person: int) -> int:
        """Return the group that new data of this person belongs to."""
        return next((group for group in self.groups_of(person) if group != USER), USER)

    def owned_groups(self, person: int) -> list[int]:
        """Return the ids of the groups that this person leads."""
        rows = self.database.run('SELECT parent FROM groupexperimentermap WHERE child = :id AND "owner"', id=person)
        return [row[0] for row in rows]

    def is_admin(self, person: int) -> bool:
        """Return whether the person is in the group of administrators."""
        return SYSTEM in self.groups_of(person)

    def privileges(self, person: int) -> list[str]:
        """Return an administrator's privileges: all, unless they were restricted."""
        if not self.is_admin(person):
            return []
        rows = self.database.run("SELECT value FROM adminprivilege WHERE experimenter_id = :id", id=person)
        return sorted(row[0] for row in rows if row[0]) if rows else list(PRIVILEGES)

    def readable(self, person: int) -> tuple[int, ...]:
        """Return the groups whose data this member may read though it is others'."""
        rows = self.database.run(
            "SELECT g.id FROM experimentergroup g JOIN groupexperimentermap m ON m.parent = g.id"
            ' WHERE m.child = :id AND (g.permissions > 0 OR m."owner")', id=person,
        )  # fmt: skip
        return tuple(row[0] for row in rows)

    # --- changing -------------------------------------------------------------------------------------------------
    def create(self, login: str, values: dict[str, str], default: int, others: list[int], *, ldap: bool) -> int:
        """Make a person and return the id."""
        person = self.database.one(
            "INSERT INTO experimenter (omename, firstname, lastname, email, institution, ldap)"
            " VALUES (:login, :firstName, :lastName, :email, :institution, :ldap) RETURNING id",
            login=login, ldap=ldap, **values,
        )  # fmt: skip
        self.join(person, [default, *others, USER])
        return int(person)

    def update(self, person: int, values: dict[str, str]) -> None:
        """Change a person's fields."""
        for name, value in values.items():
            self.database.run(
                f'UPDATE experimenter SET "{name.lower()}" = :value WHERE id = :id', value=value, id=person
            )

    def ensure_group(self, name: str, *, ldap: bool = False) -> int:
        """Return the id of a group, which is there afterwards."""
        known = self.find_group(name)
        if known is not None:
            return known
        return int(
            self.database.one(
                "INSERT INTO experimentergroup (name, ldap, permissions) VALUES (:name, :ldap, 0) RETURNING id",
                name=name, ldap=ldap,
            )
        )  # fmt: skip

    def join(self, person: int, groups: list[int]) -> None:
        """Put a person into groups."""
        current = self.groups_of(person)
        for group in dict.fromkeys(groups):
            if group not in current:
                index = self.database.one(
                    "SELECT coalesce(max(child_index) + 1, 0) FROM groupexperimentermap WHERE child = :id", id=person
                )
                self.database.run(
                    'INSERT INTO groupexperimentermap (parent, child, "owner", child_index)'
                    " VALUES (:parent, :child, false, :index)", parent=group, child=person, index=index,
                )  # fmt: skip

    def leave(self, person: int, groups: list[int]) -> None:
        """Take a person out of groups."""
        for group in groups:
            self.database.run(
                "DELETE FROM groupexperimentermap WHERE child = :id AND parent = :group", id=person, group=group
            )

    def set_default_group(self, person: int, group: int) -> None:
        """Make a group the one that comes first."""
        self.database.run(
            "UPDATE groupexperimentermap SET child_index = (SELECT min(child_index) - 1 FROM groupexperimentermap"
            " WHERE child = :id) WHERE child = :id AND parent = :group", id=person, group=group,
        )  # fmt: skip

    def set_owner(self, group: int, person: int, *, owner: bool) -> None:
        """Make a member lead a group, or no longer."""
        self.join(person, [group])
        self.database.run(
            'UPDATE groupexperimentermap SET "owner" = :owner WHERE child = :id AND parent = :group',
            owner=owner, id=person, group=group,
        )  # fmt: skip

    def set_password(self, person: int, password: str) -> None:
        """Keep a password's hash."""
        self.database.run(
            "INSERT INTO password (experimenter_id, hash) VALUES (:id, :hash)"
            " ON CONFLICT (experimenter_id) DO UPDATE SET hash = :hash", id=person, hash=_hash(password),
        )  # fmt: skip

    def set_privileges(self, person: int, privileges: list[str]) -> None:
        """Restrict an administrator to these privileges."""
        self.database.run("DELETE FROM adminprivilege WHERE experimenter_id = :id", id=person)
        for value in privileges or [""]:
            self.database.run("INSERT INTO adminprivilege VALUES (:id, :value)", id=person, value=value)

    def rows(self, table: str, ids: list[int] | None = None) -> list[list[Any]]:
        """Return the ids of all rows of a table, or those of the given ones that exist."""
        return self.database.run(f"SELECT id FROM {table} ORDER BY id")


def _hash(password: str) -> str:
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=4096, r=8, p=1)
    return "scrypt:" + base64.b64encode(salt + digest).decode()


def _right(known: str | None, password: str) -> bool:
    if not known or not password:
        return False
    if known.startswith("scrypt:"):
        data = base64.b64decode(known[7:])
        return hmac.compare_digest(hashlib.scrypt(password.encode(), salt=data[:16], n=4096, r=8, p=1), data[16:])
    # As `omero db script` makes it for the first log-in.
    digest = base64.b64encode(hashlib.md5(password.encode()).digest()).decode()
    return hmac.compare_digest(digest, known)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups in Active Directory and their members: one search for all groups and all who may be members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.plan import Attributes, Change, Plan, Value, membership, plan
from . import caps
from . import names as directory_names
from .port import DirectoryPort, Entry
from .server import DirectoryError

# Global security group [MS-ADTS 2.2.12], as the signed number that the directory stores.
_GLOBAL_SECURITY_GROUP = b"-2147483646"
_GROUPS_AND_ACCOUNTS = "(|(objectCategory=group)(objectClass=user))"
_READ = ["sAMAccountName", "objectClass", "description", "member"]
# Members per request: some servers refuse very large ones.
_BATCH = 500


class GroupsTask:
    """Groups as the options of directory_group describe them.

    In plans a member is known by its sAMAccountName, which is unique in a domain, or by its DN if it has none.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._groups: list[dict[str, Any]] = params["groups"]
        self._ou: str = params["ou"]
        self._given_base: str | None = params["base"]
        self._absent: bool = params["state"] == "absent"
        self._ignore_unknown: bool = params["unknown_members"] == "ignore"
        self._most_removed: int | None = params["most_removed"]
        self._entries: dict[str, Entry] = {}
        self._dns: dict[str, str] = {}  # member's name, lower case -> DN
        self._names: dict[str, str] = {}  # normalised DN -> member's name
        self._missing: set[str] = set()  # groups of this call that don't exist yet, lower case
        self._waiting: dict[str, list[str]] = {}  # missing group -> groups that want it as a member
        self.ignored_members: list[str] = []

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        self._read(directory)
        self._announce_new_groups()
        got: dict[str, Attributes] = {}
        wanted: dict[str, Attributes | None] = {}
        unknown: list[str] = []
        for group in self._groups:
            name = group["name"]
            entry = self._entries.get(name.lower())
            current = self._members(entry) if entry else ()
            if entry:
                got[name] = {"description": entry.text("description"), "members": current}
            wanted[name] = None if self._absent else self._wanted(directory, group, current, unknown)
        if unknown and not self._ignore_unknown:
            cure = "create these accounts first, mend the names, or set unknown_members: ignore"
            raise DirectoryError("not_found", f"{'; '.join(unknown)}: {cure}")
        self.ignored_members = unknown
        caps.refuse_many(caps.lost_memberships(got, wanted), self._most_removed)
        return plan(got, wanted)

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        if change.action == "delete":
            directory.delete(self._entries[change.key.lower()].dn)
            return
        if change.action == "create":
            self._create(directory, change)
        elif "description" in change.after:
            description = change.after["description"]
            values = [str(description).encode()] if description else []
            directory.modify(self._dns[change.key.lower()], [("replace", "description", values)])
        if "members" in change.after:
            before, after = _names(change.before.get("members")), _names(change.after["members"])
            self._change_members(directory, change.key, "delete", [name for name in before if name not in after])
            self._change_members(directory, change.key, "add", [name for name in after if name not in before])

    def _read(self, directory: DirectoryPort) -> None:
        try:
            directory_names.normalised(self._ou)
            base = self._given_base or directory_names.domain_part(self._ou)
        except ValueError as error:
            raise DirectoryError("rejected", f"ou: {error}") from None
        for entry in directory.search(base, _GROUPS_AND_ACCOUNTS, _READ):
            name = entry.text("samaccountname")
            if name:
                self._dns[name.lower()] = entry.dn
                self._names[directory_names.normalised(entry.dn)] = name
                if b"group" in entry.attributes.get("objectclass", ()):
                    self._entries[name.lower()] = entry

    def _announce_new_groups(self) -> None:
        seen: set[str] = set()
        for group in self._groups:
            name = group["name"]
            if name.lower() in seen:
                raise DirectoryError("rejected", f'two groups have the name "{name}": give one another name')
            seen.add(name.lower())
            if name.lower() in self._entries or self._absent:
                continue
            if name.lower() in self._dns:
                cure = "choose another name, because groups and accounts share one set of names"
                raise DirectoryError("rejected", f'group "{name}" can\'t be created, an account has this name: {cure}')
            self._missing.add(name.lower())
            self._dns[name.lower()] = directory_names.child("CN", name, self._ou)
            self._names[directory_names.normalised(self._dns[name.lower()])] = name

    def _wanted(
        self, directory: DirectoryPort, group: Mapping[str, Any], current: Sequence[str], unknown: list[str]
    ) -> Attributes:
        attributes: dict[str, Value] = {}
        if group["description"] is not None:
            attributes["description"] = group["description"]
        if group["members"] is not None:
            lists: dict[str, list[str] | None] = {}
            for kind in ("add", "remove", "set"):
                given = group["members"][kind]
                lists[kind] = None if given is None else self._known(directory, group["name"], kind, given, unknown)
            try:
                to_add, to_remove = membership(current, **lists)
            except ValueError as error:
                raise DirectoryError("rejected", f'group "{group["name"]}", {error}') from None
            attributes["members"] = tuple(sorted({*current, *to_add} - set(to_remove)))
        return attributes

    def _known(
        self, directory: DirectoryPort, group: str, kind: str, members: list[str], unknown: list[str]
    ) -> list[str]:
        known = []
        for member in members:
            name = self._name_of(directory, member)
            if name is not None:
                known.append(name)
            elif kind != "remove":  # who doesn't exist is no member
                unknown.append(f'group "{group}" wants member "{member}", which doesn\'t exist')
        return known

    def _name_of(self, directory: DirectoryPort, member: str) -> str | None:
        if not directory_names.is_dn(member):
            dn = self._dns.get(member.lower())
            return self._names[directory_names.normalised(dn)] if dn else None
        name = self._names.get(directory_names.normalised(member))
        if name is None and directory.read(member) is not None:
            self._remember(member)
            name = member
        return name

    def _members(self, entry: Entry) -> tuple[str, ...]:
        names = []
        for dn in entry.texts("member"):
            name = self._names.get(directory_names.normalised(dn))
            if name is None:
                self._remember(dn)
                name = dn
            names.append(name)
        return tuple(sorted(names))

    def _remember(self, dn: str) -> None:
        self._names[directory_names.normalised(dn)] = dn
        self._dns[dn.lower()] = dn

    def _create(self, directory: DirectoryPort, change: Change) -> None:
        name = change.key
        attributes: dict[str, list[bytes]] = {
            "objectClass": [b"group"],
            "sAMAccountName": [name.encode()],
            "groupType": [_GLOBAL_SECURITY_GROUP],
        }
        if change.after.get("description"):
            attributes["description"] = [str(change.after["description"]).encode()]
        directory.add(self._dns[name.lower()], attributes)
        self._missing.discard(name.lower())
        for parent in self._waiting.pop(name.lower(), []):
            self._change_members(directory, parent, "add", [name])

    def _change_members(self, directory: DirectoryPort, group: str, operation: Any, members: list[str]) -> None:  # noqa: ANN401
        present = []
        for member in members:
            # Groups of one call may be members of each other, in any order: who isn't there yet is added when it is.
            if member.lower() in self._missing:
                self._waiting.setdefault(member.lower(), []).append(group)
            else:
                present.append(self._dns[member.lower()].encode())
        for start in range(0, len(present), _BATCH):
            batch = present[start : start + _BATCH]
            directory.modify(self._dns[group.lower()], [(operation, "member", batch)])


def _names(members: Value) -> tuple[str, ...]:
    return members if isinstance(members, tuple) else ()

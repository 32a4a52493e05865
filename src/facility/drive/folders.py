# SPDX-License-Identifier: GPL-3.0-or-later
"""One private folder a person: what it should look like, what must not be touched, and what is to be done.

An access list is a POSIX one, as the kernel keeps it in two extended attributes [linux/posix_acl_xattr.h]: who may do
what in the folder, and what is handed down to everything made in it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..core.plan import Change, Plan, State, plan

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RIGHTS = {"---": 0, "--x": 1, "-w-": 2, "-wx": 3, "r--": 4, "r-x": 5, "rw-": 6, "rwx": 7}
_LETTERS = {number: letters for letters, number in _RIGHTS.items()}
# In the kernel's order; an entry without a name has this number for one.
_TAGS = {"owner": 0x01, "user": 0x02, "owning group": 0x04, "group": 0x08, "mask": 0x10, "other": 0x20}
_KINDS = {tag: kind for kind, tag in _TAGS.items()}
_NOBODY = 0xFFFFFFFF
_VERSION = 2


class FolderError(Exception):
    """The folders can't be brought to what is wanted; the message is one line that names the cure."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of an access list; number is a uid or gid where the kind is user or group."""

    tag: int
    number: int
    rights: int

    @classmethod
    def of(cls, kind: str, rights: str, number: int = _NOBODY) -> Entry:
        """An entry from its words, as user, r-x, 998."""
        return cls(_TAGS[kind], number, _RIGHTS[rights])


AccessList = tuple[Entry, ...]


def encoded(entries: AccessList) -> bytes:
    """The value of the extended attribute."""
    ordered = sorted(entries)
    return struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", e.tag, e.rights, e.number) for e in ordered)


def decoded(value: bytes) -> AccessList:
    """The access list in an extended attribute; an empty value is none.

    Raises:
        ValueError: If it is of a shape that Linux has never had.
    """
    if not value:
        return ()
    if len(value) % 8 != 4 or struct.unpack_from("<I", value) != (_VERSION,):
        raise ValueError(f"unknown access list {value.hex()}")
    return tuple(sorted(Entry(tag, number, rights) for tag, rights, number in struct.iter_unpack("<HHI", value[4:])))


def from_mode(mode: int) -> AccessList:
    """The access list of a folder that has no attribute: its mode is all there is."""
    letters = {kind: _LETTERS[mode >> shift & 7] for kind, shift in (("owner", 6), ("owning group", 3), ("other", 0))}
    return tuple(sorted(Entry.of(kind, rights) for kind, rights in letters.items()))


def access_text(entries: AccessList, names: Mapping[int, str]) -> str:
    """The list as getfacl writes it, with the names that are known."""
    words = {"owner": "user", "owning group": "group"}
    texts = []
    for entry in sorted(entries):
        kind = _KINDS.get(entry.tag, str(entry.tag))
        number = "" if entry.number == _NOBODY else str(entry.number)
        name = names.get(entry.number, number) if kind == "user" else number
        texts.append(f"{words.get(kind, kind)}:{name}:{_LETTERS.get(entry.rights, entry.rights)}")
    return ",".join(texts)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the host."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it is on the disk, or as it should be."""

    uid: int
    access: AccessList
    handed_down: AccessList
    empty: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What the module was asked for.

    Attributes:
        logins: whose folders.
        readers: (user, rights) that services have in every folder, rights as r-x.
        owner: whom the folders belong to; "": each to its person, who then also keeps full rights on all in it.
        state: whether they should be there.
        unknown_logins: what to do about logins that the host doesn't know.
        lowest_uid: accounts below are the host's own and get no folder.
    """

    logins: Sequence[str]
    readers: Sequence[tuple[str, str]] = ()
    owner: str = ""
    state: Literal["present", "absent"] = "present"
    unknown_logins: Literal["report", "fail"] = "report"
    lowest_uid: int = 1000


class HostPort(Protocol):
    """The host's accounts and the folders below one root."""

    def account(self, name: str) -> Account | None:
        """A user of the host, by whatever source; None if there is none of exactly this name."""

    def folder(self, login: str) -> Folder | None:
        """A folder as it is; None if there is none. Raises FolderError if it is something else."""

    def make(self, login: str) -> None:
        """Make an empty folder that nobody but root gets into."""

    def give(self, login: str, folder: Folder, gid: int) -> None:
        """Set access lists, then the owner."""

    def remove(self, login: str) -> bool:
        """Remove a folder if it is empty; whether it is gone."""


def wanted_folder(account: Account, services: Collection[tuple[Account, str]], *, persons: bool = True) -> Folder:
    """What the folder of an account should look like, if it is a person's own or one of a service."""
    named = [Entry.of("user", rights, service.uid) for service, rights in services if service.uid != account.uid]
    nobody_else = [Entry.of("owning group", "---"), Entry.of("other", "---")]
    access = [Entry.of("owner", "rwx"), *named, *nobody_else]
    # What a service makes in it belongs to the service, but is the person's, too.
    handed_down = [*access, Entry.of("user", "rwx", account.uid)] if persons else access
    mask = Entry.of("mask", "rwx")
    return Folder(
        account.uid,
        tuple(sorted([*access, mask] if named else access)),
        tuple(sorted([*handed_down, mask] if named or persons else handed_down)),
    )


@dataclass(slots=True)
class FoldersTask:
    """Got, wanted, plan, apply for all folders of one call."""

    wish: Wish
    host: HostPort
    unknown: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    _wanted: dict[str, tuple[Folder, int]] = field(default_factory=dict)

    def plan(self) -> Plan:
        """Read what is there and compare.

        Raises:
            FolderError: If a service, or all people, are unknown, or a name can't be a folder's.
        """
        misspelt = [login for login in self.wish.logins if not LOGIN.fullmatch(login)]
        if misspelt:
            raise FolderError(f'"{misspelt[0]}" can\'t be a login: use letters, digits and . _ -, as aadler')
        if self.wish.state == "absent":
            return self._plan_absent()
        names = self._look_up()
        got = {login: self.host.folder(login) for login in self._wanted}
        for login, folder in got.items():
            self._refuse_foreign(login, folder)
        return plan(
            {login: _attributes(folder, names) for login, folder in got.items() if folder is not None},
            {
                login: _attributes(folder, names)
                for login, (folder, _) in self._wanted.items()
                if login not in self.refused
            },
        )

    def apply(self, change: Change) -> None:
        """Make one change of the plan."""
        if change.action == "delete":
            if not self.host.remove(change.key):
                raise FolderError(f"{change.key} is no longer empty, and stays")
            return
        if change.action == "create":
            self.host.make(change.key)
        self.host.give(change.key, *self._wanted[change.key])

    def _plan_absent(self) -> Plan:
        got: State = {}
        for login in self.wish.logins:
            folder = self.host.folder(login)
            if folder is None:
                continue
            if folder.empty:
                got = {**got, login: {"owner": str(folder.uid)}}
            else:
                self.kept.append(login)
        return plan(got, dict.fromkeys(got))

    def _look_up(self) -> dict[int, str]:
        """Fill in what is wanted; the names of all users concerned by uid."""
        services = [(self._service(name), rights) for name, rights in self.wish.readers]
        owner = self._service(self.wish.owner) if self.wish.owner else None
        names = {service.uid: service.name for service, _ in services}
        for login in self.wish.logins:
            account = self.host.account(login)
            if account is None or account.uid < self.wish.lowest_uid:
                self.unknown.append(login)
                continue
            names[account.uid] = login
            folder = wanted_folder(owner or account, services, persons=owner is None)
            self._wanted[login] = folder, (owner or account).gid
        if owner is not None:
            names[owner.uid] = owner.name
        strangers = ", ".join(self.unknown[:10])
        if self.unknown and (not self._wanted or self.wish.unknown_logins == "fail"):
            raise FolderError(
                f"this host doesn't know {strangers}: if it knows nobody, look whether winbind runs and the domain "
                f"answers (wbinfo --ping-dc); else make the accounts first, or correct the logins"
            )
        return names

    def _service(self, name: str) -> Account:
        account = self.host.account(name)
        if account is None:
            raise FolderError(f'no user "{name}" on this host, who should have access: make it first')
        return account

    def _refuse_foreign(self, login: str, folder: Folder | None) -> None:
        """A login that was given to somebody else must not bring that person the other one's files."""
        wanted = self._wanted[login][0].uid
        if folder is not None and not folder.empty and folder.uid != wanted:
            self.refused[login] = (
                f"holds files of user {folder.uid}, but the account is {wanted} now: if it is the same person, "
                f"chown -R --from={folder.uid} {wanted} the folder, else move it away"
            )


def _attributes(folder: Folder, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "owner": names.get(folder.uid, str(folder.uid)),
        "access": access_text(folder.access, names),
        "handed_down": access_text(folder.handed_down, names),
    }


def converge(task: FoldersTask, *, check_mode: bool) -> dict[str, Any]:
    """Bring the folders to what is wanted; what the module returns.

    Raises:
        FolderError: If nothing, or not everything, could be done.
    """
    todo = task.plan()
    if not check_mode:
        for change in todo.changes:
            task.apply(change)
    if task.refused:
        raise FolderError("; ".join(f"{login} {why}" for login, why in sorted(task.refused.items())))
    return {
        "changed": todo.changed,
        "created": todo.keys("create"),
        "updated": todo.keys("update"),
        "deleted": todo.keys("delete"),
        "unchanged": todo.unchanged,
        "unknown": task.unknown,
        "kept": task.kept,
        "diff": todo.diff(),
    }

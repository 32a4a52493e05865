# SPDX-License-Identifier: GPL-3.0-or-later
"""Who should be in a PC's group Users, who is, and what lies between. Pure; knows accounts by their SIDs alone.

Users and Administrators hold the right to log on (SeInteractiveLogonRight), besides Backup Operators, which is empty. A
domain's PC has three members in Users that let everybody in: Domain Users, Authenticated Users and INTERACTIVE. Through
them also those can read Windows' own programs who must go on doing so: services, and administrators, whose everyday
token counts as no administrator's. So these become members themselves before the three go; neither lets anybody log on
who couldn't before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ...core.sid import SID

AUTHENTICATED_USERS, INTERACTIVE = "S-1-5-11", "S-1-5-4"
EVERYONE = "S-1-1-0"
SERVICES = ("S-1-5-6", "S-1-5-19", "S-1-5-20")
"""SERVICE, LOCAL SERVICE and NETWORK SERVICE: in a service's token, never in a person's."""
_DOMAIN = "S-1-5-21-"
_DOMAIN_USERS = "513"


class LogonError(Exception):
    """Who may log on at a PC can't be as wanted; the message names the cure, and nothing was taken from anybody."""


@dataclass(frozen=True)
class Account:
    r"""A member of a group.

    Attributes:
        sid: like S-1-5-32-545; empty when the PC didn't tell it.
        name: as the PC shows it, like IMAGING\instrument-sted, in its language; the SID of an account that is gone.
    """

    sid: str
    name: str


@dataclass(frozen=True)
class Found:
    """How a PC is.

    Attributes:
        domain: the domain's name; empty for a PC in a workgroup.
        users: members of Users.
        administrators: members of Administrators.
        known: names of those SIDs that the PC was asked for and that it, or its domain, knows.
        failed: what the PC could not do: Windows' error codes by SID.
    """

    domain: str
    users: tuple[Account, ...]
    administrators: tuple[Account, ...]
    known: Mapping[str, str]
    failed: Mapping[str, int]


@dataclass(frozen=True)
class Wish:
    """Who should be able to log on.

    Attributes:
        present: whether only these may; else everybody of the domain again.
        groups: names of the domain's groups by SID: the instrument's and the staff's.
        others: SIDs of the facility's other groups, like that of the instrument that the PC had before.
        keep: accounts that were put there by hand and stay, as SIDs or as the PC shows them, in small letters.
        remove: the same of those that go.
    """

    present: bool
    groups: Mapping[str, str]
    others: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()

    @property
    def everybody(self) -> tuple[str, ...]:
        """Who lets all of the domain log on."""
        domains = dict.fromkeys(_domain_of(sid) for sid in self.groups)
        return (*(f"{domain}{_DOMAIN_USERS}" for domain in domains), AUTHENTICATED_USERS, INTERACTIVE)

    @property
    def asked(self) -> tuple[str, ...]:
        """SIDs that the PC should know."""
        return (*self.groups, *self.everybody, *SERVICES)


@dataclass(frozen=True)
class Steps:
    """The way from what is found to what is wanted.

    Attributes:
        add: becomes a member, before anything goes.
        remove: is a member no more.
        strangers: were put there by hand, stay, and are reported.
    """

    add: tuple[Account, ...]
    remove: tuple[Account, ...]
    strangers: tuple[Account, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.add or self.remove)

    def after(self, users: Sequence[Account]) -> tuple[Account, ...]:
        """Who is a member when all is done."""
        gone = {account.sid for account in self.remove}
        return (*(account for account in users if account.sid not in gone), *self.add)


def wish(
    state: str,
    instrument_group: str,
    staff: Sequence[str],
    sids: Mapping[str, str],
    *,
    keep: Collection[str] = (),
    remove: Collection[str] = (),
) -> Wish:
    """Return who should be able to log on, checked.

    Args:
        state: present or absent.
        instrument_group: name of the group of those who may use this instrument; empty for a PC without instrument.
        staff: names of the groups that may log on everywhere.
        sids: the directory's SIDs by group name; members of other groups than these two kinds may not log on.
        keep: as in Wish, in any letters.
        remove: as in Wish, in any letters.

    Raises:
        LogonError: when a group is missing, or no domain's.
    """
    present = state == "present"
    if present and not instrument_group:
        raise LogonError("no instrument belongs to this PC: give one of facility_instruments this host")
    names = [name for name in (instrument_group, *staff) if name]
    missing = [name for name in names if not sids.get(name)]
    # The way back must be open when an instrument is no more.
    if present and missing:
        raise LogonError(f"the directory has no group {', '.join(missing)}: run playbooks/people.yml, then this again")
    groups = {sids[name]: name for name in names if sids.get(name)}
    wrong = [name for sid, name in groups.items() if not SID.fullmatch(sid) or not sid.startswith(_DOMAIN)]
    if wrong or not groups:
        raise LogonError(f"{', '.join(wrong or names)}: no group of a domain; sids must come from the directory")
    kept, removed = _lower(keep), _lower(remove)
    named = {part for sid, name in groups.items() for part in (sid.lower(), name.lower())}
    both = sorted(removed & (kept | named | _lower(SERVICES)))
    if both:
        raise LogonError(f"{', '.join(both)}: to be removed, and to stay as well: take it out of one of both lists")
    found = Wish(present, groups, frozenset(sids.values()) - set(groups), kept, removed)
    open_ = sorted(kept & _lower(found.everybody))
    if open_:
        raise LogonError(f"keep names {', '.join(open_)}, which lets everybody log on: take it out of the list")
    return found


def steps(found: Found, wanted: Wish) -> Steps:
    """Return what has to change in a PC's group Users.

    Raises:
        LogonError: when the PC doesn't know whom it should let in: then nobody may be taken out.
    """
    _refuse_strange_domain(found, wanted)
    _refuse_odd_administrators(found, wanted)
    domains = tuple(map(_domain_of, wanted.groups))
    administrators = {
        account.sid: account.name
        for account in found.administrators
        if account.sid.startswith(domains)
        and not _listed(account, wanted.remove)
        # An account that is gone: Windows would not take it.
        and account.name != account.sid
    }
    ours = {
        **{sid: found.known.get(sid, name) for sid, name in wanted.groups.items()},
        **{sid: found.known.get(sid, sid) for sid in SERVICES},
        **administrators,
    }
    everybody = {sid: found.known.get(sid, sid) for sid in wanted.everybody}
    let_in, shut_out = (ours, everybody) if wanted.present else (everybody, ours)
    there = {account.sid for account in found.users}
    add = tuple(Account(sid, name) for sid, name in let_in.items() if sid not in there)
    others = [account for account in found.users if account.sid not in let_in]
    listed = [account for account in others if wanted.present and _listed(account, wanted.remove)]
    listed += [account for account in others if account.sid in wanted.others and not _listed(account, wanted.keep)]
    remove = [account for account in others if account.sid in shut_out or (account in listed and account.sid)]
    # Administrators may log on whatever Users holds; Windows itself puts the local ones there.
    may = {account.sid for account in found.administrators}
    strangers = [
        account
        for account in others
        if account not in remove and account.sid not in may and not _listed(account, wanted.keep)
    ]
    return Steps(add, tuple(remove), tuple(strangers) if wanted.present else ())


def _refuse_strange_domain(found: Found, wanted: Wish) -> None:
    if not found.domain:
        raise LogonError("the PC is in a workgroup: join it to the facility's domain, or leave its log-on alone")
    needed = [*(wanted.groups if wanted.present else ()), *wanted.everybody]
    unknown = [sid for sid in needed if sid not in found.known]
    users = [sid for sid in wanted.everybody if sid.startswith(_DOMAIN)]
    if any(sid in unknown for sid in users):
        raise LogonError(
            f"the PC belongs to {found.domain}, which does not tell it of the facility's domain: its trust is broken "
            "(as an administrator there: netdom resetpwd, or leave the domain and join it again), no domain controller "
            "answers, or it is another domain"
        )
    if unknown:
        names = ", ".join(wanted.groups.get(sid, sid) for sid in unknown)
        raise LogonError(
            f"its domain {found.domain} does not know {names}: if the group was made just now on another domain "
            "controller, run this again when they have replicated"
        )


def _refuse_odd_administrators(found: Found, wanted: Wish) -> None:
    everybody = {*wanted.everybody, EVERYONE}
    names = ", ".join(account.name for account in found.administrators if account.sid in everybody)
    if names and wanted.present:
        # They could log on all the same, and would then not find Windows' own programs.
        raise LogonError(
            f"everybody is an administrator there ({names}), who may log on: take that out of the PC's group "
            "Administrators first"
        )
    nameless = ", ".join(account.name for account in found.administrators if not account.sid)
    if nameless and wanted.present:
        # Who of them is the domain's decides who must become a member of Users.
        raise LogonError(
            f"Windows does not tell the SID of its administrators {nameless}: take them out of the PC's group "
            "Administrators, or leave its log-on alone"
        )


def _listed(account: Account, listed: Collection[str]) -> bool:
    r"""Whether a list names an account: by SID, as DOMAIN\name, or by the name alone."""
    name = account.name.lower()
    return bool({account.sid.lower(), name, name.rpartition("\\")[2]} & set(listed))


def _lower(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _domain_of(sid: str) -> str:
    return sid[: sid.rindex("-") + 1]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control lists of NTFS: what they say as text, what they pass on, and whom they let do what."""

import re
from dataclasses import dataclass, replace

FULL, MODIFY, READ_EXECUTE, READ, WRITE, DELETE = 0x1F01FF, 0x1301BF, 0x1200A9, 0x120089, 0x100116, 0x110000
SIMPLE = {"N": 0, "F": FULL, "M": MODIFY, "RX": READ_EXECUTE, "R": READ, "W": WRITE, "D": DELETE}
SPECIFIC = {
    "DE": 0x10000, "RC": 0x20000, "WDAC": 0x40000, "WO": 0x80000, "S": 0x100000, "GR": READ, "GW": WRITE,
    "GE": 0x1200A0, "GA": FULL, "RD": 0x1, "WD": 0x2, "AD": 0x4, "REA": 0x8, "WEA": 0x10, "X": 0x20, "DC": 0x40,
    "RA": 0x80, "WA": 0x100,
}  # fmt: skip
NAMES = {
    "S-1-5-18": "NT-AUTORITÄT\\SYSTEM",
    "S-1-5-19": "NT-AUTORITÄT\\LOKALER DIENST",
    "S-1-5-20": "NT-AUTORITÄT\\NETZWERKDIENST",
    "S-1-5-32-544": "VORDEFINIERT\\Administratoren",
    "S-1-5-32-545": "VORDEFINIERT\\Benutzer",
    "S-1-5-11": "NT-AUTORITÄT\\Authentifizierte Benutzer",
    "S-1-5-4": "NT-AUTORITÄT\\INTERAKTIV",
    "S-1-1-0": "Jeder",
    "S-1-3-0": "ERSTELLER-BESITZER",
}
_SHORT = {
    "S-1-5-18": "SY", "S-1-5-19": "LS", "S-1-5-20": "NS", "S-1-5-32-544": "BA", "S-1-5-32-545": "BU",
    "S-1-5-11": "AU", "S-1-5-4": "IU", "S-1-1-0": "WD", "S-1-3-0": "CO",
}  # fmt: skip
EVERYBODY = {"S-1-1-0", "S-1-5-11", "S-1-5-32-545"}
LOCAL_SERVICE = {"S-1-5-19", *EVERYBODY}
PERSON = {"S-1-5-4", *EVERYBODY}
_GRANT = re.compile(r"(?P<who>\*?[^:]+):(?P<what>(?:\([A-Za-z,]+\))*[A-Za-z]*)")
_ACE = re.compile(r"\((A|D);([A-Z]*);([A-Za-z0-9]+);;;([A-Z]{2}|S-[0-9-]+)\)")


class AclError(Exception):
    """A right, flag or descriptor is not of the form that icacls takes."""


class UnknownAccountError(Exception):
    """An account is not known under this name."""


@dataclass(frozen=True)
class Entry:
    """One access control entry.

    Attributes:
        sid: whom it is for.
        mask: the rights, as Windows' bits.
        flags: of OI, CI, IO, NP, in this order.
        deny: it takes rights away.
        inherited: it comes from a folder above.
    """

    sid: str
    mask: int
    flags: tuple[str, ...] = ()
    deny: bool = False
    inherited: bool = False


@dataclass(frozen=True)
class Acl:
    """What stands at one file or folder itself.

    Attributes:
        entries: its own entries.
        protected: nothing is inherited from above.
    """

    entries: tuple[Entry, ...] = ()
    protected: bool = False


DRIVE = Acl(
    (
        Entry("S-1-5-32-544", FULL, ("OI", "CI")),
        Entry("S-1-5-18", FULL, ("OI", "CI")),
        Entry("S-1-5-32-545", READ_EXECUTE, ("OI", "CI")),
    ),
    protected=True,
)
"""What the root of drive C: has."""


def sid(account: str) -> str:
    """Return the SID of ``*S-1-…`` or of a name in the PC's language.

    Raises:
        UnknownAccountError: for any other name.
    """
    if re.fullmatch(r"\*S-1-\d+(-\d+)+", account, re.IGNORECASE):
        return account[1:].upper()
    for known, name in NAMES.items():
        if account.casefold() in {name.casefold(), name.rpartition("\\")[2].casefold()}:
            return known
    raise UnknownAccountError(account)


def entry(text: str, *, deny: bool = False) -> Entry:
    """Read ``*S-1-5-19:(OI)(CI)M``.

    Raises:
        AclError: when it has another form.
        UnknownAccountError: for a name that isn't known.
    """
    found = _GRANT.fullmatch(text)
    if not found:
        raise AclError(text)
    groups = re.findall(r"\(([A-Za-z,]+)\)", found["what"])
    rest = re.sub(r"\([A-Za-z,]+\)", "", found["what"])
    words = {group.upper() for group in groups}
    flags = tuple(flag for flag in ("OI", "CI", "IO", "NP") if flag in words)
    rights = [part for group in [*groups, rest] for part in group.upper().split(",") if part and part not in flags]
    if not rights:
        raise AclError(text)
    mask = 0
    for right in rights:
        if right not in SIMPLE and right not in SPECIFIC:
            raise AclError(text)
        mask |= SIMPLE.get(right, SPECIFIC.get(right, 0))
    return Entry(sid(found["who"]), mask, flags, deny=deny)


def inherited(above: tuple[Entry, ...], *, is_folder: bool) -> tuple[Entry, ...]:
    """Return what a file or folder gets from the folder above it."""
    passed = []
    for one in above:
        if is_folder and ("CI" in one.flags or ("OI" in one.flags and "NP" not in one.flags)):
            flags = tuple(flag for flag in one.flags if flag != "IO") if "NP" not in one.flags else ()
            if "CI" not in one.flags:
                flags = (*flags, "IO")
            passed.append(replace(one, flags=flags, inherited=True))
        elif not is_folder and "OI" in one.flags:
            passed.append(replace(one, flags=(), inherited=True))
    return tuple(passed)


def effective(own: Acl, above: tuple[Entry, ...], *, is_folder: bool) -> tuple[Entry, ...]:
    """Return all entries that count, denials first."""
    entries = own.entries if own.protected else (*own.entries, *inherited(above, is_folder=is_folder))
    return tuple(sorted(entries, key=lambda one: (one.inherited, not one.deny)))


def granted(own: Acl, new: Entry, *, replacing: bool) -> Acl:
    """Return the list with a grant added, or put in place of the account's earlier grants."""
    kept = [one for one in own.entries if not (replacing and one.sid == new.sid and one.deny == new.deny)]
    for index, one in enumerate(kept):
        if (one.sid, one.flags, one.deny) == (new.sid, new.flags, new.deny):
            kept[index] = replace(one, mask=one.mask | new.mask)
            return replace(own, entries=tuple(kept))
    return replace(own, entries=(*kept, new))


def rights(entries: tuple[Entry, ...], who: set[str], *, passed_on: bool = False) -> str:
    """Return what a member of the groups ``who`` may do to a file, as Unix letters.

    Args:
        entries: all that count.
        who: SIDs of the account and its groups.
        passed_on: ask for the files that will be made below, instead.
    """
    mine = [one for one in entries if one.sid in who and ("OI" in one.flags if passed_on else "IO" not in one.flags)]
    allowed = denied = 0
    for one in mine:
        if one.deny:
            denied |= one.mask & ~allowed
        else:
            allowed |= one.mask & ~denied
    return "".join(letter if allowed & bit else "-" for letter, bit in (("r", 0x1), ("w", 0x2), ("x", 0x20)))


def shown(one: Entry) -> str:
    """Return an entry as icacls prints it."""
    flags = "".join(f"({flag})" for flag in (*(("I",) if one.inherited else ()), *one.flags))
    simple = next((name for name, mask in SIMPLE.items() if mask == one.mask), None)
    parts = simple or ",".join(name for name, bit in SPECIFIC.items() if not name.startswith("G") and one.mask & bit)
    return f"{NAMES.get(one.sid, one.sid)}:{flags}{'(DENY)' if one.deny else ''}({parts})"


def sddl(own: Acl, entries: tuple[Entry, ...]) -> str:
    """Return the list as icacls /save writes it."""
    parts = "".join(
        f"({'D' if one.deny else 'A'};{''.join(one.flags)}{'ID' if one.inherited else ''};"
        f"{'FA' if one.mask == FULL else hex(one.mask)};;;{_SHORT.get(one.sid, one.sid)})"
        for one in entries
    )
    return f"D:{'P' if own.protected else ''}AI{parts}"


def from_sddl(text: str) -> Acl:
    """Read what icacls /save wrote; inherited entries are left out, as the folder above still gives them.

    Raises:
        AclError: when it has another form.
    """
    found = re.fullmatch(r"D:(P?)(?:AI|AR)*((?:\([^)]*\))*)(?:S:.*)?", text.strip())
    if not found:
        raise AclError(text)
    long = {short: name for name, short in _SHORT.items()}
    entries = []
    matches = list(_ACE.finditer(found[2]))
    if sum(len(match[0]) for match in matches) != len(found[2]):
        raise AclError(text)
    for match in matches:
        kind, flags, mask, who = match.groups()
        pairs = [flags[start : start + 2] for start in range(0, len(flags), 2)]
        if "ID" not in pairs:
            bits = {"FA": FULL, "FR": READ, "FW": 0x120116, "FX": 0x1200A0}.get(mask)
            value = bits if bits is not None else int(mask, 16)
            kept = tuple(flag for flag in ("OI", "CI", "IO", "NP") if flag in pairs)
            entries.append(Entry(long.get(who, who), value, kept, deny=kind == "D"))
    return Acl(tuple(entries), protected=bool(found[1]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Access lists of Windows in SDDL, the one form of them that no language of Windows translates (MS-DTYP 2.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ACE = re.compile(r"\(([^;()]*);([^;()]*);([^;()]*);[^;()]*;[^;()]*;([^;()]*)\)")
_DACL = re.compile(r"D:([A-Z]*)((?:\([^()]*\))*)")
# What icacls calls F, M, RX and R, as SDDL names or numbers them.
_RIGHTS = {
    "FA": "full", "0X1F01FF": "full", "0X1301BF": "modify", "0X1200A9": "read and execute", "FR": "read",
    "0X120089": "read",
}  # fmt: skip
_ACCOUNTS = {
    "SY": "SYSTEM", "S-1-5-18": "SYSTEM", "BA": "Administrators", "S-1-5-32-544": "Administrators",
    "LS": "LOCAL SERVICE", "S-1-5-19": "LOCAL SERVICE", "BU": "Users", "S-1-5-32-545": "Users",
    "AU": "Authenticated Users", "WD": "Everyone", "IU": "INTERACTIVE", "CO": "CREATOR OWNER",
}  # fmt: skip


@dataclass(frozen=True)
class AccessList:
    """Who may do what with a file.

    Attributes:
        protected: nothing comes down from the folder above.
        entries: lines like "Administrators: full", "deny Users: modify"; sorted.
    """

    protected: bool
    entries: tuple[str, ...]


def access_list(sddl: str) -> AccessList:
    """Read an access list.

    Args:
        sddl: like "D:PAI(A;OICI;FA;;;SY)(A;;0x1301bf;;;LS)". Without D: nobody set one, and everybody may do anything.
    """
    found = _DACL.search(sddl)
    if found is None:
        return AccessList(False, ("Everyone: full",))
    entries = [_entry(*ace) for ace in _ACE.findall(found[2])]
    return AccessList("P" in found[1], tuple(sorted(entries)))


def _entry(kind: str, flags: str, rights: str, account: str) -> str:
    who = _ACCOUNTS.get(account.upper(), account)
    deny = "" if kind == "A" else "deny " if kind == "D" else f"{kind} "
    inherited = " (inherited)" if "ID" in flags else ""
    return f"{deny}{who}: {_RIGHTS.get(rights.upper(), rights)}{inherited}"


def saved(text: str) -> dict[str, AccessList]:
    """Read what `icacls PATH /save FILE /t` wrote: a line with the path, a line with its SDDL, and so on.

    Returns:
        By path as icacls wrote it, in lower case, for Windows ignores case.
    """
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    return {path.lower(): access_list(sddl) for path, sddl in zip(lines[::2], lines[1::2], strict=False)}

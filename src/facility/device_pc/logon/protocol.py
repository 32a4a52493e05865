# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script logon-groups.js on a PC is called with, and what it answers. Knows no network.

The script comes on standard input into a folder of the run's own, for it runs as an administrator, and is gone
afterwards. Only SIDs go with it, which mean nothing to cmd.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from ...core.sid import SID, sid_text
from ..command import Scratch
from .membership import Account, Found, LogonError

_LINE = re.compile(r"^@(domain|users|administrators|known|failed|fault|end) (\S+) ?(\S*)$")
_UTF_16 = re.compile(r"%u([0-9A-Fa-f]{4})")
_CODE = re.compile(r"[0-9a-f]{1,8}")


def command(add: Sequence[str] = (), remove: Sequence[str] = (), asked: Sequence[str] = ()) -> str:
    """Return the line of cmd that runs the script, which comes on its standard input.

    Args:
        add: SIDs that become members of Users.
        remove: SIDs that are members no more.
        asked: SIDs that the PC should tell the names of.

    Raises:
        ValueError: for what is no SID.
    """
    arguments = [f"{mark}{sid}" for mark, sids in (("+", add), ("-", remove), ("?", asked)) for sid in sids]
    wrong = [argument for argument in arguments if not SID.fullmatch(argument[1:])]
    if wrong:
        raise ValueError(f"{wrong[0][1:]!r} is no SID")
    scratch = Scratch.new()
    script = scratch.file("logon-groups.js")
    return (
        f'{scratch.make()} && findstr "^" >"{script}" && '
        f'cscript //Nologo //E:JScript "{script}" {" ".join(arguments)} & {scratch.remove()} 2>nul & ver >nul'
    )


def found(output: str) -> Found:
    """Read the script's answer; lines that are not its own are passed over.

    Raises:
        LogonError: when the script did not come to its end, or says what makes no sense.
    """
    lines = [match.groups() for line in output.splitlines() if (match := _LINE.match(line.strip()))]
    of_kind = {kind: [(subject, text) for each, subject, text in lines if each == kind] for kind, _, _ in lines}
    if "fault" in of_kind:
        code, text = of_kind["fault"][0]
        said = _text(text) or "silent"
        raise LogonError(f"the PC could not be asked for its groups (code {code}: {said}): {cure(code)}")
    if "end" not in of_kind or len(of_kind.get("domain", [])) != 1:
        raise LogonError(
            "the PC's answer about its groups broke off: is its disk full, or does a policy or a virus scanner forbid "
            "Windows Script Host?"
        )
    known = {sid: _text(name) for sid, name in of_kind.get("known", []) if SID.fullmatch(sid)}
    by_name = {name.lower(): sid for sid, name in known.items()}
    return Found(
        domain=_text(of_kind["domain"][0][1]),
        users=_accounts(of_kind.get("users", []), by_name),
        administrators=_accounts(of_kind.get("administrators", []), by_name),
        known=known,
        failed={sid: int(code, 16) for sid, code in of_kind.get("failed", []) if _CODE.fullmatch(code)},
    )


def cure(code: str) -> str:
    """Return what helps against an error of Windows.

    Args:
        code: its HRESULT in hexadecimal, in small letters.
    """
    cures = {
        "80070005": "the account that manages the PC is no administrator there: run enable-winrm.cmd on it again",
        "8007056b": "its domain does not know the group: is a domain controller in reach, and the PC's trust whole?",
        "8007056c": "Windows takes no such account into the group: is it a distribution group?",
        "80070560": "the local group is not there",
        "8007054b": "no domain controller answers the PC",
        "800706fd": "its trust is broken: leave the domain and join it again, or netdom resetpwd there",
        "80041003": "the account that manages the PC may not ask WMI there",
    }
    return cures.get(code, "look it up in Microsoft's list of error codes")


def _accounts(lines: Sequence[tuple[str, str]], by_name: Mapping[str, str]) -> tuple[Account, ...]:
    accounts = []
    for encoded, path in lines:
        name = "\\".join(_text(path).removeprefix("WinNT://").split("/")[-2:])
        try:
            sid = "" if encoded == "?" else sid_text(base64.b64decode(encoded, validate=True))
        except (ValueError, binascii.Error):
            raise LogonError(f"the PC's answer about its groups makes no sense: {encoded[:80]} is no SID") from None
        # An account that is gone has its SID for a name; a name that the PC gave to a SID is nobody else's.
        accounts.append(Account(sid or (name if SID.fullmatch(name) else by_name.get(name.lower(), "")), name))
    return tuple(accounts)


def _text(escaped: str) -> str:
    """What JScript's escape() made ASCII: %E4 is a character of Latin-1, %u20AC one of UTF-16."""
    pieces = _UTF_16.split(escaped)
    units = b"".join(
        int(piece, 16).to_bytes(2, "little")
        if at % 2
        else unquote_to_bytes(piece).decode("latin-1").encode("utf-16-le")
        for at, piece in enumerate(pieces)
    )
    return units.decode("utf-16-le", errors="replace")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the group Users of many PCs to where it should be: first who may log on is let in, then the others go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..options import endpoint
from ..together import each
from ..trouble import WinrmError, nonsense
from ..winrm import DevicePc
from .membership import Account, Found, LogonError, Steps, Wish, steps
from .protocol import command, cure, found

SECONDS = 150
"""How long a PC may take for one answer: where its domain is silent, Windows waits for it at each name anew."""
_PC_SECONDS = 4 * SECONDS
"""How long one PC may take: it is asked, told to let in, told to shut out."""


@dataclass(frozen=True)
class Done:
    """What came of one PC.

    Attributes:
        host: the PC.
        before: members of Users; empty when they are not known.
        after: who is a member now; in check mode, who would be.
        problems: a line each, with its cure.
    """

    host: str
    before: tuple[Account, ...] = ()
    after: tuple[Account, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether others are members than before."""
        return {account.sid for account in self.before} != {account.sid for account in self.after}


def converge(
    pcs: Sequence[Mapping[str, Any]],
    script: bytes,
    wanted: Callable[[Mapping[str, Any]], Wish],
    threads: int,
    *,
    check_mode: bool,
) -> dict[str, Any]:
    """Bring the group Users of many PCs to where it should be; trouble with one is reported and stops no other.

    Args:
        pcs: options of the connection, one mapping a PC.
        script: logon-groups.js.
        wanted: who should be able to log on at a PC; may raise LogonError.
        threads: how many PCs are seen to at a time.
        check_mode: only look.

    Returns:
        changed, diff, and problems: one line each, with the PC and the cure.
    """
    done = each(
        pcs,
        lambda params: converge_one(params, script, wanted, check_mode=check_mode),
        lambda params, error: Done(str(params["host"]), problems=(str(error),)),
        threads=threads,
        seconds=_PC_SECONDS,
    )
    return {
        "changed": any(one.changed for one in done),
        "diff": [
            {
                "before_header": f"{one.host}, Users",
                "after_header": f"{one.host}, Users",
                "before": _lines(one.before),
                "after": _lines(one.after),
            }
            for one in done
            if one.changed
        ],
        "problems": [problem for one in done for problem in one.problems],
    }


def converge_one(
    params: Mapping[str, Any], script: bytes, wanted: Callable[[Mapping[str, Any]], Wish], *, check_mode: bool
) -> Done:
    """Bring the group Users of one PC to where it should be; never raises, for others wait their turn."""
    host = str(params["host"])
    seen: list[Found] = []
    try:
        wish_ = wanted(params)
        with DevicePc(endpoint(params), _PC_SECONDS) as pc:
            plan = _steps(pc, script, wish_, seen, check_mode=check_mode)
    except WinrmError as error:
        return _after(host, seen, str(error))
    except LogonError as error:
        return _after(host, seen, f"{host}: {error}")
    except Exception as error:  # whatever a PC answers, it is that PC's problem
        return _after(host, seen, str(nonsense(host, error)))
    after = plan.after(seen[0].users) if check_mode else seen[-1].users
    return Done(host, seen[0].users, after, tuple(_stranger(host, account) for account in plan.strangers))


def _steps(pc: DevicePc, script: bytes, wanted: Wish, seen: list[Found], *, check_mode: bool) -> Steps:
    def ask(add: Sequence[Account] = (), remove: Sequence[Account] = ()) -> Steps:
        line = command([one.sid for one in add], [one.sid for one in remove], wanted.asked)
        seen.append(found(pc.run(line, script, SECONDS).output))
        return steps(seen[-1], wanted)

    plan = ask()
    if check_mode or not plan.changed:
        return plan
    if plan.add:
        # Whoever is to stay must be a member before anybody goes.
        left = ask(add=plan.add)
        if left.add:
            raise LogonError(f"{_not_done('added', left.add, seen[-1])}. Nobody was taken out")
    left = ask(remove=plan.remove) if plan.remove else steps(seen[-1], wanted)
    if left.changed:
        raise LogonError(_not_done("put right", (*left.add, *left.remove), seen[-1]))
    return plan


def _not_done(what: str, accounts: Sequence[Account], answer: Found) -> str:
    codes = {f"{answer.failed[account.sid]:x}" for account in accounts if account.sid in answer.failed}
    why = "; ".join(f"code {code}: {cure(code)}" for code in sorted(codes))
    names = ", ".join(account.name for account in accounts)
    return f"in Users, not {what}: {names} ({why or 'does a group policy of the domain change it back?'})"


def _after(host: str, seen: Sequence[Found], problem: str) -> Done:
    """What is known of a PC that didn't come to its end: what was changed before is told as such."""
    return Done(host, seen[0].users if seen else (), seen[-1].users if seen else (), (problem,))


def _stranger(host: str, account: Account) -> str:
    return (
        f"{host}: {account.name} may log on as well, for somebody put it into Users: list it in device_pc_logon_keep "
        "if that is meant, or in device_pc_logon_remove"
    )


def _lines(accounts: Sequence[Account]) -> str:
    return "".join(f"{account.name} ({account.sid or 'without a SID'})\n" for account in sorted(accounts, key=_by_sid))


def _by_sid(account: Account) -> tuple[str, str]:
    return account.sid, account.name

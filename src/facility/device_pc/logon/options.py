# SPDX-License-Identifier: GPL-3.0-or-later
"""From device_pc_logon's parameters to who may log on at each PC; what is wrong for all is refused at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .membership import Wish, wish

SCRIPT = "logon-groups.js"


class LogonOptionsError(Exception):
    """The parameters make no sense for any PC; the message names the cure."""


def script(programs: Path) -> bytes:
    """Return the script that runs on the PCs.

    Raises:
        LogonOptionsError: when the folder has none.
    """
    try:
        return (programs / SCRIPT).read_bytes()
    except OSError as error:
        raise LogonOptionsError(
            f"programs: {programs} has no {SCRIPT} ({error.strerror}): name the role's files"
        ) from error


def wishes(params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Wish]:
    """Return what gives the wish of one PC, which may raise LogonError.

    Raises:
        LogonOptionsError: when nobody could log on everywhere, or an account is to stay and to go.
    """
    if not params["staff"]:
        raise LogonOptionsError("staff is empty: name a group that may log on everywhere, so that nobody is locked out")
    both = sorted({name.lower() for name in params["keep"]} & {name.lower() for name in params["remove"]})
    if both:
        raise LogonOptionsError(f"keep and remove both name {', '.join(both)}: take it out of one of them")

    def wanted(pc: Mapping[str, Any]) -> Wish:
        return wish(
            pc["state"], pc["group"], params["staff"], params["sids"], keep=params["keep"], remove=params["remove"]
        )

    return wanted

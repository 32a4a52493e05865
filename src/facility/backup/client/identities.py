# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose numbers files carry: a restore on a new host gives the system's users the same ones."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable
from typing import Any


def noted(names: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """The document for identities.json, and the names that this host doesn't know."""
    users: dict[str, dict[str, Any]] = {}
    groups: dict[str, int] = {}
    unknown = []
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            entry = None
        if entry is not None:
            members = {number: _group(number) for number in os.getgrouplist(name, entry.pw_gid)}
            groups |= {group: number for number, group in members.items() if group}
            users[name] = {
                "uid": entry.pw_uid,
                "gid": entry.pw_gid,
                "home": entry.pw_dir,
                "shell": entry.pw_shell,
                "groups": sorted(group for group in members.values() if group),
            }
        try:
            groups[name] = grp.getgrnam(name).gr_gid
        except KeyError:
            if entry is None:
                unknown.append(name)
    return {"version": 1, "users": users, "groups": dict(sorted(groups.items()))}, unknown


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return ""

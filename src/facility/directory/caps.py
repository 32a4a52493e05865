# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan would take from people, and the refusal of one that takes from too many: see core/caps.py."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.caps import too_many
from ..core.plan import Attributes
from .server import DirectoryError


def refuse_many(losses: Mapping[str, str], most: int | None) -> None:
    """Refuse a plan by which too many would lose something.

    Args:
        losses: Who would lose what, in words, by name.
        most: How many may; None: any number.

    Raises:
        DirectoryError: of kind too_many, with those who would lose something.
    """
    refusal = too_many(losses, most)
    if refusal:
        raise DirectoryError("too_many", refusal)


def lost_memberships(got: Mapping[str, Attributes], wanted: Mapping[str, Attributes | None]) -> dict[str, str]:
    """Who would lose which groups, by member."""
    losses: dict[str, list[str]] = {}
    for group, before in got.items():
        after = wanted.get(group)
        kept = before.get("members") if after is not None and "members" not in after else (after or {}).get("members")
        for member in set(_names(before.get("members"))) - set(_names(kept)):
            losses.setdefault(member, []).append(group)
    return {member: ", ".join(sorted(groups)) for member, groups in losses.items()}


def closed_accounts(got: Mapping[str, Attributes], wanted: Mapping[str, Attributes | None]) -> dict[str, str]:
    """Whose account would be disabled or deleted."""
    losses = {}
    for login, before in got.items():
        after = wanted.get(login)
        if after is None:
            losses[login] = "the account itself"
        elif before.get("enabled") and not after.get("enabled", True):
            losses[login] = "the account's use"
    return losses


def _names(members: object) -> tuple[str, ...]:
    return members if isinstance(members, tuple) else ()

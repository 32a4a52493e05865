# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit for what one run may take from people: a slip of the policy must not shut out a whole facility."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.plan import Attributes
from .server import DirectoryError

_NAMED = 20


def refuse_many(losses: Mapping[str, str], most: int | None) -> None:
    """Refuse a plan by which too many would lose something.

    Args:
        losses: Who would lose what, in words, by name.
        most: How many may; None: any number.

    Raises:
        DirectoryError: of kind rejected, with those who would lose something.
    """
    if most is None or len(losses) <= most:
        return
    named = "; ".join(f"{name}: {loss}" for name, loss in sorted(losses.items())[:_NAMED])
    more = f" and {len(losses) - _NAMED} more" if len(losses) > _NAMED else ""
    raise DirectoryError(
        "rejected",
        f"{len(losses)} would lose something, and one run may take from {most} at most ({named}{more}): nothing was "
        "changed; see whether that is meant, then give most_removed a larger number for one run",
    )


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

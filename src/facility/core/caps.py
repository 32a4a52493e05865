# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit for what one run may take from people: a slip of the policy must not shut out a whole facility."""

from __future__ import annotations

from collections.abc import Mapping

_NAMED = 20


def too_many(losses: Mapping[str, str], most: int | None) -> str | None:
    """Say why a plan by which too many would lose something is refused.

    Args:
        losses: Who would lose what, in words, by name.
        most: How many may; None: any number.

    Returns:
        The refusal, with those who would lose something and the cure; None if they are few enough.
    """
    if most is None or len(losses) <= most:
        return None
    named = "; ".join(f"{name}: {loss}" for name, loss in sorted(losses.items())[:_NAMED])
    more = f" and {len(losses) - _NAMED} more" if len(losses) > _NAMED else ""
    return (
        f"{len(losses)} would lose something, and one run may take from {most} at most ({named}{more}): nothing was "
        "changed; see whether that is meant, then give most_removed a larger number for one run"
    )

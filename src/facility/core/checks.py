# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role refuses, all of it at once: from its checks the faults, each with its cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_FORMS = ({"cure", "holds"}, {"cure", "wrong"})


class ChecksError(Exception):
    """Something in a list of checks is no check; the message says which by its place, and what it must be."""


def faults(checks: Sequence[Mapping[str, object]]) -> list[str]:
    """What is wrong, in the order of the checks.

    A cure is looked at only when its check fails. Ansible renders it only then, and it may speak of what is there only
    then.

    Args:
        checks: Each has `cure`, a text, and one of `holds`, whether all is well, and `wrong`, a list of what is not.

    Returns:
        Of each check that fails the cure; what is in `wrong` stands before it, with commas between. Empty when all is
        well.

    Raises:
        ChecksError: for a check that has something else, `holds` that is not true or false, or `wrong` that is no list.
    """
    if not _is_list(checks):
        raise ChecksError(f"checks must be a list, not {type(checks).__name__}")
    found = (_fault(f"check {number}", check) for number, check in enumerate(checks, 1))
    return [fault for fault in found if fault is not None]


def _fault(place: str, check: Mapping[str, object]) -> str | None:
    if not isinstance(check, Mapping) or set(check) not in _FORMS:
        # No values: they could be passwords, or cures that can't be rendered.
        has = ", ".join(map(str, check)) if isinstance(check, Mapping) else type(check).__name__
        raise ChecksError(f"{place} must have cure and one of holds and wrong, not {has or 'nothing'}")
    if "holds" in check:
        holds = check["holds"]
        if not isinstance(holds, bool):
            raise ChecksError(f"holds of {place} must be true or false, not {type(holds).__name__}")
        return None if holds else str(check["cure"])
    wrong = check["wrong"]
    if not isinstance(wrong, Sequence) or not _is_list(wrong):
        raise ChecksError(f"wrong of {place} must be a list, not {type(wrong).__name__}")
    return f"{', '.join(map(str, wrong))} {check['cure']}" if wrong else None


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)

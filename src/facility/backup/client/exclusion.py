# SPDX-License-Identifier: GPL-3.0-or-later
"""What restic leaves out, decided the same way: a sample must hold nothing that the repository doesn't."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A leading ! takes an exclusion back, a backslash takes a letter as it is: both make two readings of one list likely.
_UNSUPPORTED = re.compile(r"^!|\\")


class ExclusionError(ValueError):
    """A pattern that can't be used, with the cure."""


class Exclusions:
    """Patterns of restic's --exclude: "/" at the front binds to the top; *, ?, [a-z] within a name; ** for any folders.

    What fits a pattern is left out, with all that lies below it.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Make the patterns ready.

        Raises:
            ExclusionError: for a pattern that this program reads in another way than restic might.
        """
        wanted = [_expression(pattern) for pattern in patterns]
        self._fits = re.compile("|".join(wanted)) if wanted else None

    def hit(self, path: str) -> bool:
        """Whether this absolute path itself is left out; who walks down asks for each folder on the way."""
        return self._fits is not None and self._fits.search(path) is not None


def _expression(pattern: str) -> str:
    if _UNSUPPORTED.search(pattern):
        raise ExclusionError(f"{pattern!r}: neither ! nor a backslash can be used: name what is left out")
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    if not parts or ".." in parts:
        raise ExclusionError(f"{pattern!r}: names nothing below a folder: write a path or a name")
    text = ""
    for part in parts:
        text += "(?:/[^/]+)*" if part == "**" else "/" + _name(part, pattern)
    return f"(?:{'^' if pattern.startswith('/') else ''}{text}$)"


def _name(part: str, pattern: str) -> str:
    text, rest = "", part
    while rest:
        letter, rest = rest[0], rest[1:]
        if letter == "*":
            text += "[^/]*"
        elif letter == "?":
            text += "[^/]"
        elif letter == "[":
            inside, closed, rest = rest.partition("]")
            if not closed or not inside.strip("^"):
                raise ExclusionError(f"{pattern!r}: a bracket is not closed, or empty: write [abc] or [a-z]")
            negated = "^" if inside.startswith("^") else ""
            text += "[" + negated + re.sub(r"([&|~^[])", r"\\\1", inside.removeprefix("^")) + "]"
        else:
            text += re.escape(letter)
    return text

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows tool is called with and what it answers; command lines split as Microsoft's C runtime splits them."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What a tool prints, and its exit code (0 to 2**32-1); ``raw`` is printed as it is, whatever the code page."""

    code: int = 0
    out: str = ""
    err: str = ""
    raw: bytes = b""


@dataclass(frozen=True)
class Call:
    """A call of a tool.

    Attributes:
        folder: the Windows folder that it was called in.
        arguments: what follows the tool's name.
        stdin: returns the whole standard input; it waits for its end.
    """

    folder: str
    arguments: list[str] = field(default_factory=list)
    stdin: Callable[[], bytes] = bytes


def split(line: str) -> list[str]:
    """Split a command line into the program and its arguments."""
    found: list[str] = []
    current: list[str] = []
    quoted = started = False
    backslashes = 0
    for letter in line:
        if letter == "\\":
            backslashes += 1
            started = True
            continue
        if letter == '"':
            current.append("\\" * (backslashes // 2))
            if backslashes % 2:
                current.append('"')
            else:
                quoted = not quoted
            started = True
        else:
            current.append("\\" * backslashes)
            if letter in " \t" and not quoted:
                if started:
                    found.append("".join(current))
                current, started = [], False
            else:
                current.append(letter)
                started = True
        backslashes = 0
    current.append("\\" * backslashes)
    if started:
        found.append("".join(current))
    return found

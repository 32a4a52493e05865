# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a line for cmd so that Wine's cmd reads it as Microsoft's does."""

import re

CMD = "C:\\windows\\system32\\cmd.exe"
_WORD = re.compile(r"[@\s]*([A-Za-z]+)")
_HAS_IF = re.compile(r"\bif\b", re.IGNORECASE)


def mended(line: str) -> str:
    """Escape the parentheses that are plain text.

    Once a line holds an ``if``, Wine's cmd takes each later parenthesis for the begin of a block, as in
    ``(if exist x del x) & icacls x /grant *S-1-5-18:(OI)F``. To Microsoft's it is one only where a command begins, or
    after a blank in ``if`` and ``for``. A closing one is plain text where no block is open.
    """
    if not _HAS_IF.search(line):
        return line
    found: list[str] = []
    quoted = False
    begin = 0
    outer: list[int] = []
    for at, letter in enumerate(line):
        escaped = _is_escaped(line, at)
        if letter == '"' and not escaped:
            quoted = not quoted
        elif quoted or escaped:
            pass
        elif letter == "(":
            if _opens(line, begin, at):
                outer.append(begin)
                begin = at + 1
            else:
                found.append("^")
        elif letter == ")":
            if outer:
                begin = outer.pop()
            else:
                found.append("^")
        elif letter in "&|":
            begin = at + 1
        found.append(letter)
    return "".join(found)


def _opens(line: str, begin: int, at: int) -> bool:
    """Return whether the parenthesis at ``at`` opens a block; its command begins at ``begin``."""
    before = line[begin:at]
    if not before.strip("@ \t,;="):
        return True
    word = _WORD.match(before)
    return word is not None and word[1].lower() in {"if", "for"} and before[-1:] in " \t"


def _is_escaped(line: str, at: int) -> bool:
    carets = len(line[:at]) - len(line[:at].rstrip("^"))
    return carets % 2 == 1

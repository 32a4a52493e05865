# SPDX-License-Identifier: GPL-3.0-or-later
"""find and findstr, whose Wine versions know half of the switches. Bytes stay as they are; lines end in CR LF."""

import re
from collections.abc import Callable

from .answers import Answer, Call
from .drive import unix_path

_FINDSTR_SWITCHES = set("bevilrxnm")


def find(call: Call) -> Answer:
    """Do what find was called for: ``find [/v] [/c] [/n] [/i] "text" [file ...]``."""
    switches = {word[1:].lower() for word in call.arguments if word.startswith("/")}
    words = [word for word in call.arguments if not word.startswith("/")]
    if not switches <= {"v", "c", "n", "i", "off", "offline"}:
        return Answer(2, err="FIND: Ungültiger Parameter\r\n")
    if not words:
        return Answer(2, err="FIND: Falsches Parameterformat\r\n")
    pattern = re.compile(re.escape(words[0].encode()), re.IGNORECASE if "i" in switches else 0)

    def matches(line: bytes) -> bool:
        # No line holds an empty text: find /v "" is how all lines are counted.
        return (bool(words[0]) and pattern.search(line) is not None) != ("v" in switches)

    return _search(call, words[1:], matches, numbered="n" in switches, counted="c" in switches, titled=True)


def findstr(call: Call) -> Answer:
    """Do what findstr was called for: regular expressions of its own, or text with /l; blanks part several."""
    letters: set[str] = set()
    wanted: list[str] = []
    words: list[str] = []
    literal_text: list[str] = []
    for word in call.arguments:
        if word[:3].lower() == "/c:":
            literal_text.append(word[3:])
        elif word.startswith("/") and set(word[1:].lower()) <= _FINDSTR_SWITCHES:
            letters |= set(word[1:].lower())
        elif word.startswith("/"):
            return Answer(2, err=f"FINDSTR: {word} wird ignoriert\r\nFINDSTR: Falsche Befehlszeile\r\n")
        else:
            words.append(word)
    if literal_text:
        wanted = literal_text
    elif words:
        wanted = words.pop(0).split()
    if not wanted:
        return Answer(2, err="FINDSTR: Falsche Befehlszeile\r\n")
    as_text = "l" in letters or ("r" not in letters and bool(literal_text))
    parts = [re.escape(text) if as_text else expression(text) for text in wanted]
    whole = "|".join(f"(?:{part})" for part in parts)
    front = "^" if letters & {"b", "x"} else ""
    back = "$" if letters & {"e", "x"} else ""
    pattern = re.compile(f"{front}(?:{whole}){back}".encode(), re.IGNORECASE if "i" in letters else 0)

    def matches(line: bytes) -> bool:
        return (pattern.search(line) is None) == ("v" in letters)

    return _search(call, words, matches, numbered="n" in letters, counted=False, titled=False)


def expression(text: str) -> str:
    r"""Return findstr's regular expression as Python's: it knows . * ^ $ [class], and \ before a letter."""
    found = ""
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            after = next(letters, "\\")
            found += r"\b" if after in "<>" else re.escape(after)
        elif letter == "[":
            inside = ""
            for one in letters:
                if one == "]":
                    break
                inside += f"\\{one}" if one in "\\[&|~" else one
            found += f"[{inside}]"
        else:
            found += letter if letter in ".*^$" else re.escape(letter)
    return found


def _search(
    call: Call, names: list[str], matches: Callable[[bytes], bool], *, numbered: bool, counted: bool, titled: bool
) -> Answer:
    out, total = bytearray(), 0
    for name in names or [""]:
        try:
            data = unix_path(name, call.folder).read_bytes() if name else call.stdin()
        except (OSError, ValueError):
            return Answer(2 if titled else 1, err=f"Datei nicht gefunden - {name.upper()}\r\n")
        lines = data.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n") if data else []
        hits = [(number, line) for number, line in enumerate(lines, 1) if matches(line)]
        total += len(hits)
        if titled and name:
            out += f"\r\n---------- {name.upper()}".encode() + (b"" if counted else b"\r\n")
        if counted:
            out += (b": " if name else b"") + f"{len(hits)}\r\n".encode()
            continue
        for number, line in hits:
            prefix = f"{name}:" if len(names) > 1 and not titled else ""
            mark = (f"[{number}]" if titled else f"{number}:") if numbered else ""
            out += f"{prefix}{mark}".encode() + line + b"\r\n"
    return Answer(0 if total else 1, raw=bytes(out))

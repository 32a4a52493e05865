# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file's name says, and which name it gets. No I/O."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from . import families

# ext4, XFS and OMERO's own repository: bytes, not characters.
NAME_BYTES = 255
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SUFFIX = re.compile(r"\*(\.[^.*?\[\]]+)")
# What can be a file format's ending, so that "image.tif.done" belongs to "image.tif", but "v1.2.done" to "v1.2".
_FORMAT = re.compile(r".+\.(h5|[A-Za-z][A-Za-z0-9]{2,4})")
# OMERO.dropbox neither watches nor imports a folder with the first in its name, and cuts the second out of every name
# (fsPyinotifyMonitor.py, process_default).
_MISREAD = ("untitled folder", "-unknown-path")


class Globs:
    """Shell patterns without regard to case; one that begins with "!" takes names out again."""

    def __init__(self, patterns: Iterable[str], exactly: Iterable[str] = ()) -> None:
        """Args: exactly are names that are meant as they stand."""
        self._exactly = frozenset(exactly)
        patterns = tuple(patterns)
        self.patterns = patterns
        self._suffixes = frozenset(m[1].lower() for p in patterns if (m := _SUFFIX.fullmatch(p)))
        self._others = _either(p for p in patterns if not p.startswith("!") and not _SUFFIX.fullmatch(p))
        self._not = _either(p[1:] for p in patterns if p.startswith("!"))

    def __call__(self, name: str) -> bool:
        """Whether the name is meant."""
        dot = name.rfind(".")
        meant = dot >= 0 and name[dot:].lower() in self._suffixes
        if not meant and self._exactly:
            meant = name in self._exactly
        if not meant and self._others:
            meant = self._others.match(name) is not None
        return meant and not (self._not and self._not.match(name))

    def without_suffix(self, name: str) -> str:
        """The name without an ending that a pattern like *.part describes; the same name if it has none."""
        dot = name.rfind(".")
        return name[:dot] if dot > 0 and name[dot:].lower() in self._suffixes else name


def _either(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(fnmatch.translate(pattern) for pattern in patterns)
    return re.compile(joined, re.IGNORECASE) if joined else None


def stem(name: str, partial: Globs, sentinel: Globs, *, folder: bool = False) -> str:
    """The name of the set that an entry belongs to: image.ics, image.ids and the folder _image_ are "image".

    A file in transfer counts as what it will be called ("image.ids.part"), a sentinel as what it speaks of
    ("image.ids.done").
    """
    if not folder:
        name = partial.without_suffix(name)
        spoken_of = sentinel.without_suffix(name)
        if spoken_of != name and _FORMAT.fullmatch(spoken_of):
            name = spoken_of
    return families.stem(name, folder=folder)


def unfit(name: str, *, folder: bool = False) -> bool:
    """Whether OMERO can't take a name: OMERO.dropbox dies of bytes that are no UTF-8, and reads lists by lines."""
    # It strips those lines.
    if not folder and name != name.rstrip():
        return True
    if name.isascii() and name.isprintable():
        return False
    return any("\udc80" <= c <= "\udcff" or c < " " or c in "\x7f\x85\u2028\u2029" for c in name)


def misread(name: str) -> bool:
    """Whether OMERO.dropbox takes the name for another one, where it hears of it by an event of its own.

    What lies in a folder that arrives whole is found by walking, under its right name.
    """
    return any(wrong in name for wrong in _MISREAD)


def printable(name: str) -> str:
    """The name as text that can be written anywhere, without bytes that are no UTF-8, and without line ends."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def listed(paths: Sequence[str], most: int = 20) -> str:
    """The first paths in quotes, and how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(f'"{printable(path)}"' for path in sorted(paths)[:most]) + more


def fresh(name: str) -> Iterator[str]:
    """Names for a set's own folder in DropBox, best first: "set", "set (2)"; each fits into a directory entry.

    No file and no folder within the set is ever renamed: image formats find their parts by name.
    """
    for wrong in _MISREAD:
        name = name.replace(wrong, wrong.replace(" ", "_").replace("-", "_"))
    # OMERO strips the lines in which it lists its files.
    name = name.strip()
    name = "unnamed" if name in {"", ".", ".."} else name
    number = 1
    while True:
        mark = f" ({number})" if number > 1 else ""
        yield cut(name, NAME_BYTES - len(mark.encode())) + mark
        number += 1


def cut(text: str, size: int) -> str:
    """The text's beginning in at most this many bytes of UTF-8, never ending in half a character or a blank."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= size else encoded[:size].decode("utf-8", "ignore").rstrip()

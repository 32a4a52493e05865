# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a set waits or was put aside, in words for the person whose set it is.

In a text, {detail} is the file that is meant, or what else makes the case clear.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The codes that log, state and metrics use."""

    # Waiting in the person's folder.
    RECENT = "recent"
    WRITER = "writer"
    HOLES = "holes"
    PARTIAL = "partial"
    SENTINEL = "sentinel"
    INCOMPLETE = "incomplete"
    READER = "reader"
    PIECES = "pieces"
    TOO_MANY = "too_many"
    QUEUED = "queued"
    AGAIN = "again"
    FULL = "full"
    NOTHING = "nothing"
    UNREADABLE = "unreadable"
    UNLEASABLE = "unleasable"
    OMERO_DOWN = "omero_down"
    NOT_WATCHED = "not_watched"
    STUCK = "stuck"
    ROOTS = "roots"
    # Put aside.
    SYMLINK = "symlink"
    SPECIAL = "special"
    HARD_LINK = "hard_link"
    FOREIGN = "foreign"
    OTHER_DISK = "other_disk"
    NAME = "name"
    DEPTH = "depth"
    EMPTY_FILES = "empty_files"
    NO_FORMAT = "no_format"
    NOT_IMPORTED = "not_imported"
    PART = "part"
    ALREADY = "already"
    ORPHAN = "orphan"


# They go on by themselves; nobody need do anything.
HARMLESS = frozenset({
    Reason.RECENT, Reason.WRITER, Reason.READER, Reason.SENTINEL, Reason.OMERO_DOWN, Reason.NOT_WATCHED,
    Reason.QUEUED, Reason.FULL,
})  # fmt: skip

_AGAIN = "Put it back into your folder"
TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.RECENT: ("it was changed a moment ago", "Nothing to do: it goes on by itself."),
    Reason.WRITER: (
        '"{detail}" is still being written',
        "Nothing to do while the copy runs. Otherwise close the program that has the file open.",
    ),
    Reason.HOLES: (
        '"{detail}" has gaps, as if its copy had broken off',
        "If it did, copy the file again over it, or delete it. If it is whole: after a day OMERO gets it as it is.",
    ),
    Reason.READER: ('"{detail}" is open in a program', "Nothing to do: after some minutes it goes on all the same."),
    Reason.PIECES: (
        '"{detail}" is an image in thousands of small files, which drive X can\'t give to OMERO',
        "Export it as OME-TIFF, or ask the facility to import it.",
    ),
    Reason.TOO_MANY: (
        "it has {detail} files that may belong together, and everybody would have to wait for them",
        "Put it into your folder in smaller folders, or ask the facility to import it.",
    ),
    Reason.AGAIN: (
        "OMERO has the same data already, as {detail}",
        "Delete it. To import it all the same, give it another name.",
    ),
    Reason.FULL: (
        "the disk for images is nearly full ({detail})",
        "The facility must make room; it goes on by itself afterwards.",
    ),
    Reason.QUEUED: (
        "it waits for its turn, as number {detail} of its person's",
        "Nothing to do: it goes on by itself.",
    ),
    Reason.PARTIAL: (
        '"{detail}" is the name of a file in transfer',
        "Let the transfer end. If it was broken off, copy the file again and delete this one.",
    ),
    Reason.SENTINEL: (
        "the instrument has not yet said that it is complete ({detail})",
        "Let the acquisition end. If it was broken off, create an empty file of that name in it.",
    ),
    Reason.INCOMPLETE: (
        "{detail}, and is no image by itself",
        "Copy what is missing beside it. After a day OMERO gets it as it is.",
    ),
    Reason.NOTHING: ("there is nothing in it yet", "Put files into it, or delete it."),
    Reason.UNREADABLE: ('"{detail}" can\'t be read by the import service', "Ask the facility to mend its permissions."),
    Reason.UNLEASABLE: ('nobody can tell whether "{detail}" is still being written', "Tell the facility's IT."),
    Reason.OMERO_DOWN: ("OMERO's import service is not running", "Nothing to do: it goes on by itself afterwards."),
    Reason.NOT_WATCHED: ("OMERO's import service does not watch your folder yet", "If this stays, tell the facility."),
    Reason.STUCK: ("it can't be moved ({detail})", "Tell the facility's IT."),
    Reason.ROOTS: ("your folder is not yet yours: it belongs to root", "Tell the facility's IT."),
    Reason.SYMLINK: ('"{detail}" is a link to another place', f"{_AGAIN} with the files themselves."),
    Reason.SPECIAL: ('"{detail}" is neither a file nor a folder', f"{_AGAIN} without it."),
    Reason.HARD_LINK: ('"{detail}" is the same file as another one elsewhere', f"{_AGAIN} as a copy."),
    Reason.FOREIGN: ('"{detail}" belongs to somebody else', f"{_AGAIN} as your own copy."),
    Reason.OTHER_DISK: ('"{detail}" lies on another disk', f"{_AGAIN} as a copy."),
    Reason.NAME: ('OMERO can\'t take the name "{detail}"', f"{_AGAIN} under another name of ordinary letters."),
    Reason.DEPTH: ('"{detail}" lies too deep in folders', f"{_AGAIN} with fewer folders in folders."),
    Reason.EMPTY_FILES: ('its files are empty (0 bytes), like "{detail}"', "Export or copy them again."),
    Reason.NO_FORMAT: ('OMERO knows no format for "{detail}"', "Keep such files elsewhere, or beside their images."),
    Reason.NOT_IMPORTED: (
        "OMERO did not import {detail} in several attempts",
        "Open it with the instrument's program. If it is good, tell the facility: OMERO may not know its format.",
    ),
    Reason.PART: (
        "{detail}",
        "What OMERO has needs nothing more. Keep the others elsewhere, or tell the facility if they are images.",
    ),
    Reason.ALREADY: (
        "OMERO imported these while they were taken back for another attempt: {detail}",
        "Look into OMERO: what is there needs nothing more; put the others into your folder again.",
    ),
    Reason.ORPHAN: (
        "the import service lost its notes about it",
        f"Look into OMERO. If it isn't there: {_AGAIN[0].lower()}{_AGAIN[1:]}.",
    ),
}


def explanation(reason: str, detail: str) -> tuple[str, str]:
    """What is the matter, and what to do, as two sentences without and with a full stop."""
    what, cure = TEXTS[Reason(reason)]
    return what.format(detail=detail), cure

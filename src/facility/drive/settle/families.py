# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files and folders of one place are one image: what image formats call their parts. Data and pure functions.

The names are those that Bio-Formats looks for (https://docs.openmicroscopy.org/bio-formats/ "dataset structure"). Names
are compared as Windows does, without regard to case.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TOGETHER = "*"
"""The key of the set that a gathering head makes; no entry of a share can have this name."""


@dataclass(frozen=True, slots=True)
class Family:
    """A format that keeps one image in several files.

    Attributes:
        name: as people know the format.
        heads: patterns of the files that an image is opened by.
        files, folders: patterns of what goes with a head; {name} is the head's name, {stem} that without its ending.
        gathers: whether its parts have names that say nothing of the head: all that fit in the same place go with it.
        needed: whether a head without any part is an image that lost them on the way.
        orphans: patterns of files that are nothing without a head.
    """

    name: str
    heads: tuple[str, ...]
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    gathers: bool = False
    needed: bool = True
    orphans: tuple[str, ...] = ()

    @property
    def parts(self) -> str:
        """The parts in words."""
        return " or ".join([f'folder "{name}"' for name in self.folders] + [f'"{name}"' for name in self.files])


FAMILIES = (
    Family("Olympus cellSens", ("*.vsi",), folders=("_{stem}_",)),
    Family("MetaMorph", ("*.nd",), files=("{stem}_*.stk", "{stem}_*.tif", "{stem}_*.tiff")),
    Family("Olympus FluoView", ("*.oif",), folders=("{name}.files",), orphans=("*.oif.files",)),
    Family("3DHISTECH MIRAX", ("*.mrxs",), folders=("{stem}",)),
    Family("Image Cytometry Standard", ("*.ics",), files=("{stem}.ids",), needed=False, orphans=("*.ids",)),
    Family("Volocity", ("*.mvd2",), files=("*.aisf", "*.aiix", "*.atsf", "*.dat"), folders=("Data",), gathers=True),
    Family("GE InCell", ("*.xdce",), files=("*.tif", "*.tiff", "*.xml", "*.jpg"), gathers=True),
    Family("OME-TIFF, companion file", ("*.companion.ome",), files=("*.tif", "*.tiff", "*.tf2", "*.btf"), gathers=True),
    Family("Leica LEI", ("*.lei",), files=("*.tif", "*.tiff"), gathers=True),
    Family(
        "Leica XLEF", ("*.xlef",), files=("*.lof", "*.xlif", "*.xlcf", "*.tif", "*.tiff"), folders=("Metadata",),
        gathers=True,
    ),
    Family("Zeiss LSM database", ("*.mdb",), files=("*.lsm",), gathers=True),
    Family(
        "Micro-Manager", ("*_MMStack*.tif", "*_NDTiffStack*.tif"),
        files=("*_MMStack*", "*_NDTiffStack*", "NDTiff.index", "DisplaySettings.json", "*_metadata.txt",
               "display_and_comments.txt", "comments.txt"),
        gathers=True, needed=False,
    ),
)  # fmt: skip

# What is cut from a name so that the parts of one image have one stem.
_ENDINGS = (
    # OME-TIFF, OME-XML.
    re.compile(r"(.+)\.ome\.(tiff?|tf[28]|btf|xml)", re.IGNORECASE),
    # The parts of one CZI: "a.czi", "a (1).czi".
    re.compile(r"(.+?)(?: \(\d+\))?\.czi", re.IGNORECASE),
    # MetaMorph: "a.nd", "a_w1DAPI_s1_t3.stk"; a TIFF only with its wavelength.
    re.compile(r"(.+?)(?:_w\d+[^_]*)?(?:_s\d+)?(?:_t\d+)?\.stk", re.IGNORECASE),
    re.compile(r"(.+?)_w\d+[^_]*(?:_s\d+)?(?:_t\d+)?\.tiff?", re.IGNORECASE),
)
_FOLDERS = (re.compile(r"_(.+)_"), re.compile(r"(.+)\.oif\.files", re.IGNORECASE))


# Formats of which each file is an image by itself, whatever lies beside it.
_APART = frozenset({
    ".bmp", ".czi", ".dv", ".gif", ".ims", ".jpeg", ".jpg", ".lif", ".lsm", ".nd2", ".ndpi", ".oib", ".png", ".qptiff",
    ".scn", ".svs", ".tif", ".tiff", ".zvi",
})  # fmt: skip
_PART_OF_CZI = re.compile(r".* \(\d+\)\.czi", re.IGNORECASE)


def apart(name: str) -> bool:
    """Whether the file is an image by itself, whatever lies beside it."""
    dot = name.rfind(".")
    if dot < 0 or name[dot:].lower() not in _APART or _PART_OF_CZI.fullmatch(name):
        return False
    # Such a TIFF may speak of others.
    return ".ome." not in name.lower() and not gathering([name])


def fold(name: str) -> str:
    """The name as Windows compares it; also the two ways to write an umlaut are one."""
    return unicodedata.normalize("NFC", name).casefold()


def stem(name: str, *, folder: bool) -> str:
    """What the parts of one image have in common: image.ics and image.ids are "image", so is the folder _image_."""
    for pattern in _FOLDERS if folder else _ENDINGS:
        if match := pattern.fullmatch(name):
            return match[1]
    dot = name.rfind(".")
    return name if folder or dot <= 0 else name[:dot]


def gathering(names: Iterable[str]) -> list[Family]:
    """The families whose heads are among these files and take all that fits in their place."""
    folded = [fold(name) for name in names]
    return [family for head, family in _GATHERING if any(map(head.fullmatch, folded))]


def takes(families: Iterable[Family], name: str, *, folder: bool) -> bool:
    """Whether one of these gathering families takes an entry of its place."""
    return any(
        fnmatch.fnmatchcase(fold(name), fold(pattern))
        for family in families
        for pattern in ((family.folders if folder else family.files) if family.gathers else ())
    )


def may_lack(name: str) -> bool:
    """Whether the name is one to ask lacking() about; quick, for it is asked of each file."""
    dot = name.rfind(".")
    return dot >= 0 and name[dot:].lower() in _ASKED


def lacking(entries: Mapping[str, bool]) -> tuple[str, str] | None:
    """The first image of which a part is missing: the file, and what it needs; None if all is there.

    Args:
        entries: what lies in one place, each name with whether it is a folder.
    """
    folded = {fold(name): folder for name, folder in entries.items()}
    for name in sorted(entries):
        for family in FAMILIES:
            if _one_of(name, family.heads) and not entries[name]:
                if family.needed and not _has_part(family, name, folded):
                    return name, _filled(family.parts, name)
            elif _one_of(name, family.orphans):
                own = stem(name, folder=entries[name])
                if not any(fold(own) + fold(head[1:]) in folded for head in family.heads):
                    return name, f'"{own}{family.heads[0][1:]}"'
    return None


def _has_part(family: Family, head: str, folded: Mapping[str, bool]) -> bool:
    wanted = [(fold(_filled(pattern, head, fnmatch_safe=True)), True) for pattern in family.folders]
    wanted += [(fold(_filled(pattern, head, fnmatch_safe=True)), False) for pattern in family.files]
    return any(
        is_folder == folder and fnmatch.fnmatchcase(name, pattern)
        for pattern, folder in wanted
        for name, is_folder in folded.items()
        if name != fold(head)
    )


def _filled(pattern: str, head: str, *, fnmatch_safe: bool = False) -> str:
    own = head.rpartition(".")[0]
    if fnmatch_safe:
        head, own = _escaped(head), _escaped(own)
    return pattern.replace("{stem}", own).replace("{name}", head)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _one_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(fold(name), fold(pattern)) for pattern in patterns)


_GATHERING = [
    (re.compile(fnmatch.translate(fold(head))), family)
    for family in FAMILIES
    if family.gathers
    for head in family.heads
]
# Endings of the heads that need a part, and of orphans.
_ASKED = frozenset(
    fold(pattern[pattern.rindex(".") :])
    for family in FAMILIES
    for pattern in (*(family.heads if family.needed else ()), *family.orphans)
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as an image here: what Pillow reads, ICS pairs, MetaMorph's .nd. Bio-Formats knows a hundred more."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

_SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".gif", ".bmp"}


class UnknownFormatError(Exception):
    """No reader fits."""


@dataclass(frozen=True)
class Image:
    """One image of a fileset; sizes in pixels."""

    name: str
    width: int
    height: int
    channels: int


def group(paths: list[Path]) -> list[list[Path]]:
    """Return the filesets that the files make: those of one image together; what no reader knows is left out."""
    found: list[list[Path]] = []
    planes = {head: _planes(head) for head in paths if head.suffix.lower() == ".nd"}
    found += [[head, *parts] for head, parts in sorted(planes.items()) if parts]
    taken = {part for parts in planes.values() for part in parts}
    for path in sorted(set(paths) - taken):
        suffix = path.suffix.lower()
        if suffix == ".ics" and path.with_suffix(".ids").exists():
            found.append([path, path.with_suffix(".ids")])
        elif suffix in _SUFFIXES and _readable(path):
            found.append([path])
    return found


def read(files: list[Path]) -> list[Image]:
    """Return the images of one fileset, its leading file first.

    Raises:
        UnknownFormatError: when the file is none of ours, or is broken.
    """
    first = files[0]
    if first.suffix.lower() == ".nd":
        # The planes of one image, which has the head's name.
        plane = read(files[1:2])[0]
        return [Image(first.name, plane.width, plane.height, len(files) - 1)]
    if first.suffix.lower() == ".ics":
        return [Image(first.name, 1, 1, 1)]
    try:
        with PIL.Image.open(first) as image:
            image.load()
            return [Image(first.name, image.width, image.height, len(image.getbands()))]
    except (OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise UnknownFormatError(f"{first.name}: {error}") from error


def _planes(head: Path) -> list[Path]:
    """Return the files that a MetaMorph head finds beside it by its own name: nothing else makes them its planes."""
    return sorted(path for path in head.parent.glob("*.tif") if path.name.startswith(f"{head.stem}_w"))


def sha1(path: Path) -> str:
    """Return a file's SHA-1 in hexadecimal, OMERO's default checksum."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def _readable(path: Path) -> bool:
    try:
        with PIL.Image.open(path):
            return True
    except (OSError, SyntaxError, PIL.Image.DecompressionBombError):
        return False

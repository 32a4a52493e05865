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
    """Return the filesets that the files make; what no reader knows is left out.

    Whichever file of an image is named, all of it is found, as Bio-Formats looks beside each file: OMERO.dropbox asks
    about a few files at a time, wherever its batch ends.
    """
    found: dict[Path, list[Path]] = {}
    for path in sorted(set(paths)):
        head = _head(path)
        suffix = head.suffix.lower()
        if suffix == ".nd":
            if parts := _planes(head):
                found[head] = [head, *parts]
        elif suffix == ".ics":
            if head.with_suffix(".ids").exists():
                found[head] = [head, head.with_suffix(".ids")]
        elif suffix in _SUFFIXES and _readable(head):
            found[head] = [head]
    return list(found.values())


def _head(path: Path) -> Path:
    """Return the file that names the image to which a file belongs; itself, if it stands alone."""
    if path.suffix.lower() == ".ids" and path.with_suffix(".ics").exists():
        return path.with_suffix(".ics")
    if path.suffix.lower() == ".tif":
        heads = (head for head in path.parent.glob("*.nd") if path.name.startswith(f"{head.stem}_w"))
        return max(heads, key=lambda head: len(head.stem), default=path)
    return path


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

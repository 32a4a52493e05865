# SPDX-License-Identifier: GPL-3.0-or-later
"""By what the same data is known again: names, sizes and samples of the contents. Reads little of large files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence

from . import folders
from .leases import OPEN

_BLOCK = 16384
# So many samples are read of each file, of large sets fewer; camera noise makes any of them differ.
_SAMPLES = 16
_READ_AT_MOST = 64 << 20


def digest(root: int, place: Sequence[str], names: Sequence[str]) -> str:
    """What two sets have in common if they hold the same data under the same names.

    Args:
        root: descriptor of incoming.
        place: login, and shelf if there is one.
        names: the set's entries.

    Returns:
        A digest in hexadecimal digits; "" if the set can't be read.
    """
    found = hashlib.blake2b(digest_size=20)
    try:
        with folders.open_folder(root, *place) as folder:
            files = sorted(_files(folder, names))
            samples = max(1, min(_SAMPLES, _READ_AT_MOST // (_BLOCK * max(1, len(files)))))
            for path, below, size in files:
                found.update(f"{path}\0{size}\0".encode("utf-8", "surrogateescape"))
                for block in _read(folder, below, size, samples):
                    found.update(block)
    except OSError:
        return ""
    return found.hexdigest()


def _files(folder: int, names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...], int]]:
    for name in names:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            for path, inner in folders.files_below(folder, name):
                yield f"{name}/{path}", (name, *path.split("/")), inner.st_size
        else:
            yield name, (name,), status.st_size


def _read(folder: int, parts: Sequence[str], size: int, samples: int) -> Iterator[bytes]:
    with folders.open_folder(folder, *parts[:-1]) as place:
        descriptor = os.open(parts[-1], OPEN, dir_fd=place)
        try:
            if size <= samples * _BLOCK:
                yield os.pread(descriptor, size, 0)
                return
            for number in range(samples):
                yield os.pread(descriptor, _BLOCK, (size - _BLOCK) * number // max(1, samples - 1))
        finally:
            os.close(descriptor)

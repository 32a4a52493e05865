# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wrote: one line a file, the only thing that the checker knows of the writers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """One file.

    Attributes:
        login: whose.
        set: which set it belongs to, unique in a run.
        name: for messages.
        sha256: of its whole content as it was meant.
        state: "begun" when it was made; "complete" when its writer is done with it.
        sort: "image"; "companion" and "empty" are never imported; "refused" must never reach DropBox.
    """

    login: str
    set: str
    name: str
    sha256: str
    state: str = "begun"
    sort: str = "image"


class Manifest:
    """Appends to a file with one write a line, so that a writer may be killed at any moment."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def add(self, written: Written) -> None:
        os.write(self._descriptor, json.dumps(asdict(written)).encode() + b"\n")


def read(file: Path) -> list[Written]:
    """The last line about each file counts."""
    files = {}
    if file.exists():
        for line in file.read_text().splitlines():
            written = Written(**json.loads(line))
            files[written.set, written.name, written.sha256] = written
    return list(files.values())

# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files shared with the DropBox monitor; their meaning is in the package's docstring."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...core.replace_file import replace_file
from .decisions import Report

log = logging.getLogger("settle")
SILENCE = Report(time=0)


class MonitorFiles:
    """Reads the report when it has changed, writes the questions when they have."""

    def __init__(self, monitor_file: Path, asked_file: Path) -> None:
        self._monitor_file = monitor_file
        self._asked_file = asked_file
        self._seen: tuple[int, int, int] | None = None
        self._asked: bytes | None = None
        self.report = SILENCE

    def read(self) -> bool:
        """Take in the report; whether there is a new one. No report, and one that makes no sense, is silence."""
        try:
            with self._monitor_file.open("rb") as file:
                status = os.fstat(file.fileno())
                seen = (status.st_ino, status.st_mtime_ns, status.st_size)
                if seen == self._seen:
                    return False
                report = parsed(json.load(file))
        except FileNotFoundError:
            seen, report = (0, 0, 0), SILENCE
            if seen == self._seen:
                return False
        except (OSError, ValueError, RecursionError) as error:
            seen, report = (1, 0, 0), SILENCE
            if seen == self._seen:
                return False
            log.warning("%s: can't be used, so OMERO counts as down: %s", self._monitor_file, error)
        self._seen = seen
        self.report = report
        return True

    def ask(self, sets: Iterable[str]) -> bool:
        """Name the sets that are to be looked up; whether the file was written."""
        content = json.dumps({"sets": sorted(sets)}).encode()
        if content == self._asked:
            return False
        replace_file(self._asked_file, content + b"\n", sync=False)
        self._asked = content
        return True


def parsed(document: object) -> Report:
    """The report in a JSON document.

    Raises:
        ValueError: If it has another shape; then nothing in it is trusted.
    """
    if not isinstance(document, dict):
        raise ValueError("the report is no object")  # noqa: TRY004 - as json.load does
    values: dict[str, Any] = document
    alive = values.get("alive")
    if not isinstance(alive, bool):
        raise ValueError("alive is missing or no truth value")  # noqa: TRY004
    imported = values.get("imported", {})
    if not isinstance(imported, dict):
        raise ValueError("imported is no object")  # noqa: TRY004
    return Report(
        time=_number(values.get("time")),
        alive=alive,
        since=_number(values.get("since", 0)),
        watching=_texts(values.get("watching", [])),
        importing=_texts(values.get("importing", [])),
        imported={key: _texts(files) for key, files in imported.items()},
    )


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("time or since is missing or no number")


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts is something else")
    return frozenset(value)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What OMERO made of the sets that it was given: done, still at it, or missed and to be taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from . import folders, leases
from .config import Config
from .decisions import Report, missing, overlooked, worth_a_look
from .leases import Finding
from .state import Record, replace
from .transitions import Roots
from .workload import Workload


def new_id(login: str) -> str:
    """A name for a set's folder in staging."""
    return f"{login}~{secrets.token_hex(8)}"


class Review:
    """Compares offered sets with the DropBox monitor's reports. Changes nothing on the disk."""

    def __init__(self, config: Config, roots: Roots, is_companion: Callable[[str], bool], workload: Workload) -> None:
        self._config = config
        self._roots = roots
        self._is_companion = is_companion
        self._workload = workload

    def outcome(  # noqa: PLR0911 - a list of cases
        self, record: Record, report: Report, wall: float
    ) -> list[Record] | None:
        """What becomes of one offered set.

        Returns:
            The records to be written: [] if nothing has changed; a partly imported set gives two, what OMERO has (done)
            and what is to be taken back. None: the set is gone from DropBox.
        """
        passed = self._workload.passed(record)
        if any(path.startswith(f"{record.key}/") or path == record.key for path in report.importing):
            self._workload.at_work(record)
        if not worth_a_look(
            report, self._config, key=record.key, files=record.files, offered_at=record.offered_at, passed=passed
        ):
            return self._progressed(record, report)
        count = len(report.imported[record.key])
        late = passed or overlooked(report, record.offered_at, self._config)
        if count == record.progress and count and not late:
            return []
        expected = self._expected(record)
        if expected is None:
            return None
        absent, at_work = missing(report, record.key, expected, file=record.kind == "file")
        if not absent:
            return [self._imported(record, report, wall, len(expected))]
        if at_work or not late or count > record.progress:
            return self._progressed(record, report)
        if not self._unused(record, absent):
            return []
        # An offer that OMERO.dropbox never came to before it was started anew is no attempt.
        record = replace(record, fair=passed or self._workload.begun(record))
        if len(absent) == len(expected):
            return [replace(record, state="recalling", since=wall, missed=())]
        # What OMERO has stays where it is; the rest goes its own way from here.
        there = len(expected) - len(absent)
        rest = replace(
            record, id=new_id(record.login), state="recalling", since=wall, missed=tuple(absent), source=record.asked,
            files=len(absent), siblings=there, piecewise=False, content="",
        )  # fmt: skip
        # Not all of the data was imported: the same again is no repetition.
        return [self._imported(replace(record, content=""), report, wall, there), rest]

    def _imported(self, record: Record, report: Report, wall: float, count: int) -> Record:
        """The set after OMERO has imported all that it was given: done, or with more to be given."""
        more = record.piecewise and folders.exists(self._roots.staging, record.id)
        if more:
            return replace(record, state="offering", since=wall, progress=count, progress_at=report.time)
        return replace(record, state="done", since=wall, progress=count)

    @staticmethod
    def _progressed(record: Record, report: Report) -> list[Record]:
        count = len(report.imported.get(record.key, ()))
        if count <= record.progress:
            return []
        return [replace(record, progress=count, progress_at=report.time)]

    def _expected(self, record: Record) -> list[str] | None:
        """The files of the set that OMERO should import, relative to the set."""
        try:
            with folders.open_folder(self._roots.dropbox, record.login) as box:
                if not folders.is_folder(box, record.asked):
                    return [record.asked] if folders.exists(box, record.asked) else None
                return [
                    path
                    for path, status in folders.files_below(box, record.asked)
                    if status.st_size and not self._is_companion(path.rpartition("/")[2])
                ]
        except FileNotFoundError:
            return None

    def _unused(self, record: Record, paths: list[str]) -> bool:
        """Whether nobody reads any of these files: an import that the DropBox monitor did not see would."""
        try:
            with folders.open_folder(self._roots.dropbox, record.login) as box:
                if not folders.is_folder(box, record.asked):
                    return leases.unused(box, record.asked) is Finding.FINE
                for path in paths:
                    *parts, name = path.split("/")
                    with folders.open_folder(box, record.asked, *parts) as folder:
                        if leases.unused(folder, name) is not Finding.FINE:
                            return False
        except FileNotFoundError:
            return False
        return True

# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in a person's folder that says what waits, what was put aside, why, and what to do."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import folders
from .incoming import NOTICE
from .names import printable
from .reasons import explanation

log = logging.getLogger("settle")


@dataclass(frozen=True, slots=True)
class Problem:
    """One set that a person must hear of; since is epoch seconds, place is where it lies if not in the folder."""

    name: str
    since: float
    reason: str
    detail: str
    place: str = ""


def text(problems: Iterable[Problem]) -> str:
    """The whole notice; "" if there is nothing to tell."""
    ordered = sorted(problems, key=lambda problem: (problem.since, problem.name))
    waiting = [problem for problem in ordered if not problem.place]
    aside = [problem for problem in ordered if problem.place]
    if not ordered:
        return ""
    lines = ["The import into OMERO writes this file, and removes it when all is well.", ""]
    if waiting:
        lines += ["WAITING, not yet in OMERO", ""]
        lines += [line for problem in waiting for line in _lines(problem)]
    if aside:
        lines += ["PUT ASIDE, not in OMERO; the files are kept", ""]
        lines += [line for problem in aside for line in _lines(problem)]
    # Windows' editor of old knows only these line ends.
    return "\r\n".join(lines)


def _lines(problem: Problem) -> list[str]:
    what, cure = explanation(problem.reason, printable(problem.detail))
    since = datetime.fromtimestamp(problem.since).astimezone().strftime("%Y-%m-%d %H:%M")
    lines = [printable(problem.name), f"    since {since}: {what}.", f"    {cure}"]
    if problem.place:
        lines.append(f"    It lies in {problem.place}.")
    return [*lines, ""]


class Notices:
    """Keeps every person's notice as it should be; writes only what has changed."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._written: dict[str, str] = {}

    def write(self, logins: Iterable[str], problems: Mapping[str, Iterable[Problem]]) -> int:
        """Write or remove the notices of these people; how many could not be."""
        failed = 0
        for login in logins:
            content = text(problems.get(login, ()))
            if self._written.get(login) == content:
                continue
            try:
                with folders.open_folder(self._root, login) as folder:
                    if content:
                        folders.replace_file(folder, NOTICE, b"\xef\xbb\xbf" + content.encode())
                    else:
                        _remove(folder)
                self._written[login] = content
            except OSError as error:
                failed += 1
                log.warning("%s: the notice can't be written: %s", login, error.strerror)
        return failed


def _remove(folder: int) -> None:
    try:
        status = os.stat(NOTICE, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    # A person's own file of that name is the person's.
    if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
        os.unlink(NOTICE, dir_fd=folder)

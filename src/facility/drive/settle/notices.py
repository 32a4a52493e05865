# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in a person's folder that says what waits, what is on its way, what was put aside, why, and what to do."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Mapping
from datetime import datetime

from . import folders
from .entries import NOTICE, OLD_NOTICE
from .overview import Entry, Overview

log = logging.getLogger("settle")
# So many sets are named in each list: nobody reads more.
_MOST = 50
_EMPTY = Overview()


def text(overview: Overview) -> str:
    """The whole notice; "" if there is nothing to tell."""
    lists = (
        ("PLEASE LOOK: these wait, and are not in OMERO yet", overview.problems),
        ("ON THEIR WAY into OMERO, by themselves", overview.on_its_way),
        ("PUT ASIDE; the files are kept", overview.aside),
    )
    if not any(entries for _, entries in lists):
        return ""
    lines = ["The import into OMERO writes this file, and removes it when there is nothing more to tell.", ""]
    for head, entries in lists:
        ordered = sorted(entries, key=lambda entry: (entry.since, entry.name))
        if ordered:
            lines += [head, ""] + [line for entry in ordered[:_MOST] for line in _lines(entry)]
        if len(ordered) > _MOST:
            lines += [f"... and {len(ordered) - _MOST} more", ""]
    # Windows' editor of old knows only these line ends.
    return "\n".join(lines).replace("\n", "\r\n")


def _lines(entry: Entry) -> list[str]:
    since = datetime.fromtimestamp(entry.since).astimezone().strftime("%Y-%m-%d %H:%M")
    cure = [f"    {entry.cure}"] if entry.cure else []
    return [entry.name, f"    since {since}: {entry.state}", *cure, ""]


class Notices:
    """Keeps every person's notice as it should be; writes only what has changed, or was deleted."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._written: dict[str, str] = {}
        # Why a notice could not be written, so that the log has it once.
        self._failing: dict[str, str] = {}

    def write(self, logins: Iterable[str], overviews: Mapping[str, Overview]) -> int:
        """Write or remove the notices of these people; how many could not be."""
        failed = 0
        for login in logins:
            content = text(overviews.get(login, _EMPTY))
            try:
                with folders.open_folder(self._root, login) as folder:
                    if self._written.get(login) != content or (content and not folders.exists(folder, NOTICE)):
                        self._replace(folder, content)
                self._written[login] = content
                self._failing.pop(login, None)
            except OSError as error:
                failed += 1
                why = error.strerror or str(error)
                if self._failing.get(login) != why:
                    log.warning("%s: the notice can't be written: %s", login, why)
                self._failing[login] = why
        return failed

    @staticmethod
    def _replace(folder: int, content: str) -> None:
        _remove(folder, OLD_NOTICE)
        if content:
            folders.replace_file(folder, NOTICE, content.encode("utf-8-sig"))
        else:
            _remove(folder, NOTICE)


def _remove(folder: int, name: str) -> None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    # A person's own file of that name is the person's.
    if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
        os.unlink(name, dir_fd=folder)

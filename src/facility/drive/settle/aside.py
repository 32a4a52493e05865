# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a set lies that OMERO does not get: in a folder of its person's share, to be seen, taken back or deleted.

What belongs to nobody who has a folder lies in quarantine.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from . import folders
from .names import cut

PUT_ASIDE = "Put aside"
_REASON = ".reason.txt"


class Aside:
    """The folders of all people for this."""

    def __init__(self, incoming: int, quarantine: int) -> None:
        self._incoming = incoming
        self._quarantine = quarantine

    @contextlib.contextmanager
    def of(self, login: str) -> Iterator[int]:
        """The folder for a person's sets, made if it is not there.

        Raises:
            OSError: If it can't be made or opened.
        """
        with contextlib.ExitStack() as stack:
            try:
                own = stack.enter_context(folders.open_folder(self._incoming, login))
                folders.make(own, PUT_ASIDE)
                place = stack.enter_context(folders.open_folder(own, PUT_ASIDE))
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                    raise
                # Nobody's folder, or the name is taken by a file of the person's own, or by a link.
                folders.make(self._quarantine, login)
                place = stack.enter_context(folders.open_folder(self._quarantine, login))
            yield place

    def place(self, login: str, name: str) -> str:
        """Where a set lies: "" for nowhere, else a path below incoming or quarantine, with the login."""
        for root, below in ((self._incoming, (login, PUT_ASIDE)), (self._quarantine, (login,))):
            with contextlib.suppress(OSError), folders.open_folder(root, *below) as folder:
                if folders.exists(folder, name):
                    return "/".join((*below, name))
        return ""

    def explain(self, folder: int, name: str, text: str) -> None:
        """Write beside a set why it lies there."""
        folders.replace_file(folder, _reason_file(name), text.replace("\n", "\r\n").encode("utf-8-sig"))

    def forget(self, login: str, name: str) -> None:
        """The set was taken away: so is its explanation, and the folder if nothing else is in it."""
        for root, below in ((self._incoming, (login, PUT_ASIDE)), (self._quarantine, (login,))):
            with contextlib.suppress(OSError), folders.open_folder(root, *below[:-1]) as parent:
                with contextlib.suppress(FileNotFoundError), folders.open_folder(parent, below[-1]) as folder:
                    os.unlink(_reason_file(name), dir_fd=folder)
                folders.remove_empty(parent, below[-1])


def is_explanation(name: str) -> bool:
    """Whether the file was written by explain()."""
    return name.endswith(_REASON)


def _reason_file(name: str) -> str:
    return cut(name, 255 - len(_REASON)) + _REASON

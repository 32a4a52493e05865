# SPDX-License-Identifier: GPL-3.0-or-later
"""The port: accounts of this host (also those of winbind), and folders below one root, by descriptor.

No link is followed: were somebody able to put one in a folder's place, root would hand out somebody else's folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from .folders import AccessList, Account, Folder, FolderError, decoded, encoded, from_mode

_ACCESS = "system.posix_acl_access"
_HANDED_DOWN = "system.posix_acl_default"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalHost:
    """This host and one root of folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            self._folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FolderError(f"{root} can't be opened ({error.strerror}): make it first") from None

    def account(self, name: str) -> Account | None:
        """A user of the host; None if there is none of exactly this name."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        # winbind finds a name in any case, and then says how it is spelt.
        return Account(name, entry.pw_uid, entry.pw_gid) if entry.pw_name == name else None

    def folder(self, login: str) -> Folder | None:
        """A folder as it is; None if there is none."""
        try:
            with self._opened(login) as descriptor:
                with os.scandir(descriptor) as entries:
                    empty = next(entries, None) is None
                status = os.fstat(descriptor)
                access = _attribute(descriptor, _ACCESS) or from_mode(status.st_mode)
                return Folder(status.st_uid, access, _attribute(descriptor, _HANDED_DOWN), empty)
        except FileNotFoundError:
            return None

    def make(self, login: str) -> None:
        """Make an empty folder that nobody but root gets into."""
        os.mkdir(login, 0o700, dir_fd=self._folder)

    def give(self, login: str, folder: Folder, gid: int) -> None:
        """Set access lists, then the owner, who so never gets into a half made folder."""
        with self._opened(login) as descriptor:
            try:
                os.setxattr(descriptor, _HANDED_DOWN, encoded(folder.handed_down))
                os.setxattr(descriptor, _ACCESS, encoded(folder.access))
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
                raise FolderError(f"the file system of {self._root} has no access lists: mount it with acl") from None
            os.fchown(descriptor, folder.uid, gid)

    def remove(self, login: str) -> bool:
        """Remove a folder if it is empty; whether it is gone."""
        try:
            os.rmdir(login, dir_fd=self._folder)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            return False
        return True

    @contextlib.contextmanager
    def _opened(self, login: str) -> Iterator[int]:
        try:
            descriptor = os.open(login, _FOLDER, dir_fd=self._folder)
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
            raise FolderError(f"{self._root / login} is no folder: look what it is, and move it away") from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _attribute(descriptor: int, name: str) -> AccessList:
    try:
        return decoded(os.getxattr(descriptor, name))
    except OSError as error:
        if error.errno not in {errno.ENODATA, errno.EOPNOTSUPP}:
            raise
        return ()
    except ValueError as error:
        raise FolderError(f"{error}: remove it with setfacl --remove-all --remove-default") from None

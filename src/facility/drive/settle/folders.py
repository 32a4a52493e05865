# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders by descriptor: no path is ever resolved twice, no link is followed, no name is written over."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Iterator, Sequence

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def open_folder(folder: int, *below: str) -> Iterator[int]:
    """A folder below another one, name by name; none may be a link.

    Raises:
        OSError: ENOTDIR or ELOOP for a link.
    """
    descriptor = os.dup(folder)
    try:
        for name in below:
            deeper = os.open(name, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


def rename(source: int, name: str, target: int, new_name: str) -> None:
    """Rename within one file system, or fail: with EEXIST if the new name is taken, even by a link or empty folder."""
    done = _libc.renameat2(source, os.fsencode(name), target, os.fsencode(new_name), _NOREPLACE)
    if done:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def names(folder: int) -> list[str]:
    """What lies in a folder, in order."""
    return sorted(os.listdir(folder))


def exists(folder: int, name: str) -> bool:
    """Whether there is anything of that name, be it a dangling link."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def is_folder(folder: int, name: str) -> bool:
    """Whether there is a real folder of that name."""
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def make(folder: int, name: str, mode: int = 0o770) -> bool:
    """Make a folder if it isn't there; whether it was made."""
    try:
        os.mkdir(name, mode, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def make_as_in(folder: int, name: str, place: int) -> None:
    """Make a folder with the rights that it would inherit in another place, to which it will be renamed."""
    made = make(folder, name, 0o700)
    with open_folder(folder, name) as descriptor:
        try:
            inherited = os.getxattr(place, "system.posix_acl_default")
        except OSError as error:
            if error.errno not in {errno.ENODATA, errno.EOPNOTSUPP}:
                raise
            if made:
                os.fchmod(descriptor, stat.S_IMODE(os.fstat(place).st_mode))
            return
        os.setxattr(descriptor, "system.posix_acl_access", inherited)
        os.setxattr(descriptor, "system.posix_acl_default", inherited)


def remove_empty(folder: int, name: str) -> None:
    """Remove a folder if it is there and empty."""
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}:
            raise


def remove_empty_tree(folder: int, name: str) -> None:
    """Remove a folder and those in it, as far as there is nothing else in them."""
    with open_folder(folder, name) as descriptor:
        for below in names(descriptor):
            if is_folder(descriptor, below):
                remove_empty_tree(descriptor, below)
    remove_empty(folder, name)


def replace_file(folder: int, name: str, content: bytes, mode: int | None = None) -> None:
    """Write a file as a whole or not at all; what had its name, be it a link, is replaced and not followed.

    Without a mode, its rights are what the folder hands down.
    """
    beside = f".{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(beside, flags, 0o660, dir_fd=folder)
    try:
        try:
            if mode is not None:
                os.fchmod(descriptor, mode)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside, dir_fd=folder)
        raise


def files_below(folder: int, name: str, *, missing_is_empty: bool = False) -> Iterator[tuple[str, os.stat_result]]:
    """All regular files below a folder, relative to it, each with its status."""
    if missing_is_empty and not exists(folder, name):
        return
    stack: list[tuple[str, ...]] = [()]
    while stack:
        parts = stack.pop()
        with open_folder(folder, name, *parts) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((*parts, entry.name))
                elif entry.is_file(follow_symlinks=False):
                    yield "/".join((*parts, entry.name)), entry.stat(follow_symlinks=False)


def move_file(place: int, source: str, path: str, target: int, below: Sequence[str]) -> None:
    """Move a file out of a folder, making the folders below the target that it needs; one that is gone is left out."""
    *parts, name = path.split("/")
    try:
        with open_folder(place, source, *parts) as there, contextlib.ExitStack() as stack:
            here = target
            for part in below[:-1]:
                make(here, part)
                here = stack.enter_context(open_folder(here, part))
            rename(there, name, here, name)
    except FileNotFoundError:
        return

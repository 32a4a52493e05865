# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python program's files in a folder of its own on this host: written together, or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .replace_file import prepared_file

FILE_MODE, FOLDER_MODE = 0o644, 0o755
MODULE = ".py"
KINDS = (MODULE, ".css", ".html", ".js", ".po")
"""Endings of a program's files: modules, and what a program with pages has beside them."""


class ProgramError(Exception):
    """The program can't be installed; the message names the cure. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A file as it is: its text, and whether root owns it and everybody may read it."""

    text: str
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done, names as in facility/core/plan.py."""

    written: Mapping[str, str]
    removed: tuple[str, ...]
    before: Mapping[str, Installed]
    folders: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.written or self.removed or self.folders)

    def diff(self, folder: str) -> list[dict[str, str]]:
        """Ansible's form, a part for each file."""
        return [
            {
                "before_header": f"{folder}/{name}",
                "after_header": f"{folder}/{name}",
                "before": self.before[name].text if name in self.before else "",
                "after": self.written.get(name, ""),
            }
            for name in sorted([*self.written, *self.removed])
        ]


def changes(there: Mapping[str, Installed], wanted: Mapping[str, str], folders: tuple[Path, ...] = ()) -> Changes:
    """What leads from the files that are there to exactly those that are wanted.

    Args:
        there: the files as they are.
        wanted: the text of each file that should be.
        folders: those that are missing, or that others than root could write.
    """
    return Changes(
        written={name: text for name, text in wanted.items() if there.get(name) != Installed(text)},
        removed=tuple(sorted(there.keys() - wanted.keys())),
        before=there,
        folders=folders,
    )


def check(files: Mapping[str, str]) -> None:
    """Make sure that these are files of packages, and that this host's Python can read the modules.

    Raises:
        ProgramError: with the first file that isn't or can't.
    """
    if not files:
        raise ProgramError("files is empty, which would remove the program; give its files")
    for name, text in files.items():
        path = PurePosixPath(name)
        # A migration's module begins with its number.
        named = all(part.isidentifier() for part in path.parts[:-1]) and re.fullmatch(r"\w+", path.stem)
        if len(path.parts) < 2 or not named or path.suffix not in KINDS:
            raise ProgramError(
                f"{name} should be package/module.py or package/package/module.py, or end in {', '.join(KINDS[1:])}"
            )
        if path.suffix != MODULE:
            continue
        try:
            compile(text, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise ProgramError(f"the Python of this host can't read {name}: {error}") from error


def found(folder: Path) -> dict[str, Installed]:
    """The files of all packages in a program's folder, however deep; none where there is no folder."""
    there = {}
    for path in (path for path in folder.glob("*/**/*") if path.suffix in KINDS):
        status = path.lstat()
        plain = stat.S_ISREG(status.st_mode)
        there[str(path.relative_to(folder))] = Installed(
            path.read_text(errors="replace") if plain else "",
            sound=plain and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == FILE_MODE,
        )
    return there


def unsound(folder: Path, files: Iterable[str]) -> tuple[Path, ...]:
    """The program's folder and those of its packages that are missing, or not root's, or of another mode."""
    return tuple(
        path
        for path in [folder, *sorted({folder / package for name in files for package in _packages(name)})]
        if not path.is_dir() or path.stat().st_uid != os.geteuid() or stat.S_IMODE(path.stat().st_mode) != FOLDER_MODE
    )


def _packages(name: str) -> list[PurePosixPath]:
    """The packages that a module lies in: a and a/b for a/b/module.py."""
    return list(PurePosixPath(name).parents)[:-1]


def install(folder: Path, files: Mapping[str, str], *, check_mode: bool) -> Changes:
    """Bring a program's folder to exactly these files.

    Args:
        folder: the program's own; files of these kinds in any package in it that aren't in files are removed.
        files: the text of each file, by its name below the folder, as facility/core/plan.py.
        check_mode: only show what would be done.

    Raises:
        ProgramError: before anything is changed.
    """
    check(files)
    todo = changes(found(folder), files, unsound(folder, files))
    if todo and not check_mode:
        for made in todo.folders:
            made.mkdir(parents=True, exist_ok=True)
            os.chown(made, os.geteuid(), os.getegid())
            made.chmod(FOLDER_MODE)
        # All new texts are on the disk before the first takes its place: a full disk leaves the old program whole.
        ready = {name: prepared_file(folder / name, text, mode=FILE_MODE) for name, text in todo.written.items()}
        for name, path in ready.items():
            path.replace(folder / name)
        for name in todo.removed:
            (folder / name).unlink()
            for package in _packages(name):
                # What holds something else stays; what is empty would still be importable as a package.
                with contextlib.suppress(OSError):
                    (folder / package).rmdir()
    return todo

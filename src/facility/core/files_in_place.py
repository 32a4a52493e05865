# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's files, folders and links on this host: all of them as wanted, or nothing changed.

What can be wrong is found before the first takes its place: new contents are on the disk beside their places, with
owner and mode, and have passed their validation. What goes wrong after that is undone.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE_MODE, FOLDER_MODE = 0o644, 0o755
FILE, FOLDER, LINK, ABSENT = KINDS = ("file", "directory", "link", "absent")
_HIDDEN = "(hidden)\n"


class FilesError(Exception):
    """The files can't be put in place; the message names path, cause and cure. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path as it should be.

    Attributes:
        kind: one of KINDS.
        content: of a file; None: whatever it holds.
        target: of a link, as it stands in it.
        owner, group: names; "" for root, and for the owner's own group.
        mode: None for 0644 of a file, 0755 of a folder.
        validate: a command with %s for the file that is checked before it takes its place; "" for none.
        secret: whether nobody may read the content in a diff.
    """

    path: Path
    kind: str = FILE
    content: bytes | None = None
    target: str = ""
    owner: str = ""
    group: str = ""
    mode: int | None = None
    validate: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One path as it is; other kinds than KINDS are "other"."""

    kind: str = ABSENT
    content: bytes = b""
    target: str = ""
    uid: int = 0
    gid: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one path.

    Attributes:
        uid, gid: None where the host doesn't know the name yet, in check mode.
    """

    entry: Entry
    found: Found
    uid: int | None
    gid: int | None

    @property
    def mode(self) -> int:
        """The mode that the path shall have."""
        return self.entry.mode if self.entry.mode is not None else {FOLDER: FOLDER_MODE}.get(self.entry.kind, FILE_MODE)

    @property
    def rewritten(self) -> bool:
        """Whether something new takes the path's place."""
        entry, found = self.entry, self.found
        if entry.kind == FILE:
            return found.kind != FILE or (entry.content is not None and entry.content != found.content)
        return found.kind != entry.kind or (entry.kind == LINK and found.target != entry.target)

    @property
    def needed(self) -> bool:
        """Whether the path isn't as it should be."""
        if self.rewritten or self.entry.kind in {LINK, ABSENT}:
            return self.rewritten
        return (self.uid, self.gid, self.mode) != (self.found.uid, self.found.gid, self.found.mode)

    def diff(self) -> dict[str, str]:
        """Ansible's form."""
        path = str(self.entry.path)
        before, after = (_described(*state) for state in self._states())
        if self.entry.secret and before != after:
            before, after = before and _HIDDEN, f"{_HIDDEN}another content\n"
        if self.found.kind == self.entry.kind and before == after:
            before, after = self._attributes()
        return {"before_header": path, "after_header": path, "before": before, "after": after}

    def _states(self) -> tuple[tuple[str, bytes, str], tuple[str, bytes, str]]:
        found, entry = self.found, self.entry
        content = found.content if entry.content is None else entry.content
        return (found.kind, found.content, found.target), (entry.kind, content, entry.target)

    def _attributes(self) -> tuple[str, str]:
        now = (self.found.uid, self.found.gid, self.found.mode)
        wanted = (self.uid, self.gid, self.mode)
        if self.entry.kind in {LINK, ABSENT} or now == wanted:
            return "", ""
        return tuple(f"owner {one[0]}, group {one[1]}, mode {one[2]:04o}\n" for one in (now, wanted))  # type: ignore[return-value]


def _described(kind: str, content: bytes, target: str) -> str:
    if kind == FILE:
        return content.decode(errors="replace")
    return {ABSENT: "", LINK: f"link to {target}\n"}.get(kind, f"{kind}\n")


def put_in_place(entries: Sequence[Entry], *, check_mode: bool) -> list[Change]:
    """Bring all paths to what they should be, in one act; return what changed, or in check mode would.

    Raises:
        FilesError: and nothing was changed.
    """
    changes = [change for change in planned(entries, check_mode=check_mode) if change.needed]
    if changes and not check_mode:
        _apply(changes)
    return changes


def planned(entries: Sequence[Entry], *, check_mode: bool) -> list[Change]:
    """Compare all paths with what they should be.

    Raises:
        FilesError: for a path that can't become that.
    """
    twice = {entry.path for entry in entries if sum(other.path == entry.path for other in entries) > 1}
    if twice:
        raise FilesError(f"{min(twice)} is in the list twice: say once what it shall be")
    folders = [entry.path for entry in entries if entry.kind == FOLDER]
    made = {path for folder in folders for path in (folder, *folder.parents)}
    return [_planned(entry, made, check_mode=check_mode) for entry in entries]


def _planned(entry: Entry, made: set[Path], *, check_mode: bool) -> Change:
    path = entry.path
    if not path.is_absolute() or ".." in path.parts:
        raise FilesError(f"{path}: write an absolute path")
    found = look(path)
    if entry.kind == FILE and found.kind == FOLDER:
        raise FilesError(f"{path} is a folder, and a file shall be there: move it away, or correct the path")
    if entry.kind == FOLDER and found.kind not in {FOLDER, ABSENT}:
        raise FilesError(f"{path} is a {found.kind}, and a folder shall be there: move it away, or correct the path")
    if entry.kind in {LINK, ABSENT} and found.kind not in {FILE, LINK, ABSENT}:
        raise FilesError(f"{path} is a {found.kind}, which is not removed for a {entry.kind} path: move it away")
    if entry.kind == FILE and entry.content is None and found.kind != FILE and not check_mode:
        raise FilesError(f"{path} is not there, and no content is given: give one, or install what brings the file")
    if not (path.parent.is_dir() or path.parent in made or path in made or check_mode or entry.kind == ABSENT):
        raise FilesError(f"{path.parent} is not there: add it to the list as a directory, before {path.name}")
    uid, gid = _owner(entry, check_mode=check_mode)
    return Change(entry, found, uid, gid)


def look(path: Path) -> Found:
    """What is at a path; links are not followed."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Found()
    kinds = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    return Found(
        kind=kind,
        content=path.read_bytes() if kind == FILE else b"",
        target=str(path.readlink()) if kind == LINK else "",
        uid=status.st_uid,
        gid=status.st_gid,
        mode=stat.S_IMODE(status.st_mode),
    )


def _owner(entry: Entry, *, check_mode: bool) -> tuple[int | None, int | None]:
    try:
        account = pwd.getpwnam(entry.owner) if entry.owner else None
        group = grp.getgrnam(entry.group).gr_gid if entry.group else account.pw_gid if account else os.getegid()
    except KeyError:
        if check_mode:
            return None, None
        raise FilesError(
            f"{entry.path}: the host knows no {entry.owner or 'root'}:{entry.group or '(own group)'}: "
            "make user and group, or install the package that does, first"
        ) from None
    return account.pw_uid if account else os.geteuid(), group


@dataclass
class _Act:
    """What has been done so far, so that it can be undone."""

    folders: list[Path] = field(default_factory=list)
    ready: dict[Path, Path] = field(default_factory=dict)
    former: dict[Path, Path] = field(default_factory=dict)
    attributes: list[tuple[Path, Found]] = field(default_factory=list)
    placed: list[Path] = field(default_factory=list)

    def undo(self) -> None:
        for path, found in reversed(self.attributes):
            os.chown(path, found.uid, found.gid)
            path.chmod(found.mode)
        for path in reversed(self.placed):
            if path in self.former:
                self.former[path].replace(path)
            else:
                path.unlink()
        self.clean()
        for folder in reversed(self.folders):
            folder.rmdir()

    def clean(self) -> None:
        """Remove what was beside; a file that can't be removed is in nobody's way."""
        for path in [*self.ready.values(), *self.former.values()]:
            with contextlib.suppress(OSError):
                path.unlink()


def _apply(changes: Sequence[Change]) -> None:
    act = _Act()
    with _undone_on_error(act):
        for change in changes:
            with _explained(change.entry.path):
                _prepare(change, act)
        for change in changes:
            with _explained(change.entry.path):
                _place(change, act)
        act.clean()


@contextlib.contextmanager
def _undone_on_error(act: _Act) -> Iterator[None]:
    try:
        yield
    except BaseException:
        act.undo()
        raise


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cure = "make room there" if error.errno == 28 else "see to its folder and file system"
        raise FilesError(f"{path}: {error.strerror or error}: {cure}, and run this again") from error


def _prepare(change: Change, act: _Act) -> None:
    """Make a folder; or have what is new ready beside its place, valid."""
    entry = change.entry
    if entry.kind == FOLDER and change.found.kind == ABSENT:
        above = [folder for folder in reversed(entry.path.parents) if not folder.exists()]
        for folder in above:
            folder.mkdir(mode=FOLDER_MODE)
            act.folders.append(folder)
            folder.chmod(FOLDER_MODE)
        entry.path.mkdir(mode=0o700)
        act.folders.append(entry.path)
    if not change.rewritten or entry.kind in {FOLDER, ABSENT}:
        return
    new = entry.path.with_name(f".{entry.path.name}.new")
    new.unlink(missing_ok=True)
    act.ready[entry.path] = new
    if entry.kind == LINK:
        new.symlink_to(entry.target)
        return
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(entry.content or b"")
        file.flush()
        os.fsync(file.fileno())
    _set_attributes(new, change)
    if entry.validate:
        _validate(entry, new)


def _validate(entry: Entry, new: Path) -> None:
    words = [word.replace("%s", str(new)) for word in shlex.split(entry.validate)]
    if words == shlex.split(entry.validate):
        raise FilesError(f"{entry.path}: validate must name the file as %s: {entry.validate}")
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        raise FilesError(f"{entry.path}: {words[0]} is not there to validate it: install what brings it") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).replace(str(new), str(entry.path)).split())
        raise FilesError(f"{entry.path} is not valid ({words[0]}: {said[-600:]}): correct its settings")


def _place(change: Change, act: _Act) -> None:
    entry = change.entry
    path = entry.path
    if not change.rewritten or entry.kind == FOLDER:
        act.attributes.append((path, look(path)))
        _set_attributes(path, change)
        return
    if change.found.kind != ABSENT:
        old = path.with_name(f".{path.name}.former")
        old.unlink(missing_ok=True)
        os.link(path, old, follow_symlinks=False)
        act.former[path] = old
    if entry.kind == ABSENT:
        path.unlink()
    else:
        act.ready[path].replace(path)
    act.placed.append(path)


def _set_attributes(path: Path, change: Change) -> None:
    os.chown(path, _known(change.uid), _known(change.gid))
    path.chmod(change.mode)


def _known(number: int | None) -> int:
    if number is None:
        raise FilesError("an owner is not known: this happens in check mode only")
    return number


def entries_of(given: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """The entries that a module's parameters say.

    Args:
        given: mappings with path, state, content or secret, target, owner, group, mode (octal digits), validate.

    Raises:
        FilesError: for a mode that is none, or what doesn't go together.
    """
    return [_entry(one) for one in given]


def _entry(one: Mapping[str, Any]) -> Entry:
    path = Path(one["path"])
    secret = one.get("secret") is not None
    content = one["secret"] if secret else one.get("content")
    kind = LINK if one.get("target") else one.get("state") or FILE
    if content is not None and kind != FILE:
        raise FilesError(f"{path}: only a file has content, and this is to be {kind}")
    if kind == LINK and not one.get("target"):
        raise FilesError(f"{path}: say in target where the link leads")
    try:
        mode = int(str(one["mode"]), 8) if one.get("mode") is not None else 0o600 if secret else None
    except ValueError:
        raise FilesError(f'{path}: mode {one["mode"]!r} is none: write it like "0644"') from None
    return Entry(
        path=path, kind=kind, content=None if content is None else content.encode(), target=one.get("target") or "",
        owner=one.get("owner") or "", group=one.get("group") or "", mode=mode, validate=one.get("validate") or "",
        secret=secret,
    )  # fmt: skip

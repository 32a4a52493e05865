# SPDX-License-Identifier: GPL-3.0-or-later
"""What each state of a record does to the disk.

Every function here begins with what is on the disk, so it may be called again after a crash or an error at any point;
it makes the one change that the record's state announces, and gives the record's next state, to be committed before
anything else is done. A set is always in exactly one place: incoming, staging/<id>, DropBox or quarantine.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from . import folders
from .aside import Aside
from .clock import Clock
from .config import Config, Matchers
from .decisions import Report, Summary, missing
from .families import stem
from .names import cut, fresh, listed, misread, printable
from .reasons import Reason, explanation
from .state import Record, Store, replace
from .walk import Walk

# A rename that will not succeed by itself: rights, a mount point in the set, another file system.
_STUCK = {errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV}


@dataclass(frozen=True, slots=True)
class Roots:
    """Descriptors of the four folders."""

    incoming: int
    staging: int
    dropbox: int
    quarantine: int

    @classmethod
    def of(cls, config: Config) -> Roots:
        """Open the configured folders.

        Raises:
            OSError: If one can't be opened, with its path; EXDEV if they don't lie on one file system.
        """
        paths = (config.incoming, config.staging, config.dropbox, config.quarantine)
        # Their own paths are the administrator's and may contain links.
        opened = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in paths]
        if len({os.fstat(descriptor).st_dev for descriptor in opened}) > 1:
            raise OSError(errno.EXDEV, "incoming, staging, dropbox and quarantine must lie on one file system")
        return cls(*opened)


@dataclass(frozen=True, slots=True)
class Step:
    """What came of an act: the next record (None: the set is no longer ours), and why if it did not work."""

    record: Record | None
    stuck: str = ""


class Transitions:
    """The acts, by the states that they belong to."""

    def __init__(self, config: Config, roots: Roots, store: Store, clock: Clock, walk: Callable[[int], Walk]) -> None:
        """Args: walk gives a probing walk for a person's sets; it gets the person's user number."""
        # How many files OMERO may have at once.
        self.at_once = config.files_at_once
        self._is_companion = Matchers.of(config).not_expected
        self._config = config
        self._roots = roots
        self._store = store
        self._clock = clock
        self._walk = walk
        # What the sets looked like before they were claimed; forgotten with the process.
        self.signatures: dict[str, int] = {}
        self._acts: dict[str, Callable[[Record, Report], Step]] = {
            "claiming": lambda record, _: self._claim(record),
            "staged": lambda record, report: Step(self._staged(record, report)),
            "offering": lambda record, _: Step(self._offer(record)),
            "recalling": lambda record, _: Step(self._recall(record)),
            "recalled": lambda record, report: Step(self._recalled(record, report)),
            "returning": lambda record, _: Step(self._return(record)),
            "quarantining": lambda record, _: Step(self._quarantine(record)),
        }
        self.put_aside = Aside(roots.incoming, roots.quarantine)
        # Since when (steady) a set in staging looks as it does.
        self._seen: dict[str, tuple[tuple[int, float], float]] = {}

    def act(self, record: Record, report: Report) -> Step:
        """Do what the record's state says.

        Raises:
            OSError: Nothing that the next call can't go on from has happened.
        """
        return self._acts[record.state](record, report)

    def entries(self, record: Record) -> list[str]:
        """What lies in the set's folder in staging; [] if there is none."""
        try:
            with folders.open_folder(self._roots.staging, record.id) as own:
                return folders.names(own)
        except FileNotFoundError:
            return []

    def _claim(self, record: Record) -> Step:
        roots, stuck = self._roots, ""
        folders.make(roots.staging, record.id, 0o700)
        with folders.open_folder(roots.staging, record.id) as own, self._place(record) as place:
            for name in record.items if place is not None else ():
                try:
                    folders.rename(place or 0, name, own, name)
                except OSError as error:
                    # ENOENT: claimed before a crash, or gone. EEXIST: claimed, and a new one has come.
                    if error.errno in _STUCK:
                        stuck = error.strerror or ""
                    elif error.errno not in {errno.ENOENT, errno.EEXIST}:
                        raise
        if not self.entries(record):
            folders.remove_empty(roots.staging, record.id)
            return Step(None, stuck)
        if stuck:
            # A part of it moved: it belongs together.
            return Step(self._next(record, "returning"), stuck)
        return Step(self._next(record, "staged"))

    def _staged(self, record: Record, report: Report) -> Record | None:  # noqa: PLR0911 - a list of cases
        if record.aside:
            return self._staged_aside(record)
        if record.reason == Reason.OMERO_DOWN and not self._ready(record, report):
            return record
        names = self.entries(record)
        if not names:
            folders.remove_empty(self._roots.staging, record.id)
            return None
        with folders.open_folder(self._roots.staging, record.id) as own:
            found = self._walk(record.owner).set(own, names)
            if record.kind != "bundle" and not (len(names) == 1 and folders.is_folder(own, names[0])):
                record = replace(record, kind="bundle")
        if found.refused:
            return self.aside(record, *found.refused)
        reason, detail = self._dirty(record, found)
        if reason and not record.asked and self._free(record, names):
            return self._next(record, "returning")
        if reason is Reason.RECENT and self._rested(record, found):
            reason = None
        if not reason and not self._ready(record, report):
            reason = Reason.OMERO_DOWN
        if reason:
            changed = (reason, detail) != (record.reason, record.detail)
            return replace(record, reason=reason, detail=detail) if changed else record
        self._seen.pop(record.id, None)
        target = self._target(record, names)
        used_before = target != names[0] and not misread(names[0])
        if record.kind == "folder" and (used_before or self._config.folders_wrapped):
            # The folder keeps its name, in a folder of its own.
            record = replace(record, kind="bundle")
        return replace(
            self._next(record, "offering"), target=target, files=found.files, bytes=found.bytes, reason="", detail="",
            piecewise=found.apart and found.files > self.at_once,
        )  # fmt: skip

    def _target(self, record: Record, names: list[str]) -> str:
        """A name in DropBox that no set of this person ever had."""
        wanted = names[0] if record.kind == "folder" else record.name
        if record.kind == "bundle" and record.items == (record.name,):
            wanted = stem(record.name, folder=False)
        with folders.open_folder(self._roots.dropbox, record.login) as box:
            return next(
                name
                for name in fresh(wanted)
                if not folders.exists(box, name) and self._store.reserve(record.login, name)
            )

    def _staged_aside(self, record: Record) -> Record:
        """What is to be put aside is looked at once more, too: it may have been taken up again in the last moment."""
        names = self.entries(record)
        if names and record.reason != Reason.ORPHAN:
            with folders.open_folder(self._roots.staging, record.id) as own:
                found = self._walk(record.owner).set(own, names)
            reason, _ = self._dirty(record, found)
            if reason in {Reason.WRITER, Reason.RECENT} and self._free(record, names):
                return self._next(record, "returning")
        return self.aside(record, Reason(record.reason), record.detail)

    def _dirty(self, record: Record, found: Summary) -> tuple[Reason | None, str]:
        """Why a set in staging is not fit for OMERO: open handles survive a rename.

        Gaps were judged before; if there are others now, the set has changed.
        """
        if found.writer or found.unleasable:
            return Reason.WRITER, found.writer or found.unleasable
        if found.unreadable:
            return Reason.UNREADABLE, found.unreadable
        if not record.asked and self.signatures.get(record.id) != found.signature:
            # It changed in the last moment before it was claimed, or settle was restarted since.
            return Reason.RECENT, ""
        return None, ""

    def _rested(self, record: Record, found: Summary) -> bool:
        """Whether a set that can't be given back has been as it is for its quiet time."""
        fingerprint, since = self._seen.get(record.id, (None, 0.0))
        steady = self._clock.steady()
        if fingerprint != found.fingerprint:
            self._seen[record.id] = found.fingerprint, steady
            return False
        return steady - since >= self._config.rule_for(record.shelf, found.matched).quiet_seconds

    def _ready(self, record: Record, report: Report) -> bool:
        return report.fresh(self._clock.wall(), self._config.monitor_max_age) and record.login in report.watching

    def _offer(self, record: Record) -> Record | None:
        if record.piecewise:
            return self._offer_piece(record)
        staging = self._roots.staging
        with folders.open_folder(self._roots.dropbox, record.login) as box:
            offered_at = None
            try:
                if record.kind == "bundle":
                    if folders.is_folder(staging, record.id):
                        folders.make_as_in(staging, record.id, box)
                    folders.rename(staging, record.id, box, record.target)
                else:
                    with folders.open_folder(staging, record.id) as own:
                        for name in folders.names(own)[:1]:
                            folders.rename(own, name, box, record.target)
                            offered_at = self._clock.wall()
                    folders.remove_empty(staging, record.id)
            except FileExistsError:
                return self._next(record, "staged")
            except FileNotFoundError:
                pass  # renamed before a crash; looked for below
            try:
                status = os.stat(record.target, dir_fd=box, follow_symlinks=False)
            except FileNotFoundError:
                return None
        # After a crash the time of the rename is that of the inode's last change.
        offered_at = offered_at or status.st_ctime
        return replace(
            self._next(record, "offered"),
            asked=record.target,
            offered_at=offered_at,
            progress_at=offered_at,
            progress=0,
        )

    def _offer_piece(self, record: Record) -> Record | None:
        """Give OMERO as many files as it may have at once, in the set's own folder, which stays when it has them."""
        inner = [record.name] if record.kind == "folder" else []
        with folders.open_folder(self._roots.dropbox, record.login) as box:
            folders.make(box, record.target)
            there = sum(1 for path, status in folders.files_below(box, record.target) if self._counts(path, status))
            left = sorted(folders.files_below(self._roots.staging, record.id, missing_is_empty=True))
            with folders.open_folder(box, record.target) as own:
                for path, status in left:
                    if there - record.progress >= self.at_once:
                        break
                    there += self._counts(path, status)
                    below = path.split("/")[len(inner) :]
                    folders.move_file(self._roots.staging, record.id, path, own, below)
            if not there:
                return None
        if folders.exists(self._roots.staging, record.id):
            folders.remove_empty_tree(self._roots.staging, record.id)
        now = self._clock.wall()
        return replace(self._next(record, "offered"), asked=record.target, offered_at=now, progress_at=now, files=there)

    def _counts(self, path: str, status: os.stat_result) -> bool:
        """Whether OMERO should import the file."""
        return bool(status.st_size) and not self._is_companion(path.rpartition("/")[2])

    def _recall(self, record: Record) -> Record | None:
        """Take back what OMERO does not have: a folder file by file, never by a rename of its own.

        OMERO.dropbox watches it, and the thread that hears ends when a watched folder is renamed (its pyinotify.py
        joins bytes and text in process_IN_MOVE_SELF). The folder can be deleted, and is.
        """
        roots = self._roots
        # In staging a folder lies in the set's own one, below the name that it had in the person's.
        inner = [record.name] if record.kind == "folder" else []
        with folders.open_folder(roots.dropbox, record.login) as box:
            folders.make_as_in(roots.staging, record.id, box)
            with folders.open_folder(roots.staging, record.id) as own:
                if record.kind == "file":
                    with contextlib.suppress(FileNotFoundError):
                        folders.rename(box, record.asked, own, record.asked)
                elif record.missed:
                    for path in record.missed:
                        folders.move_file(box, record.source, path, own, [*inner, *path.split("/")])
                elif folders.is_folder(box, record.asked):
                    for path, _ in list(folders.files_below(box, record.asked)):
                        folders.move_file(box, record.asked, path, own, [*inner, *path.split("/")])
                    folders.remove_empty_tree(box, record.asked)
        if not self.entries(record):
            folders.remove_empty(roots.staging, record.id)
            return None
        return self._next(record, "recalled")

    def _recalled(self, record: Record, report: Report) -> Record | None:
        """Decide about a set that was taken back: only a report begun well after it tells what OMERO got of it."""
        config = self._config
        late_enough = report.time > record.since + config.reoffer_grace_seconds
        if not self._ready(record, report) or not late_enough or record.key not in report.imported:
            return record
        files = self._recalled_files(record)
        absent, at_work = missing(report, record.key, files, file=record.kind == "file")
        if at_work:
            return record
        there = sorted(set(files) - set(absent))
        if there:
            return self.aside(record, Reason.ALREADY, listed(there))
        if record.attempts >= config.reoffer_limit:
            if record.siblings:
                has = f"{record.siblings} file{'s' if record.siblings > 1 else ''}"
                detail = f'OMERO has {has} of "{printable(record.name)}", but did not import {listed(files)}'
                return self.aside(record, Reason.PART, detail)
            return self.aside(record, Reason.NOT_IMPORTED, listed(files))
        return replace(
            self._next(record, "staged"), attempts=record.attempts + record.fair, missed=(), source="", fair=True
        )

    def _recalled_files(self, record: Record) -> list[str]:
        if record.kind == "file":
            return [record.asked]
        inner = f"{record.name}/" if record.kind == "folder" else ""
        return [path.removeprefix(inner) for path, _ in folders.files_below(self._roots.staging, record.id)]

    def _return(self, record: Record) -> Record | None:
        """Give a set back to its person's folder; what finds its name taken stays in staging."""
        with self._place(record) as place, contextlib.suppress(FileNotFoundError):
            if place is not None:
                with folders.open_folder(self._roots.staging, record.id) as own:
                    for name in folders.names(own):
                        with contextlib.suppress(FileExistsError):
                            folders.rename(own, name, place, name)
        self.signatures.pop(record.id, None)
        if self.entries(record):
            staged = self._next(record, "staged")
            return staged if record.aside else replace(staged, reason=Reason.RECENT, detail="")
        folders.remove_empty(self._roots.staging, record.id)
        return None

    def aside(self, record: Record, reason: Reason, detail: str) -> Record:
        """The record's next state if it is to be put aside: with its own name there, if that is free."""
        names = self.entries(record)
        wanted = names[0] if len(names) == 1 else printable(record.name)
        with self.put_aside.of(record.login) as place:
            # Its explanation has a longer name, which must fit too.
            target = next(name for name in fresh(cut(wanted, 200)) if not folders.exists(place, name))
        return replace(self._next(record, "quarantining"), reason=reason, detail=printable(detail), target=target)

    def _quarantine(self, record: Record) -> Record | None:
        staging, names = self._roots.staging, self.entries(record)
        with self.put_aside.of(record.login) as place:
            try:
                if names == [record.target]:
                    with folders.open_folder(staging, record.id) as own:
                        folders.rename(own, record.target, place, record.target)
                elif names:
                    folders.make_as_in(staging, record.id, place)
                    folders.rename(staging, record.id, place, record.target)
            except FileExistsError:
                return self.aside(record, Reason(record.reason), record.detail)
            except FileNotFoundError:
                pass  # gone, or renamed before a crash; looked for below
            folders.remove_empty(staging, record.id)
            if not folders.exists(place, record.target):
                return None
            what, cure = explanation(record.reason, record.detail)
            text = f"{printable(record.name)} was not given to OMERO: {what}.\n{cure}\n"
            self.put_aside.explain(place, record.target, text)
        return self._next(record, "quarantined")

    def _next(self, record: Record, state: str) -> Record:
        return replace(record, state=state, since=self._clock.wall())

    @contextlib.contextmanager
    def _place(self, record: Record) -> Iterator[int | None]:
        """The folder that the set came from, or None if it is gone."""
        with contextlib.ExitStack() as stack:
            try:
                names = filter(None, (record.login, record.shelf))
                place = stack.enter_context(folders.open_folder(self._roots.incoming, *names))
            except (FileNotFoundError, NotADirectoryError):
                place = None
            yield place

    def _free(self, record: Record, names: Sequence[str]) -> bool:
        with self._place(record) as place:
            return place is not None and not any(folders.exists(place, name) for name in names)

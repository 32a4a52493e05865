# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets that lie in people's folders: found by scanning, kept up to date by events, looked at when it is time.

In memory there is one object a set, not one a file. An event costs no walk; it only moves the time at which the set is
looked at. New folders in a set are watched in one walk for all that came in a short while.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from . import folders, inotify
from .clock import Clock
from .config import Config, Matchers, Rule
from .decisions import Summary
from .names import LOGIN, printable, stem
from .walk import Walk

log = logging.getLogger("settle")
NOTICE = "! Import problems.txt"
# New folders in a set are looked for at most this often, or in a twentieth of the time.
_WATCH_PAUSE = 0.2


@dataclass(slots=True, eq=False)
class Waiting:
    """One set in a person's folder.

    Attributes:
        login, shelf, name: whose, on which shelf ("": none), the folder's name or the loose files' stem.
        folder: whether it is a folder; else items are the names of its files.
        event: when its last event came (steady); None: it was there when settle started.
        same_since, fingerprint: since when (steady) it looks like this.
        first_seen: epoch seconds.
        quiet: its quiet time, or the shortest possible one before its rule is known.
        due: when it is looked at next (steady); queued: the entry in the queue, never later than due.
        watched: whether all its folders could be watched.
        watches: its inotify watches.
        sentinel: whether its sentinel was seen, so that each event may complete it.
    """

    login: str
    shelf: str
    name: str
    folder: bool
    first_seen: float
    event: float | None
    same_since: float
    quiet: float
    items: set[str] = field(default_factory=set)
    fingerprint: tuple[int, float] | None = None
    due: float = 0
    queued: float | None = None
    watched: bool = True
    watches: set[int] = field(default_factory=set)
    sentinel: bool = False
    reason: str = ""
    detail: str = ""
    pause: float = 0
    files: int = 0
    bytes: int = 0
    gone: bool = False
    # The record that takes it over; until that is done nothing else may.
    claimed: str = ""

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """What tells it from the others."""
        return self.login, self.shelf, self.name, self.folder

    @property
    def names(self) -> tuple[str, ...]:
        """The entries of the person's folder, or of the shelf, that make it up."""
        return (self.name,) if self.folder else tuple(sorted(self.items))


# What an inotify watch is on: everybody's folder (), a person's (login,), a shelf (login, shelf), or inside a set.
_Place = tuple[str, ...] | Waiting


class Incoming:
    """All waiting sets."""

    def __init__(self, config: Config, matchers: Matchers, root: int, clock: Clock) -> None:
        self._config = config
        self._matchers = matchers
        self._root = root
        self._clock = clock
        self.inotify = inotify.Inotify()
        self._watches: dict[int, _Place] = {}
        self.sets: dict[tuple[str, str, str, bool], Waiting] = {}
        self.refused: dict[str, str] = {}
        self._queue: list[tuple[float, int, Waiting]] = []
        self._tickets = itertools.count()
        self._unwatched: dict[Waiting, None] = {}
        self._watch_at = 0.0
        self.logins: set[str] = set()
        # A set whose shelf or files may fall under a rule with a sentinel is looked at on each event of a sentinel.
        self._shortest = min((config.quiet_seconds, *(rule.quiet_seconds for rule in config.rules)))

    # What is there.

    def scan(self, *, start: bool = False, suspicious: bool = False) -> None:
        """List all people's folders.

        Args:
            start: What is found was there before settle ran.
            suspicious: Events were lost: everything counts as changed just now.
        """
        with contextlib.suppress(OSError):
            self._watches[self.inotify.watch(self._root)] = ()
        self.logins.clear()
        self.refused.clear()
        seen: set[tuple[str, str, str, bool]] = set()
        for login in folders.names(self._root):
            self._scan_login(login, seen, start=start)
        for waiting in [w for key, w in self.sets.items() if key not in seen]:
            self.forget(waiting)
        now = self._clock.steady()
        for waiting in self.sets.values():
            if suspicious:
                waiting.event = now
                if waiting.folder:
                    self._unwatched[waiting] = None
            if not start:
                self.schedule(waiting, now)

    def _scan_login(self, login: str, seen: set[tuple[str, str, str, bool]], *, start: bool) -> None:
        if login.startswith(".") or login == "lost+found":
            return
        problem = "is no login" if not LOGIN.fullmatch(login) else ""
        if not problem:
            try:
                with folders.open_folder(self._root, login) as folder:
                    self._watch(folder, (login,))
                    self.logins.add(login)
                    self._scan_folder(folder, login, "", seen, start=start)
                    for shelf in self._config.instruments:
                        with (
                            contextlib.suppress(FileNotFoundError, NotADirectoryError),
                            folders.open_folder(folder, shelf) as place,
                        ):
                            self._watch(place, (login, shelf))
                            self._scan_folder(place, login, shelf, seen, start=start)
                return
            except OSError as error:
                problem = f"can't be used: {error.strerror}"
        self.refused[login] = problem
        log.warning("incoming/%s %s: left alone", printable(login), problem)

    def _scan_folder(
        self, folder: int, login: str, shelf: str, seen: set[tuple[str, str, str, bool]], *, start: bool
    ) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if self._matchers.ignored(entry.name) or (is_folder and self._is_shelf(shelf, entry.name)):
                    continue
                waiting = self._found(login, shelf, entry.name, is_folder, start=start)
                seen.add(waiting.key)

    def _is_shelf(self, shelf: str, name: str) -> bool:
        return not shelf and name in self._config.instruments

    def _found(self, login: str, shelf: str, name: str, is_folder: bool, *, start: bool = False) -> Waiting:
        """The set to which an entry of a person's folder belongs, made if it is new."""
        title = name if is_folder else stem(name, self._matchers.partial, self._matchers.sentinel)
        key = (login, shelf, title, is_folder)
        waiting = self.sets.get(key)
        if waiting is None:
            now = self._clock.steady()
            waiting = Waiting(
                *key, first_seen=self._clock.wall(), event=None if start else now, same_since=now, quiet=self._shortest
            )
            self.sets[key] = waiting
            # At the start everything is looked at in turn, which also watches it; later it must be watched at once.
            if is_folder and not start:
                self._unwatched[waiting] = None
            self.schedule(waiting, now if start else now + waiting.quiet)
        if not is_folder:
            waiting.items.add(name)
        return waiting

    def forget(self, waiting: Waiting) -> None:
        """The set is gone, or no longer the person's: end its watches."""
        waiting.gone = True
        if self.sets.get(waiting.key) is waiting:
            del self.sets[waiting.key]
        self._unwatched.pop(waiting, None)
        for watch in waiting.watches:
            # A folder that was moved into another set has taken its watch along.
            if self._watches.get(watch) is waiting:
                del self._watches[watch]
                self.inotify.forget(watch)

    # What happens.

    def take_events(self) -> None:
        """Read and apply what has happened."""
        while events := self.inotify.read():
            for event in events:
                if event.mask & inotify.OVERFLOW:
                    log.warning("event queue overflowed: scanning everything")
                    self.scan(suspicious=True)
                elif event.mask & inotify.IGNORED:
                    self._watches.pop(event.watch, None)
                else:
                    self._take(event)
        self._watch_new_folders()

    def _take(self, event: inotify.Event) -> None:
        place = self._watches.get(event.watch)
        if place is None:
            return
        now = self._clock.steady()
        is_folder = bool(event.mask & inotify.IS_FOLDER)
        if isinstance(place, Waiting):
            if not place.gone:
                if is_folder and event.mask & (inotify.CREATE | inotify.MOVED_TO):
                    self._unwatched[place] = None
                self._touched(place, event.name, now)
        elif not event.name:
            return
        elif not place:
            if event.mask & (inotify.CREATE | inotify.MOVED_TO | inotify.ATTRIBUTES):
                self._scan_login(event.name, set(), start=False)
        elif not self._matchers.ignored(event.name):
            self._child(place, event, is_folder, now)

    def _child(self, place: tuple[str, ...], event: inotify.Event, is_folder: bool, now: float) -> None:
        """Something happened to an entry of a person's folder or of a shelf."""
        login, shelf = place[0], place[1] if len(place) > 1 else ""
        if is_folder and self._is_shelf(shelf, event.name):
            if event.mask & (inotify.CREATE | inotify.MOVED_TO):
                self._scan_login(login, set(), start=False)
            return
        if event.mask & (inotify.DELETE | inotify.MOVED_FROM):
            title = event.name if is_folder else stem(event.name, self._matchers.partial, self._matchers.sentinel)
            waiting = self.sets.get((login, shelf, title, is_folder))
            if waiting is None:
                return
            waiting.items.discard(event.name)
            if not waiting.items:
                self.forget(waiting)
                return
        else:
            waiting = self._found(login, shelf, event.name, is_folder)
            if is_folder and event.mask & (inotify.CREATE | inotify.MOVED_TO):
                self._unwatched[waiting] = None
        self._touched(waiting, event.name, now)

    def _touched(self, waiting: Waiting, name: str, now: float) -> None:
        waiting.event = now
        waiting.pause = 0
        waiting.sentinel = waiting.sentinel or (bool(name) and self._matchers.sentinel(name))
        self.schedule(waiting, now if waiting.sentinel else now + waiting.quiet)

    # When to look.

    def schedule(self, waiting: Waiting, at: float) -> None:
        """Look at a set then, and not before."""
        waiting.due = at
        if waiting.queued is None or at < waiting.queued:
            waiting.queued = at
            heapq.heappush(self._queue, (at, next(self._tickets), waiting))

    def due(self, limit: int) -> list[Waiting]:
        """The sets to look at now, at most so many; each must be scheduled anew or forgotten."""
        now = self._clock.steady()
        due: list[Waiting] = []
        while self._queue and self._queue[0][0] <= now and len(due) < limit:
            at, _, waiting = heapq.heappop(self._queue)
            if waiting.gone or waiting.queued != at:
                continue
            waiting.queued = None
            if waiting.due > now:
                self.schedule(waiting, waiting.due)
            else:
                due.append(waiting)
        return due

    def next_at(self) -> float | None:
        """When something is to be done next (steady)."""
        times = [self._queue[0][0]] if self._queue else []
        if self._unwatched:
            times.append(self._watch_at)
        return min(times, default=None)

    # How it looks.

    def look(self, waiting: Waiting, *, probe: bool) -> tuple[Summary, Rule, int] | None:
        """Walk through a set; give what was found, its rule and its person's user number, or None if it is gone."""
        with self._place(waiting) as (folder, person):
            if folder is None or not (waiting.folder or waiting.items):
                return None
            began = self._clock.steady()
            walk = self.walk(person.st_uid, probe=probe)
            if waiting.folder:
                if not folders.is_folder(folder, waiting.name):
                    return None
                walk.on_folder = partial(self._watch, place=waiting)
                waiting.watched = True
                self._unwatched.pop(waiting, None)
            found = walk.set(folder, waiting.names)
        if not found.newest:
            return None
        if found.fingerprint != waiting.fingerprint:
            waiting.fingerprint = found.fingerprint
            waiting.same_since = began
        rule = self._config.rule_for(waiting.shelf, found.matched)
        waiting.quiet = rule.quiet_seconds
        waiting.files = found.files + found.companions + found.empty
        waiting.bytes = found.bytes
        return found, rule, person.st_uid

    def walk(self, owner: int, *, probe: bool) -> Walk:
        """A walk through sets of the person with this user number; settle's own files pass too."""
        return Walk(self._matchers, frozenset({owner, os.geteuid()}), os.fstat(self._root).st_dev, probe=probe)

    @contextlib.contextmanager
    def _place(self, waiting: Waiting) -> Iterator[tuple[int | None, os.stat_result]]:
        found: tuple[int | None, os.stat_result] = None, os.fstat(self._root)
        with contextlib.ExitStack() as stack:
            try:
                login = stack.enter_context(folders.open_folder(self._root, waiting.login))
                place = stack.enter_context(folders.open_folder(login, *filter(None, (waiting.shelf,))))
                found = place, os.fstat(login)
            except (FileNotFoundError, NotADirectoryError):
                pass  # the person, or the shelf, is gone
            yield found

    # Watches.

    def _watch(self, folder: int, place: _Place) -> None:
        try:
            watch = self.inotify.watch(folder)
        except OSError as error:
            if isinstance(place, Waiting):
                place.watched = False
            log.warning("can't watch a folder (%s): raise fs.inotify.max_user_watches", error.strerror)
            return
        self._watches[watch] = place
        if isinstance(place, Waiting):
            place.watches.add(watch)

    def _watch_new_folders(self) -> None:
        began = self._clock.steady()
        if not self._unwatched or began < self._watch_at:
            return
        for waiting in list(self._unwatched):
            with self._place(waiting) as (folder, _), contextlib.suppress(OSError):
                if folder is not None:
                    watch_below(folder, waiting.name, partial(self._watch, place=waiting))
            # Only from now on do events tell everything.
            self._touched(waiting, "", self._clock.steady())
        self._unwatched.clear()
        now = self._clock.steady()
        self._watch_at = now + max(_WATCH_PAUSE, 20 * (now - began))


def watch_below(parent: int, name: str, watch: Callable[[int], None], depth: int = 0) -> None:
    """Call watch with each folder of a tree, before it is listed."""
    with folders.open_folder(parent, name) as folder:
        watch(folder)
        if depth > 64:
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):
                        watch_below(folder, entry.name, watch, depth + 1)

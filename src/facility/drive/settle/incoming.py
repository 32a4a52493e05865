# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets that lie in people's folders: found by scanning, kept up to date by events, judged when it is time.

In memory there is one object a set, not one a file. An event costs no walk; it only moves the time at which the set is
looked at. New folders in a set are watched in one walk for all that came in a short while.

Only here something happens to a waiting set. The engine says what it did with one, and gets verdicts.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from . import folders, inotify
from .clock import Clock
from .config import Config, Matchers, Rule
from .decisions import Summary, judge, quiet_seconds
from .entries import Entries, belonging
from .families import TOGETHER, gathering
from .names import LOGIN, printable
from .reasons import Reason
from .timetable import Timetable
from .turns import Turns
from .waiting import LONGEST_PAUSE, Cause, Judged, Key, Seen, Waiting
from .walk import Walk
from .watches import Watches

log = logging.getLogger("settle")
# New folders in a set are looked for at most this often, or in a twentieth of the time.
_WATCH_PAUSE = 0.2
# A set whose turn does not come is looked at again now and then.
_QUEUED_PAUSE = 3600.0


class Incoming:
    """All waiting sets."""

    def __init__(self, config: Config, matchers: Matchers, root: int, clock: Clock) -> None:
        self._config = config
        self._matchers = matchers
        self._root = root
        self._clock = clock
        self.inotify = inotify.Inotify()
        self._watches = Watches(self.inotify)
        self.sets: dict[Key, Waiting] = {}
        self.refused: dict[str, str] = {}
        self._timetable = Timetable()
        self.turns = Turns(config.files_at_once)
        # Sets that wait for OMERO, and those that a record takes over, by its id.
        self._held: set[Waiting] = set()
        self._claims: dict[str, Waiting] = {}
        self._unwatched: dict[Waiting, None] = {}
        self._watch_at = 0.0
        self.logins: set[str] = set()
        # A set whose shelf or files may fall under a rule with a sentinel is looked at on each event of a sentinel.
        self._entries = Entries(config, matchers)
        self._shortest = min((config.quiet_seconds, *(rule.quiet_seconds for rule in config.rules)))

    # What is there.

    def scan(self, *, start: bool = False, suspicious: bool = False) -> None:
        """List all people's folders.

        Args:
            start: What is found was there before settle ran.
            suspicious: Events were lost: everything counts as changed just now.
        """
        with contextlib.suppress(OSError):
            self._watches.add(self._root, ())
        self.logins.clear()
        self.refused.clear()
        seen: set[Key] = set()
        for login in folders.names(self._root):
            self._scan_login(login, seen, start=start)
        for waiting in [w for key, w in self.sets.items() if key not in seen]:
            self._forget(waiting)
        now = self._clock.steady()
        for waiting in self.sets.values():
            if suspicious:
                waiting.may_have_changed(now)
                if waiting.folders:
                    self._unwatched[waiting] = None
            if not start:
                self._schedule(waiting, now)

    def _scan_login(self, login: str, seen: set[Key], *, start: bool) -> None:
        if login.startswith(".") or login == "lost+found":
            return
        problem = "is no login" if not LOGIN.fullmatch(login) else ""
        if not problem:
            try:
                with folders.open_folder(self._root, login) as folder:
                    self._watches.try_to_add(folder, (login,))
                    self.logins.add(login)
                    for shelf in self._scan_folder(folder, login, "", seen, start=start):
                        with (
                            contextlib.suppress(FileNotFoundError, NotADirectoryError),
                            folders.open_folder(folder, shelf) as place,
                        ):
                            self._watches.try_to_add(place, (login, shelf))
                            self._scan_folder(place, login, shelf, seen, start=start)
                return
            except OSError as error:
                problem = f"can't be used: {error.strerror}"
        self.refused[login] = problem
        log.warning("incoming/%s %s: left alone", printable(login), problem)

    def _scan_folder(self, folder: int, login: str, shelf: str, seen: set[Key], *, start: bool) -> list[str]:
        """Find the sets in a person's folder or on a shelf; give the shelves in it."""
        shelves = []
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder and self._entries.is_shelf(shelf, entry.name):
                    shelves.append(entry.name)
                elif not self._entries.is_no_set(shelf, entry.name):
                    waiting = self._found(login, shelf, entry.name, is_folder, start=start)
                    seen.add(waiting.key)
        return shelves

    def _found(self, login: str, shelf: str, name: str, is_folder: bool, *, start: bool = False) -> Waiting:
        """The set to which an entry of a person's folder belongs, made if it is new."""
        key = self._entries.key((login, shelf), name, folder=is_folder, sets=self.sets)
        waiting = self.sets.get(key)
        if waiting is None:
            now = self._clock.steady()
            waiting = Waiting(key, self._clock.wall(), event=None if start else now, seen=Seen(now, self._shortest))
            self.sets[key] = waiting
            self._schedule(waiting, now if start else now + waiting.seen.quiet)
        if name not in waiting.items:
            waiting.gained(name, folder=is_folder)
            # At the start everything is looked at in turn, which also watches it; later it must be watched at once.
            if is_folder and not start:
                self._unwatched[waiting] = None
            if key.name == TOGETHER and gathering([name]):
                self._gather(waiting)
        return waiting

    def _gather(self, waiting: Waiting) -> None:
        """Give a set whose head has come what lay in its place already."""
        for other, names in belonging(waiting, self.sets.values()):
            for name in names:
                waiting.gained(name, folder=other.items[name])
                other.lost(name)
            if events := [at for at in (waiting.event, other.event) if at is not None]:
                waiting.may_have_changed(max(events))
                self._unwatched[waiting] = None
            if not other.items:
                self._forget(other)

    def _forget(self, waiting: Waiting) -> None:
        """The set is gone, or no longer the person's."""
        waiting.has_gone()
        if self.sets.get(waiting.key) is waiting:
            del self.sets[waiting.key]
        self._unwatched.pop(waiting, None)
        self._held.discard(waiting)
        self.turns.leave(waiting)
        self._timetable.remove(waiting)
        self._watches.end(waiting)

    # What happens.

    def take_events(self) -> None:
        """Read and apply what has happened."""
        while events := self.inotify.read():
            for event in events:
                if event.mask & inotify.OVERFLOW:
                    log.warning("event queue overflowed: scanning everything")
                    self.scan(suspicious=True)
                elif event.mask & inotify.IGNORED:
                    self._watches.ended(event.watch)
                else:
                    self._take(event)
        self._watch_new_folders()

    def _take(self, event: inotify.Event) -> None:
        place = self._watches.place(event.watch)
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
        elif not self._entries.is_no_set(place[1] if len(place) > 1 else "", event.name):
            self._child(place, event, is_folder, now)

    def _child(self, place: tuple[str, ...], event: inotify.Event, is_folder: bool, now: float) -> None:
        """Something happened to an entry of a person's folder or of a shelf."""
        login, shelf = place[0], place[1] if len(place) > 1 else ""
        if is_folder and self._entries.is_shelf(shelf, event.name):
            if event.mask & (inotify.CREATE | inotify.MOVED_TO):
                self._scan_login(login, set(), start=False)
            return
        if event.mask & (inotify.DELETE | inotify.MOVED_FROM):
            waiting = self.sets.get(self._entries.key((login, shelf), event.name, folder=is_folder, sets=self.sets))
            if waiting is None:
                return
            waiting.lost(event.name)
            if not waiting.items:
                self._forget(waiting)
                return
        else:
            waiting = self._found(login, shelf, event.name, is_folder)
            if is_folder and event.mask & (inotify.CREATE | inotify.MOVED_TO):
                self._unwatched[waiting] = None
        self._touched(waiting, event.name, now)

    def _touched(self, waiting: Waiting, name: str, now: float) -> None:
        waiting.had_event(now, sentinel=bool(name) and self._matchers.sentinel(name))
        self.turns.leave(waiting)
        self._schedule(waiting, now if waiting.sentinel else now + waiting.seen.quiet)

    # When to look.

    def due(self, limit: int) -> list[Waiting]:
        """The sets to look at now, at most so many; each is to be examined, held or put off."""
        return [w for w in self._timetable.take_due(self._clock.steady(), limit) if not w.claimed]

    def next_at(self) -> float | None:
        """When something is to be done next (steady)."""
        times = [self._timetable.next_at(), self._watch_at if self._unwatched else None]
        return min((at for at in times if at is not None), default=None)

    def put_off(self, waiting: Waiting, seconds: float) -> None:
        """The set could not be looked at, or not be taken: it is looked at again then."""
        self._schedule(waiting, self._clock.steady() + seconds)

    def hold(self, waiting: Waiting, reason: Reason) -> None:
        """Nothing can be offered for the set's person now; how large it is counts all the same."""
        if waiting.changed_since_walk:
            with contextlib.suppress(OSError):
                self._look(waiting, probe=False)
        waiting.must_wait(Cause(reason), self._clock.wall())
        self._held.add(waiting)
        self.put_off(waiting, LONGEST_PAUSE)

    def queue(self, waiting: Waiting, files: int) -> None:
        """The set is complete, and waits for its turn."""
        waiting.must_wait(Cause(Reason.QUEUED), self._clock.wall())
        self.turns.join(waiting, files)
        self.put_off(waiting, _QUEUED_PAUSE)

    def call(self, hands: Mapping[str, int]) -> None:
        """Look now at the sets whose turn it is; hands is how many files of each person OMERO has."""
        for waiting in self.turns.call(hands):
            self.put_off(waiting, 0)

    def release(self, logins: Collection[str]) -> None:
        """For these people sets can be offered again: look at those that were held as soon as they may be complete."""
        now = self._clock.steady()
        for waiting in [w for w in self._held if w.key.login in logins]:
            self._held.discard(waiting)
            self._timetable.bring_forward(waiting, max(now, waiting.quiet_at or now))

    def keep(self, waiting: Waiting, cause: Cause, seconds: float | None = None) -> None:
        """The set stays for this cause; it is looked at again after so many seconds, or each time after longer."""
        if cause != waiting.cause and cause.reason is not Reason.RECENT:
            log.info("%s: waits: %s %s", waiting.label, cause.reason, printable(cause.detail))
        waiting.must_wait(cause, self._clock.wall())
        longer = waiting.left_alone_longer()
        self.put_off(waiting, longer if seconds is None else min(seconds + 0.01, LONGEST_PAUSE))

    def _schedule(self, waiting: Waiting, at: float) -> None:
        if not waiting.gone:
            self._timetable.put(waiting, at)

    # How it looks.

    def first_look(self, waiting: Waiting) -> None:
        """Look at a set that was there when settle started, and watch it.

        Raises:
            OSError: If it can't be looked at.
        """
        looked = self._look(waiting, probe=False)
        if looked is None:
            self._forget(waiting)
            return
        found, rule, _ = looked
        waiting.was_there_before(found.newest)
        rest = waiting.seen.quiet - max(0.0, self._clock.wall() - found.newest)
        self.put_off(waiting, 0 if rule.sentinel else max(0.0, rest))

    def examine(self, waiting: Waiting) -> Judged | None:
        """Look at a set whose time has come: give the verdict if it is to leave, or else let it wait.

        Raises:
            OSError: If it can't be looked at; it is to be put off.
        """
        judged = self._judge(waiting, probe=False)
        if judged and judged.verdict.action == "probe":
            judged = self._judge(waiting, probe=True)
        if judged is None:
            self._forget(waiting)
            return None
        verdict, refused = judged.verdict, judged.found.refused
        if verdict.action in {"wait", "probe"}:
            self.keep(waiting, Cause(verdict.reason or Reason.RECENT, verdict.detail), verdict.seconds)
            return None
        if judged.owner == 0 and refused and refused[0] is Reason.FOREIGN:
            self.keep(waiting, Cause(Reason.ROOTS), None)
            return None
        return judged

    def _judge(self, waiting: Waiting, *, probe: bool) -> Judged | None:
        # Both clocks before the walk: what changes during it is not counted as quiet.
        wall, steady = self._clock.wall(), self._clock.steady()
        looked = self._look(waiting, probe=probe)
        if looked is None:
            return None
        found, rule, owner = looked
        there = rule in (rules := self._config.rules) and bool(found.sentinels >> rules.index(rule) & 1)
        waiting.has_sentinel(bool(rule.sentinel) and there)
        seen = waiting.observed(wall, steady, watched=self._watches.complete(waiting))
        verdict = judge(found, rule, seen, self._config, sentinel_there=there, probed=probe)
        return Judged(waiting.key, dict(waiting.items), verdict, found, owner, wall)

    def _look(self, waiting: Waiting, *, probe: bool) -> tuple[Summary, Rule, int] | None:
        """Walk through a set; give what was found, its rule and its person's user number, or None if it is gone."""
        with self._place(waiting.key) as (folder, person):
            names = waiting.names
            if folder is None or not names:
                return None
            began = self._clock.steady()
            walk = self.walk(person.st_uid, probe=probe)
            if waiting.folders:
                walk.on_folder = partial(self._watches.try_to_add, place=waiting)
                self._watches.renew(waiting)
                self._unwatched.pop(waiting, None)
            found = walk.set(folder, names)
        if not found.newest:
            return None
        rule = self._config.rule_for(waiting.key.shelf, found.matched)
        waiting.was_walked(found, quiet_seconds(found, rule, waiting.silence, self._config), began)
        return found, rule, person.st_uid

    def walk(self, owner: int, *, probe: bool) -> Walk:
        """A walk through sets of the person with this user number; settle's own files pass too."""
        return Walk(self._matchers, frozenset({owner, os.geteuid()}), os.fstat(self._root).st_dev, probe=probe)

    @contextlib.contextmanager
    def _place(self, key: Key) -> Iterator[tuple[int | None, os.stat_result]]:
        found: tuple[int | None, os.stat_result] = None, os.fstat(self._root)
        with contextlib.ExitStack() as stack:
            try:
                login = stack.enter_context(folders.open_folder(self._root, key.login))
                place = stack.enter_context(folders.open_folder(login, *filter(None, (key.shelf,))))
                found = place, os.fstat(login)
            except (FileNotFoundError, NotADirectoryError):
                pass  # the person, or the shelf, is gone
            yield found

    # Who has it.

    def claimed(self, waiting: Waiting, record: str) -> None:
        """The intent to take the set, the record of this id, is committed."""
        waiting.was_claimed()
        self.turns.leave(waiting)
        self._claims[record] = waiting

    def claim_ended(self, record: str, stuck: str) -> None:
        """A record was acted on: the set that it claimed is no longer the person's, or it can't be moved and why."""
        waiting = self._claims.pop(record, None)
        if waiting is None:
            return
        waiting.is_claimed_no_more()
        if stuck:
            self.keep(waiting, Cause(Reason.STUCK, stuck), LONGEST_PAUSE)
        else:
            self._forget(waiting)

    # Watches.

    def _watch_new_folders(self) -> None:
        began = self._clock.steady()
        if not self._unwatched or began < self._watch_at:
            return
        for waiting in list(self._unwatched):
            with self._place(waiting.key) as (folder, _), contextlib.suppress(OSError):
                if folder is not None:
                    self._watches.add_below(folder, waiting)
            # Only from now on do events tell everything.
            self._touched(waiting, "", self._clock.steady())
        self._unwatched.clear()
        now = self._clock.steady()
        self._watch_at = now + max(_WATCH_PAUSE, 20 * (now - began))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which inotify watch is on what, and which sets are watched as a whole."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from . import folders
from .inotify import Inotify
from .waiting import Waiting

log = logging.getLogger("settle")

# What a watch is on: everybody's folder (), a person's (login,), a shelf (login, shelf), or inside a set.
Place = tuple[str, ...] | Waiting


class Watches:
    """The watches of one inotify instance."""

    def __init__(self, inotify: Inotify) -> None:
        self._inotify = inotify
        self._places: dict[int, Place] = {}
        self._of_sets: defaultdict[Waiting, set[int]] = defaultdict(set)
        # Sets with a folder that could not be watched.
        self._incomplete: set[Waiting] = set()

    def place(self, watch: int) -> Place | None:
        """What a watch is on; None if it has ended."""
        return self._places.get(watch)

    def complete(self, waiting: Waiting) -> bool:
        """Whether all folders of a set could be watched, so that events tell everything that happens in it."""
        return waiting not in self._incomplete

    def add(self, folder: int, place: Place) -> None:
        """Watch the folder behind a descriptor.

        Raises:
            OSError: If it can't be watched.
        """
        watch = self._inotify.watch(folder)
        self._places[watch] = place
        if isinstance(place, Waiting):
            self._of_sets[place].add(watch)

    def try_to_add(self, folder: int, place: Place) -> None:
        """Watch the folder behind a descriptor; if that can't be, remember it of the set."""
        try:
            self.add(folder, place)
        except OSError as error:
            if isinstance(place, Waiting):
                self._incomplete.add(place)
            log.warning("can't watch a folder (%s): raise fs.inotify.max_user_watches", error.strerror)

    def add_below(self, parent: int, waiting: Waiting) -> None:
        """Watch all folders of a set, by the descriptor of the folder in which it lies.

        Raises:
            OSError: If one is gone.
        """
        for name in waiting.folders:
            watch_below(parent, name, partial(self.try_to_add, place=waiting))

    def renew(self, waiting: Waiting) -> None:
        """All folders of a set are about to be watched anew."""
        self._incomplete.discard(waiting)

    def ended(self, watch: int) -> None:
        """A watch has ended by itself."""
        self._places.pop(watch, None)

    def end(self, waiting: Waiting) -> None:
        """End the watches of a set."""
        self._incomplete.discard(waiting)
        for watch in self._of_sets.pop(waiting, ()):
            # A folder that was moved into another set has taken its watch along.
            if self._places.get(watch) is waiting:
                del self._places[watch]
                self._inotify.forget(watch)


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

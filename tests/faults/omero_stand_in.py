# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO.dropbox and the DropBox monitor in one process, as far as settle meets them. Runs on Debian's Python.

Like OMERO.dropbox 5.7 (fsPyinotifyMonitor.py) it imports only what it sees arrive: a file that is moved in, or every
file below a folder that is moved in, made, or whose attributes change. What arrived while it was dead it never sees. An
import is a line in store/imports.jsonl, written at its end.

Usage: omero_stand_in.py BASE [--slow SECONDS] [--blind PART] [--pace SECONDS]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from facility.drive.settle.inotify import ATTRIBUTES, CREATE, IS_FOLDER, MOVED_TO, Inotify

COMPANIONS = (".txt", ".xml", ".done", ".log")
WAIT = 0.15


class StandIn:
    def __init__(self, base: Path, slow: float, blind: float, pace: float) -> None:
        self.pace = pace
        self.root = base / "DropBox"
        self.base = base
        self.slow = slow
        self.blind = blind
        self.imports = base / "store" / "imports.jsonl"
        self.imported: set[str] = set()
        if self.imports.exists():
            for line in self.imports.read_text().splitlines():
                self.imported.add(json.loads(line)["path"])
        self.since = time.time()
        self.inotify = Inotify()
        self.places: dict[int, Path] = {}
        self.watching: set[str] = set()
        # Arrived, with the time at which the import may begin.
        self.pending: dict[str, float] = {}
        self.importing: str | None = None
        self.lock = threading.Lock()

    def watch(self, folder: Path) -> None:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return
        try:
            self.places[self.inotify.watch(descriptor)] = folder
        finally:
            os.close(descriptor)
        if folder.parent == self.root:
            self.watching.add(folder.name)

    def watch_all(self, folder: Path) -> Iterator[Path]:
        """Watch a folder and all below; give the files."""
        self.watch(folder)
        for place, folders, files in os.walk(folder):
            for name in folders:
                self.watch(Path(place, name))
            for name in files:
                yield Path(place, name)

    def arrived(self, path: Path) -> None:
        if random.random() < self.blind:
            return
        with self.lock:
            self.pending[str(path.relative_to(self.root))] = time.time() + WAIT

    def take_events(self) -> None:
        for event in self.inotify.read():
            place = self.places.get(event.watch)
            if place is None or not event.name:
                continue
            path = place / event.name
            if event.mask & IS_FOLDER and event.mask & (CREATE | MOVED_TO | ATTRIBUTES):
                for file in self.watch_all(path):
                    self.arrived(file)
            elif event.mask & MOVED_TO and not event.mask & IS_FOLDER:
                self.arrived(path)

    def import_some(self) -> None:
        with self.lock:
            ready = [path for path, at in self.pending.items() if at <= time.time()]
            if not ready:
                return
            path = self.importing = ready[0]
            del self.pending[path]
        try:
            if not path.endswith(COMPANIONS):
                self.import_file(path)
        finally:
            with self.lock:
                self.importing = None

    def import_file(self, path: str) -> None:
        try:
            with (self.root / path).open("rb") as file:
                time.sleep(self.pace)
                digest = hashlib.sha256()
                while block := file.read(65536):
                    digest.update(block)
                    time.sleep(random.uniform(0, self.slow))
                size = file.tell()
                if not size:
                    return
                line = json.dumps({"path": path, "sha256": digest.hexdigest(), "size": size, "at": time.time()})
                with self.lock, self.imports.open("a") as store:
                    store.write(line + "\n")
                    store.flush()
                    self.imported.add(path)
        except OSError:
            return  # the file is gone: OMERO logs an error and forgets it

    def report(self) -> None:
        with self.lock:
            now = time.time()
            imported, importing = set(self.imported), [self.importing] if self.importing else []
        try:
            asked = json.loads((self.base / "run" / "asked.json").read_text())["sets"]
        except (OSError, ValueError):
            asked = []
        by_set: dict[str, list[str]] = {key: [] for key in asked}
        for path in imported:
            login, name, *rest = path.split("/")
            key = f"{login}/{name}"
            if key in by_set:
                by_set[key].append("/".join(rest) or name)
        document = {
            "time": now, "alive": True, "since": self.since, "watching": sorted(self.watching),
            "importing": importing, "imported": by_set,
        }  # fmt: skip
        new = self.base / "monitor" / "report.new"
        new.write_text(json.dumps(document))
        new.chmod(0o644)
        new.rename(self.base / "monitor" / "report.json")

    def report_forever(self) -> None:
        while True:
            # On a full disk there is no report, and one again when there is room.
            with contextlib.suppress(OSError):
                self.report()
            time.sleep(0.15)

    def import_forever(self) -> None:
        while True:
            self.import_some()
            time.sleep(0.01)

    def run(self) -> None:
        self.watch(self.root)
        for folder in self.root.iterdir():
            # What is there already is watched, not imported.
            list(self.watch_all(folder))
        for work in (self.report_forever, self.import_forever):
            threading.Thread(target=work, daemon=True).start()
        poll = select.poll()
        poll.register(self.inotify.descriptor, select.POLLIN)
        while True:
            poll.poll()
            self.take_events()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("base", type=Path)
    parser.add_argument("--slow", type=float, default=0.02)
    parser.add_argument("--blind", type=float, default=0.0)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds of each import")
    options = parser.parse_args()
    StandIn(options.base, options.slow, options.blind, options.pace).run()

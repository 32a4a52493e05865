# SPDX-License-Identifier: GPL-3.0-or-later
"""A campaign against the running example facility: people work, every few seconds something dies, all is found again.

smbd, settle, the DropBox monitor, IceGrid and OMERO.dropbox are the real ones; OMERO's Java server and importer are the
test bed's stand-ins. Not among the faults is a full disk: the four folders must be one file system, which is the host's
own and this machine's; the unit tests of settle have it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from facility.drive.settle.aside import PUT_ASIDE
from tests.faults import checker, host, manifest
from tests.faults.checker import Found, Imported
from tests.faults.real_actors import INSTRUMENT, Person
from tests.faults.run import UNSETTLED

# People with whom nobody else on this machine tries things out.
LOGINS = ("vvidovic", "wwasik", "xxu", "yyilmaz", "zzelenka")
SETTINGS = {
    "quiet_seconds": 3, "written_quiet_seconds": 3, "reoffer_seconds": 45, "reoffer_grace_seconds": 15,
    "reoffer_limit": 2, "reader_wait_seconds": 10, "clear_after_days": 0.0003,
    "unsuitable_wait_seconds": 20,
}  # fmt: skip
# A slow server's import; the stand-in reads it from a file.
SLOW_IMPORT_SECONDS = 8
_SLOW = "/opt/omero/server/OMERO.server/var/standin-import-seconds"
# What is hit how often.
FAULTS = {
    "settle": 26, "smbd": 15, "client": 20, "importer": 18, "fsServerMS": 2, "fsDropBox": 3, "Blitz": 2, "monitor": 7,
    "network": 6, "slow": 8,
}  # fmt: skip
REST_SECONDS = 1500
Say = Callable[[str], None]


class Campaign:
    """One campaign; make one, call run()."""

    def __init__(self, faults: int, seed: int, gap: float, folder: Path, say: Say) -> None:
        """Args: gap is the longest time between two faults in seconds; folder keeps the manifest."""
        self.planned = faults
        self.choice = random.Random(seed)
        self.gap = gap
        self.say = say
        self.file = folder / "manifest.jsonl"
        self.file.unlink(missing_ok=True)
        self.host = host.found()
        self.title = f"c{int(time.time()) % 10**6}"
        self.stop = threading.Event()
        notes = manifest.Manifest(self.file)
        self.people = [
            Person(login, self.host, notes, random.Random(self.choice.random()), 25.0, self.stop, self.title)
            for login in LOGINS
        ]
        self.faults: Counter[str] = Counter()

    def run(self) -> list[str]:
        """Run it; give what is wrong."""
        began = time.monotonic()
        self._clear()
        after = self.host.last_fileset()
        with host.faster_settle(self.host, dict(SETTINGS)):
            threads = [threading.Thread(target=person.run) for person in self.people]
            for thread in threads:
                thread.start()
            try:
                self._act()
            finally:
                self.stop.set()
                for thread in threads:
                    thread.join()
                self._slow(on=False)
            self.say(f"{sum(self.faults.values())} faults in {time.monotonic() - began:.0f} s; all comes to rest")
            wrong = self._rest() or self._cleared(after)
        wrong += [person.failure for person in self.people if person.failure]
        wrong += self._judge(after)
        if not wrong:
            self._clear()
        self.say(f"took {time.monotonic() - began:.0f} s")
        return wrong

    def _act(self) -> None:
        time.sleep(10)
        sorts, weights = list(FAULTS), list(FAULTS.values())
        while sum(self.faults.values()) < self.planned:
            time.sleep(self.choice.uniform(0.5, self.gap))
            sort = self.choice.choices(sorts, weights)[0]
            if self._hit(sort):
                self.faults[sort] += 1
                number = sum(self.faults.values())
                if number % 10 == 0:
                    self.say(f"{number} faults: {dict(self.faults)}")
            if any(person.failure for person in self.people):
                return

    def _hit(self, sort: str) -> bool:
        """Let one fault happen; False if there was nothing to hit."""
        if sort == "network":
            self.host.cut_off(self.choice.uniform(3, 8))
            return True
        if sort == "slow":
            self._slow(on=not self.host.path(_SLOW).exists())
            return True
        if sort == "client":
            # The sooner one is found at work, the likelier it is a slow one.
            return self._soon(lambda: any(p.kill() for p in self.choice.sample(self.people, len(self.people))), 4)
        if sort == "settle" and self.choice.random() < 0.7:
            self._lie_in_wait()
        if sort == "importer":
            if not self._soon(lambda: bool(self.host.processes("importer")), 4):
                return False
            # A Java machine and a Python start before the first byte is sent.
            time.sleep(self.choice.uniform(0, 4))
        return bool(self.host.kill(sort))

    def _slow(self, *, on: bool) -> None:
        """Let each import take as long as on a real and busy server, or as long as it does here."""
        if on:
            self.host.path(_SLOW).write_text(str(SLOW_IMPORT_SECONDS))
        else:
            self.host.path(_SLOW).unlink(missing_ok=True)

    @staticmethod
    def _soon(happens: Callable[[], bool], seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while not happens():
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True

    def _lie_in_wait(self) -> None:
        """Until settle commits something, which it does between two acts: so that it dies in the midst of them."""
        log = self.host.path("/var/lib/settle/state.sqlite-wal")

        def time_of_commit() -> int:
            with contextlib.suppress(FileNotFoundError):
                return log.stat().st_mtime_ns
            return 0

        before, ends = time_of_commit(), time.monotonic() + 2.5
        while time_of_commit() == before and time.monotonic() < ends:
            time.sleep(0.0005)
        time.sleep(self.choice.choice((0, 0.001, 0.003, 0.01)))

    # Afterwards.

    def _rest(self) -> list[str]:
        """Wait until settle says twice that nothing is left to do."""
        ends = time.monotonic() + REST_SECONDS
        calm, left = 0, ["?"]
        while calm < 2:
            if time.monotonic() > ends:
                return [f"no rest after {REST_SECONDS} s: {line}" for line in left]
            time.sleep(6)
            with contextlib.suppress(ValueError):
                left = self._unsettled()
                calm = 0 if left else calm + 1
                self.say(f"still to come: {len(left)} sets")
        return []

    def _cleared(self, after: int) -> list[str]:
        """Wait until what OMERO has is gone from DropBox; say how much disk an imported byte takes then."""
        known = {entry.sha256 for entry in self._imports(after)}
        ends = time.monotonic() + REST_SECONDS
        while twice := [file.path for file in self._below("DropBox") if file.sha256 in known]:
            if time.monotonic() > ends:
                return [f"twice on the disk after {REST_SECONDS} s: {path}" for path in twice]
            time.sleep(6)
        bytes_in = {
            top: sum(file.stat().st_size for file in self._files(top)) for top in ("DropBox", "ManagedRepository")
        }
        imported = bytes_in["ManagedRepository"]
        if imported:
            self.say(f"disk per imported byte: {sum(bytes_in.values()) / imported:.3f}")
        return []

    def _unsettled(self) -> list[str]:
        command = "python3 -m facility.drive.settle --config /run/settle-campaign.toml --status"
        document = json.loads(
            self.host.run("runuser", "-u", "settle", "--", "env", "PYTHONPATH=/usr/local/lib/settle", *command.split())
        )
        return [
            f"{entry['login']}/{entry['name']}: {entry['state']} {entry['reason']}"
            for entry in document["sets"]
            if entry["login"] in LOGINS
            and (
                entry["state"] not in {"done", "quarantined", "waiting"}
                or (entry["state"] == "waiting" and entry["reason"] in UNSETTLED)
            )
        ]

    def _judge(self, after: int) -> list[str]:
        written = manifest.read(self.file)
        imports = list(self._imports(after))
        places = ("incoming", "staging", "DropBox", "quarantine")
        # A set in staging may have lost its name.
        found = {
            place: [file for file in self._below(place) if place == "staging" or self.title in file.path]
            for place in places
        }
        found["incoming"], aside = checker.without_aside(found["incoming"])
        found["quarantine"] += aside
        wrong = checker.problems(
            written, imports, incoming=found["incoming"], staging=found["staging"], dropbox=found["DropBox"],
            quarantine=found["quarantine"],
        )  # fmt: skip
        self._tell(written, imports, found, self.host.broken_imports(after))
        return wrong

    def _imports(self, after: int) -> Iterator[Imported]:
        """What OMERO has: the files in its repository, which may differ from those in DropBox."""
        for entry in self.host.imports(after):
            _, _, path = entry["path"].partition("OMERO/DropBox/")
            if path.partition("/")[0] not in LOGINS:
                continue
            file = self.host.path(f"/OMERO/ManagedRepository/{entry['file']}")
            content = file.read_bytes() if entry["file"] and file.exists() else b""
            yield Imported(path, hashlib.sha256(content).hexdigest())

    def _files(self, place: str) -> Iterator[Path]:
        """The files of the campaign's people in one of OMERO's folders."""
        for folder in self.host.path(f"/OMERO/{place}").iterdir():
            if folder.name.partition("_")[0] in LOGINS:
                yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())

    def _below(self, place: str) -> Iterator[Found]:
        top = self.host.path(f"/OMERO/{place}")
        for folder in top.iterdir():
            if folder.name.partition("~")[0] in LOGINS:
                for file in checker.found_below(folder):
                    yield Found(f"{folder.name}/{file.path}", file.sha256)

    def _tell(
        self, written: list[manifest.Written], imports: list[Imported], found: dict[str, list[Found]], broken: int
    ) -> None:
        whole = {file.sha256 for file in written if file.state == "complete"}
        imported = {entry.sha256 for entry in imports}
        images = {file.sha256 for file in written if file.state == "complete" and file.sort == "image"}
        aside = [file for file in found["quarantine"] if not file.path.endswith(".reason.txt")]
        waiting = found["incoming"]
        self.say(f"faults: {dict(sorted(self.faults.items()))}")
        self.say(
            f"files: {len(written)} begun, {len(whole)} reported as written, of these {len(images)} images; "
            f"imported {len(imports)} ({len(imported & images)} of the reported images), "
            f"waiting in incoming {len(waiting)} ({sum(f.sha256 in whole for f in waiting)} whole), "
            f"in quarantine {len(aside)} ({sum(f.sha256 in whole for f in aside)} whole), "
            f"in DropBox {len(found['DropBox'])}; imports that broke off and left no image: {broken}"
        )
        self.say(f"sets that were broken off: {dict(sum((p.broken for p in self.people), Counter()))}")

    def _clear(self) -> None:
        """Take away what campaigns left in people's folders and in quarantine; what OMERO has, it keeps."""
        for place in ("incoming", "quarantine"):
            for login in LOGINS:
                top = self.host.path(f"/OMERO/{place}/{login}")
                for path in (
                    [*top.glob("*"), *top.glob(f"{INSTRUMENT}/*"), *top.glob(f"{PUT_ASIDE}/*")] if top.exists() else []
                ):
                    if re.search(rf"{login} c\d+ \d+", path.name):
                        self.host.run("rm", "-rf", "--", f"/OMERO/{place}/{login}/{path.relative_to(top)}")


def run(faults: int, seed: int, gap: float, folder: Path, say: Say) -> list[str]:
    """Run a campaign; give what is wrong, one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def timed(text: str) -> None:
        say(f"[{time.monotonic() - began:6.0f} s] {text}")

    # Whatever ends it, also in the background: the host gets its settings back.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    timed(f"campaign of {faults} faults, seed {seed}, on {host.NAME}")
    return Campaign(faults, seed, gap, folder, timed).run()


def _interrupted(*_: object) -> NoReturn:
    raise SystemExit(143)

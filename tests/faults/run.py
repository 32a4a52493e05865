# SPDX-License-Identifier: GPL-3.0-or-later
"""One random run: writers write, everything is killed now and then, all comes to rest, the checker looks."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults import checker, clients, layout, manifest
from tests.faults.layout import OMERO, PYTHON, Layout

RULES = f"""
instruments = ["{clients.INSTRUMENT}"]
[[rule]]
instrument = "{clients.INSTRUMENT}"
sentinel = "*.done"
"""
# What is still to come: everything else is at rest.
UNSETTLED = {
    "", "recent", "omero_down", "not_watched", "unreadable", "no_format", "empty_files", "writer", "reader", "queued",
}  # fmt: skip
REST_SECONDS = 60


@dataclass
class Outcome:
    """What a run did, and what is wrong."""

    problems: list[str] = field(default_factory=list)
    files: int = 0
    imported: int = 0
    aside: int = 0
    waiting: int = 0
    kills: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.problems + other.problems, self.files + other.files, self.imported + other.imported,
            self.aside + other.aside, self.waiting + other.waiting, self.kills + other.kills,
        )  # fmt: skip


class Process:
    """One of the two services; started anew when it was killed."""

    def __init__(self, place: Layout, name: str, command: Callable[[], list[str]]) -> None:
        self._place = place
        self._name = name
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        with (self._place.base / f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), env=self._place.environment, cwd="/", stdout=log, stderr=log, umask=0o007
            )

    def end(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None


def services(place: Layout, blind: float = 0.0) -> tuple[Process, Process]:
    """The two services: settle and the stand-in for OMERO.dropbox, not yet started."""
    as_omero = ["setpriv", f"--reuid={OMERO}", f"--regid={OMERO}", "--clear-groups", PYTHON]
    stand_in = [*as_omero, str(place.base / "lib" / "omero_stand_in.py"), str(place.base), "--blind", str(blind)]
    return Process(place, "settle", place.settle), Process(place, "importer", lambda: stand_in)


def run(seed: int, keep: bool = False) -> Outcome:
    """Make one run; everything random in it follows from the seed, but for the processes' own pace."""
    choice = random.Random(seed)
    place = layout.prepared(rules=RULES)
    outcome = Outcome()
    file = place.base / "manifest.jsonl"
    notes = manifest.Manifest(file)
    file.chmod(0o666)
    settle, importer = services(place, blind=choice.choice((0.0, 0.0, 0.2)))
    try:
        settle.start()
        importer.start()
        _act(choice, place, notes, (settle, importer), outcome)
        settle.start()
        importer.start()
        _rest(place, outcome)
        settle.end(signal.SIGTERM)
        importer.end()
        judge(place, outcome)
    finally:
        settle.end()
        importer.end()
        if not (keep and outcome.problems):
            place.remove()
        else:
            outcome.problems.append(f"kept: {place.base}")
    return outcome


def _act(
    choice: random.Random, place: Layout, notes: manifest.Manifest, both: tuple[Process, Process], outcome: Outcome
) -> None:
    settle, importer = both
    alive: dict[int, bool] = {}
    planned = choice.randint(4, 12)
    number = 0
    ends = time.monotonic() + 60
    while (number < planned or alive) and time.monotonic() < ends:
        act = choice.random()
        if number < planned and act < 0.4:
            sort, mortal = choice.choice(clients.SORTS)
            login = choice.choice(place.logins)
            folder = place.folder("incoming") / login
            own = random.Random(choice.random())
            client = clients.Client(folder, notes, own, login, f"set{number}", pause=0.15)
            alive[clients.start(sort, client, place.person(login))] = mortal
            number += 1
        elif act < 0.5:
            if choice.random() < 0.7:
                _lie_in_wait(place, choice)
            settle.end()
            outcome.kills["settle"] += 1
        elif act < 0.55:
            importer.end()
            outcome.kills["importer"] += 1
        elif act < 0.62 and any(alive.values()):
            victim = choice.choice([child for child, mortal in alive.items() if mortal])
            os.kill(victim, signal.SIGKILL)
            outcome.kills["writer"] += 1
        elif act < 0.8:
            settle.start()
        elif act < 0.9:
            importer.start()
        time.sleep(choice.uniform(0, 0.3))
        for child in list(alive):
            if os.waitpid(child, os.WNOHANG)[0]:
                del alive[child]
    for child in alive:
        outcome.problems.append("a writer did not end")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _lie_in_wait(place: Layout, choice: random.Random) -> None:
    """Until settle writes a line, which it does between two acts: so that it dies in the midst of them."""
    log = place.base / "settle.log"
    before, ends = log.stat().st_size, time.monotonic() + 1.5
    while log.stat().st_size == before and time.monotonic() < ends:
        time.sleep(0.0005)
    time.sleep(choice.choice((0, 0.001, 0.003, 0.01)))


def _rest(place: Layout, outcome: Outcome) -> None:
    """Wait until settle says that nothing is left to do, twice."""
    ends = time.monotonic() + REST_SECONDS
    calm = 0
    state: list[dict[str, object]] = []
    while calm < 3:
        time.sleep(0.6)
        if time.monotonic() > ends:
            outcome.problems.append(f"no rest after {REST_SECONDS} s: {state}")
            return
        with contextlib.suppress(subprocess.CalledProcessError):
            document = place.status()
            state = [
                entry
                for entry in document["sets"]
                if entry["state"] not in {"done", "quarantined", "waiting"}
                or (entry["state"] == "waiting" and entry["reason"] in UNSETTLED)
            ]
            # The list of what waits is written every 5 s.
            calm = 0 if state or time.time() - (document["updated"] or 0) < 1 else calm + 1


def judge(place: Layout, outcome: Outcome) -> None:
    """Let the checker look, and add what it finds."""
    store = place.folder("store") / "imports.jsonl"
    lines = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    written = manifest.read(place.base / "manifest.jsonl")
    found = {name: checker.found_below(place.folder(name)) for name in ("incoming", "staging", "DropBox", "quarantine")}
    found["incoming"], aside = checker.without_aside(found["incoming"])
    found["quarantine"] += aside
    outcome.files += len(written)
    outcome.imported += len(lines)
    outcome.aside += sum(not file.path.endswith(".reason.txt") for file in found["quarantine"])
    outcome.waiting += len(found["incoming"])
    outcome.problems += checker.problems(
        written,
        [checker.Imported(line["path"], line["sha256"]) for line in lines],
        incoming=found["incoming"], staging=found["staging"], dropbox=found["DropBox"], quarantine=found["quarantine"],
    )  # fmt: skip

# SPDX-License-Identifier: GPL-3.0-or-later
"""settle's figures: scan, memory and rest with many files, and how soon a complete set is in DropBox under load.

Alone and short: ``PYTHONPATH=src python -m tests.bench.settle --seconds 30``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facility.drive.settle.inotify import MOVED_TO, Inotify
from tests.bench.figures import Figure, figures_table
from tests.faults.layout import Layout, prepared

FILES, SETS = 100_000, 1_000
SCAN_SECONDS = 2
MEGABYTES = 60
REST_PERCENT = 1
LOAD_SECONDS = 300
FILES_PER_SECOND, FILES_PER_SET = 200, 10
BIG_SET, BIG_SET_SECONDS = 50_000, 10
QUIET_SECONDS = 2.0
LATE_SECONDS = 1.0
LOGIN = "aadler"
# settle's own speed: with an OMERO that takes whatever it gets.
SETTINGS = {"monitor_max_age": 15.0, "files_at_once": 1_000_000, "files_at_most": 1_000_000}
Say = Callable[[str], None]


def figures(say: Say, load_seconds: int = LOAD_SECONDS, files: int = FILES, sets: int = SETS) -> list[Figure]:
    """All figures; needs root, since settle runs as its own user on files of another one."""
    load = _under_load(say, load_seconds)
    big, empty = _one_big_set(say)
    return [*_at_rest(say, files, sets, empty), big, load]


def _one_big_set(say: Say) -> tuple[Figure, float]:
    """How long one set of many files takes; and the memory of a settle that has no other."""
    layout = prepared((LOGIN,), {**SETTINGS, "quiet_seconds": QUIET_SECONDS, "written_quiet_seconds": QUIET_SECONDS})
    arrived: dict[str, float] = {}
    try:
        with _monitor(layout), _settle(layout) as process:
            _first_metrics(layout)
            box = layout.folder("DropBox") / LOGIN
            time.sleep(3)
            empty = _peak_megabytes(process.pid)
            say(f"settle: one set of {BIG_SET} files")
            with _arrivals(box, arrived):
                closed = _write_set(layout, "big", BIG_SET)
                ends = time.monotonic() + 60
                while not arrived and time.monotonic() < ends:
                    time.sleep(0.1)
        began = time.monotonic()
        _bare_walk(box)
        bare = time.monotonic() - began
        fault = "" if sum(len(names) for _, _, names in os.walk(box)) == BIG_SET else "not all files are there"
    finally:
        layout.remove()
    took = arrived.get("big", float("inf")) - closed - QUIET_SECONDS
    figure = Figure(
        f"settle: one set of {BIG_SET} files, beyond its quiet time", "s", BIG_SET_SECONDS, took, bare,
        "os.walk and stat of the same", took / bare, (took,), fault,
    )  # fmt: skip
    return figure, empty


def _at_rest(say: Say, files: int, sets: int, empty: float) -> list[Figure]:
    # A day: so that everything waits.
    layout = prepared((LOGIN,), {**SETTINGS, "quiet_seconds": 86400.0})
    try:
        say(f"settle: make {files} files in {sets} sets")
        for number in range(sets):
            _write_set(layout, f"set {number}", files // sets)
        say("baseline: a bare walk with stat")
        bare = statistics.median(_bare_walk(layout.folder("incoming")) for _ in range(3))
        say("settle scans them, then rests for 20 s")
        with _monitor(layout), _settle(layout) as process:
            metrics = _first_metrics(layout)
            time.sleep(5)
            before, idle_began = _cpu_seconds(process.pid), time.monotonic()
            time.sleep(20)
            percent = 100 * (_cpu_seconds(process.pid) - before) / (time.monotonic() - idle_began)
            peak = _peak_megabytes(process.pid)
        scan = metrics["settle_last_scan_seconds"]
        found = metrics['settle_sets{state="waiting"}']
    finally:
        layout.remove()
    return [
        Figure(
            f"settle: scan {files} files in {sets} sets", "s", SCAN_SECONDS, scan, bare, "os.walk and stat of the same",
            scan / bare, (scan,), "" if found == sets else f"it found {found:.0f} sets",
        ),
        Figure(
            "settle: peak memory with them", "MB", MEGABYTES, peak, empty, "settle with one set",
            peak / empty, (peak,),
        ),
        Figure(
            "settle: CPU at rest with them", "%", REST_PERCENT, percent, None, "", None, (percent,),
            remark="of one core, for 20 s, while the DropBox monitor reports every 2 s",
        ),
    ]  # fmt: skip


def _under_load(say: Say, seconds: int) -> Figure:
    layout = prepared((LOGIN,), {**SETTINGS, "quiet_seconds": QUIET_SECONDS, "written_quiet_seconds": QUIET_SECONDS})
    closed: dict[str, float] = {}
    arrived: dict[str, float] = {}
    try:
        with _monitor(layout), _settle(layout) as process:
            _first_metrics(layout)
            box = layout.folder("DropBox") / LOGIN
            while not box.is_dir():
                time.sleep(0.1)
            time.sleep(3)  # until the DropBox monitor says that it is watched
            say(f"settle: {FILES_PER_SECOND} files/s for {seconds} s")
            with _arrivals(box, arrived):
                busy, began = _cpu_seconds(process.pid), time.monotonic()
                per_second = FILES_PER_SECOND // FILES_PER_SET
                for number in range(seconds * per_second):
                    name = f"set {number}"
                    closed[name] = _write_set(layout, name, FILES_PER_SET)
                    time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
                took = time.monotonic() - began
                ends = time.monotonic() + QUIET_SECONDS + 30
                while len(arrived) < len(closed) and time.monotonic() < ends:
                    time.sleep(0.2)
                percent = 100 * (_cpu_seconds(process.pid) - busy) / (time.monotonic() - began)
    finally:
        layout.remove()
    waits = sorted(arrived[name] - closed[name] for name in arrived)
    p99 = waits[int(0.99 * (len(waits) - 1))]
    rate = FILES_PER_SET * len(closed) / took
    faults = []
    if len(arrived) < len(closed):
        faults.append(f"{len(closed) - len(arrived)} sets did not arrive")
    if rate < 0.95 * FILES_PER_SECOND:
        faults.append(f"only {rate:.0f} files/s could be written")
    if waits[0] < QUIET_SECONDS:
        faults.append(f"a set was taken after {waits[0]:.2f} s")
    return Figure(
        f"settle: last close to DropBox, p99, {FILES_PER_SECOND} files/s for {seconds} s", "s",
        QUIET_SECONDS + LATE_SECONDS, p99, QUIET_SECONDS, "the quiet time", p99 / QUIET_SECONDS,
        (waits[0], statistics.median(waits), p99, waits[-1]), "; ".join(faults),
        f"runs: least, median, p99, most of {len(waits)} sets; {percent:.0f} % CPU",
    )  # fmt: skip


def _write_set(layout: Layout, name: str, files: int) -> float:
    """Write a set as its person; give the time after its last close."""
    person = layout.person(LOGIN)
    top = layout.folder("incoming") / LOGIN / name
    top.mkdir()
    os.chown(top, person, person)
    for number in range(files):
        descriptor = os.open(top / f"{number}.tif", os.O_WRONLY | os.O_CREAT, 0o660)
        os.fchown(descriptor, person, person)
        os.write(descriptor, b"pixels")
        os.close(descriptor)
    return time.time()


def _bare_walk(folder: Path) -> float:
    began = time.monotonic()
    for place, _, names in os.walk(folder):
        for name in names:
            os.stat(f"{place}/{name}")  # noqa: PTH116 - pathlib would be most of what is measured
    return time.monotonic() - began


@contextmanager
def _settle(layout: Layout) -> Iterator[subprocess.Popen[bytes]]:
    (layout.base / "run" / "settle.prom").unlink(missing_ok=True)
    with (layout.base / "settle.log").open("ab") as log:
        process = subprocess.Popen(layout.settle(), env=layout.environment, cwd="/", stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def _monitor(layout: Layout) -> Iterator[None]:
    """A DropBox monitor that always sees OMERO alive, and nothing imported."""
    stop = threading.Event()

    def report() -> None:
        while not stop.is_set():
            document = {
                "time": time.time(),
                "alive": True,
                "since": 1.0,
                "watching": [folder.name for folder in layout.folder("DropBox").iterdir()],
            }
            new = layout.monitor.with_suffix(".new")
            new.write_text(json.dumps(document))
            new.rename(layout.monitor)
            stop.wait(2)

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _arrivals(box: Path, arrived: dict[str, float]) -> Iterator[None]:
    """Note when something is renamed into a folder."""
    watch = Inotify()
    descriptor = os.open(box, os.O_RDONLY | os.O_DIRECTORY)
    watch.watch(descriptor)
    stop = threading.Event()

    def note() -> None:
        while not stop.wait(0.005):
            now = time.time()
            for event in watch.read():
                if event.mask & MOVED_TO:
                    arrived[event.name] = now

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        watch.close()
        os.close(descriptor)


def _first_metrics(layout: Layout) -> dict[str, float]:
    file = layout.base / "run" / "settle.prom"
    ends = time.monotonic() + 60
    while not file.exists():
        if time.monotonic() > ends:
            raise TimeoutError(f"settle wrote no metrics: {(layout.base / 'settle.log').read_text()}")
        time.sleep(0.1)
    return {name: float(value) for name, value in re.findall(r"^([a-z].*) (\S+)$", file.read_text(), re.MULTILINE)}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_megabytes(pid: int) -> float:
    found = re.search(r"^VmHWM:\s*(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def main() -> int:
    """Measure settle alone; print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.settle", description=__doc__)
    parser.add_argument("--seconds", type=int, default=LOAD_SECONDS, help="of load")
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--sets", type=int, default=SETS)
    options = parser.parse_args()
    found = figures(print, options.seconds, options.files, options.sets)
    print(figures_table(found))
    for figure in found:
        print(figure.name, [round(run, 3) for run in figure.runs], figure.remark)
    return 0


if __name__ == "__main__":
    sys.exit(main())

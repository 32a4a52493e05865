# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the backups, on a host of their own: a night without changes, a restore of everything, and memory.

The baselines are restic itself on the same tree, with the same server.
Alone: ``PYTHONPATH=src python -m tests.bench.backup``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from testbed.hosts import access, driver
from testbed.hosts.bed import bed_of_inventory
from testbed.paths import BUILD, REPOSITORY
from testbed.podman import inspect
from tests.bench import memory
from tests.bench.figures import Figure, figures_table

HERE = Path(__file__).parent
INVENTORY = HERE / "backup_inventory.yml"
BED = "bench-backup"
HOST = "backup1.bench-backup.test"
FOLDER = BUILD / BED
FILES, FILES_PER_FOLDER = 200_000, 100
GIGABYTES = 5
REPEATS = 3
NO_CHANGE_TIMES, RESTORE_TIMES, MEGABYTES = 1.3, 1.2, 400
Say = Callable[[str], None]

_TREE = """
import os, pathlib, sys
files, per_folder = int(sys.argv[1]), int(sys.argv[2])
for first in range(0, files, per_folder):
    folder = pathlib.Path(f"/srv/bench/tree/{first // 10000}/{first}")
    folder.mkdir(parents=True)
    noise = os.urandom(2048)
    for number in range(first, min(first + per_folder, files)):
        (folder / f"plane {number}.tif").write_bytes(noise + str(number).encode())
"""
_BIG = """
import os, pathlib, sys
folder = pathlib.Path("/srv/bench/big")
folder.mkdir(parents=True)
for number in range(int(sys.argv[1]) * 10):
    with (folder / f"stack {number}.ims").open("wb") as file:
        for _ in range(25):
            file.write(os.urandom(4_000_000))
"""


class BackupBenchError(Exception):
    """A measurement can't be taken; the message shows what failed."""


def figures(say: Say, files: int = FILES, gigabytes: int = GIGABYTES) -> list[Figure]:
    """All figures; needs root, and three times the gigabytes on disk."""
    with _host(say):
        say(f"backups: make {files} files")
        _python(_TREE, str(files), str(FILES_PER_FOLDER))
        night, peak = _nights(say, files)
        say(f"backups: make {gigabytes} GB and back them up")
        _python(_BIG, str(gigabytes))
        _on_host("facility-restic backup --quiet /srv/bench/big")
        return [night, peak, _restore(say, gigabytes)]


def _nights(say: Say, files: int) -> tuple[Figure, Figure]:
    say("backups: the first night, and the baseline's first")
    first_peak = _peak_while(_night)
    bare_peak = _peak_while(_bare)
    ours, bare, peaks = [], [], [first_peak]
    for number in range(1, REPEATS + 1):
        say(f"backups: a night without changes, then bare restic ({number} of {REPEATS})")
        ours.append(_seconds(lambda: peaks.append(_peak_while(_night))))
        bare.append(_seconds(lambda: _peak_while(_bare)))
    ratio = median(ours) / median(bare)
    return (
        Figure(
            f"backup: a night without changes, {files} files", "s", NO_CHANGE_TIMES * median(bare), median(ours),
            median(bare), "bare restic backup of the same tree", ratio, ours,
            remark=f"limit: {NO_CHANGE_TIMES} times the baseline",
        ),
        Figure(
            f"backup: memory of the client, {files} files (PSS, at most)", "MB", MEGABYTES, max(peaks), bare_peak,
            "bare restic's first backup", max(peaks) / bare_peak, peaks,
        ),
    )  # fmt: skip


def _restore(say: Say, gigabytes: int) -> Figure:
    # As playbooks/ops/restore_omero.yml calls it.
    ours = "facility-restic restore latest:/srv/bench/big --target /srv/bench/back --overwrite if-changed"
    bare = f"{_ENVIRONMENT} restic restore latest:/srv/bench/big --target /srv/bench/back"
    took: dict[str, list[float]] = {ours: [], bare: []}
    for number in range(1, REPEATS + 1):
        for command, runs in took.items():
            say(f"backups: restore {gigabytes} GB, {'ours' if command == ours else 'bare'} ({number} of {REPEATS})")
            _on_host("rm -rf /srv/bench/back; sync")
            runs.append(_seconds(lambda line=command: _on_host(line)))
    whole = _on_host("diff -rq /srv/bench/big /srv/bench/back && echo same").endswith("same\n")
    return Figure(
        f"backup: restore {gigabytes} GB", "s", RESTORE_TIMES * median(took[bare]), median(took[ours]),
        median(took[bare]), "bare restic restore of the same", median(took[ours]) / median(took[bare]), took[ours],
        "" if whole else "what came back differs", f"limit: {RESTORE_TIMES} times the baseline",
    )  # fmt: skip


# What facility-restic sets, without facility-restic.
_ENVIRONMENT = (
    f"RESTIC_REPOSITORY=rest:https://{HOST}:8001/{HOST}/ RESTIC_REST_USERNAME={HOST} "
    "RESTIC_REST_PASSWORD=$(cat /etc/facility-backup/server-password) RESTIC_CACERT=/etc/facility/tls/ca.crt "
    "RESTIC_PASSWORD_FILE=/etc/facility-backup/repository-password RESTIC_CACHE_DIR=/var/cache/bench-restic"
)


def _night() -> None:
    _on_host("systemctl start facility-backup")


def _bare() -> None:
    _on_host(f"{_ENVIRONMENT} nice -n 19 ionice -c 3 restic backup --quiet --tag bare /srv/bench/tree")


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _peak_while(act: Callable[[], object]) -> float:
    """Do it; return the most MB that restic and our program took meanwhile."""
    peak, ended = 0.0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not ended.wait(0.2):
            peak = max(peak, memory.of_commands(HOST, ("restic", "facility.backup.client")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        act()
    finally:
        ended.set()
        thread.join()
    return peak


@contextmanager
def _host(say: Say) -> Iterator[None]:
    try:
        _clear()  # a bench that was killed
        say(f"bring up {HOST} and provision it (about a minute)")
        driver.up(bed_of_inventory(BED, INVENTORY))
        command = ["ansible-playbook", "-i", str(INVENTORY), str(HERE / "backup_provision.yml")]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BackupBenchError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}")
        yield
    finally:
        _clear()


def _clear() -> None:
    if inspect("container", [HOST]):
        driver.down(BED)
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.rmtree(access.folder(BED), ignore_errors=True)


def _python(program: str, *arguments: str) -> None:
    _run(["python3", "-", *arguments], program)


def _on_host(line: str) -> str:
    return _run(["sh", "-c", line])


def _run(command: list[str], given: str = "") -> str:
    done = subprocess.run(
        ["podman", "exec", "--interactive", HOST, *command], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupBenchError(f"{' '.join(command)[:300]}: {done.stdout}{done.stderr}")
    return done.stdout


def main() -> int:
    """Measure the backups alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.backup", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--gigabytes", type=int, default=GIGABYTES)
    options = parser.parse_args()
    began = time.monotonic()
    found = figures(
        lambda what: print(f"[{time.monotonic() - began:6.1f} s] {what}", flush=True), options.files, options.gigabytes
    )
    print(figures_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

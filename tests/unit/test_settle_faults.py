# SPDX-License-Identifier: GPL-3.0-or-later
"""settle as a process among others: a few random runs, a full disk, a lost event, the checker itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import layout
from tests.faults.checker import Found, Imported, problems
from tests.faults.manifest import Written
from tests.faults.run import services


def test_whatever_dies_every_file_is_found_whole_and_once():
    """In full: `PYTHONPATH=src python -m tests.faults --runs 200`; each run is a process of its own, since it forks."""
    command = [layout.PYTHON, "-m", "tests.faults", "--runs", "2", "--seed", str(time.time_ns() % 10**6)]
    done = subprocess.run(
        [*command, "--parallel", "2"], cwd=layout.REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{layout.REPOSITORY}:{layout.SOURCES}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


WHOLE = Written("aadler", "s", "a.tif", "1", "complete")


@pytest.mark.parametrize(
    ("written", "imports", "places", "problem"),
    [
        ([WHOLE], ["aadler/s/a.tif 1"], {"dropbox": "aadler/s/a.tif 1"}, ""),
        ([WHOLE], [], {"incoming": "aadler/s/a.tif 1"}, ""),
        ([WHOLE], [], {"quarantine": "aadler/s/a.tif 1"}, "without a reason"),
        ([WHOLE], [], {"staging": "aadler~1/a.tif 1"}, "left in staging"),
        ([WHOLE], [], {}, "lost"),
        ([WHOLE], [], {"dropbox": "aadler/s/a.tif 1"}, "never imported"),
        ([WHOLE], ["aadler/s/a.tif 1"] * 2, {"dropbox": "aadler/s/a.tif 1"}, "imported 2 times"),
        ([WHOLE], ["aadler/s/a.tif 2"], {"incoming": "aadler/s/a.tif 1"}, "imported half"),
        ([WHOLE], ["bbaer/s/a.tif 1"], {"dropbox": "aadler/s/a.tif 1"}, "another person"),
        ([WHOLE], ["aadler/s/a.tif 1"], {"incoming": "aadler/s/a.tif 1"}, "still in incoming"),
        ([WHOLE], ["aadler/s/a.tif 1"], {}, ""),
        (
            [WHOLE, Written("aadler", "s", "b.tif", "2")], ["aadler/s/a.tif 1"], {"incoming": "aadler/b.tif half"},
            "a part of s",
        ),
        ([WHOLE, Written("aadler", "s", "b.tif", "2")], ["aadler/s/a.tif 1"], {"dropbox": "aadler/s/a.tif 1"}, ""),
    ],
)  # fmt: skip
def test_the_checker_sees_each_kind_of_failure(written, imports, places, problem):
    names = ("incoming", "staging", "dropbox", "quarantine")
    found = {name: [Found(*places[name].rsplit(" ", 1))] if name in places else [] for name in names}
    wrong = problems(written, [Imported(*entry.rsplit(" ", 1)) for entry in imports], **found)
    assert any(problem in line for line in wrong) if problem else not wrong


@pytest.fixture
def small_disk() -> Iterator[Path]:
    # Not below tmp_path: settle runs as a user of its own, and every other pytest that starts on this machine
    # closes the folder above tmp_path to all but root.
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def wait_for(condition, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.1)


def imported(place: layout.Layout) -> list[str]:
    store = place.folder("store") / "imports.jsonl"
    return [json.loads(line)["path"] for line in store.read_text().splitlines()] if store.exists() else []


def write(place: layout.Layout, name: str) -> None:
    path = place.folder("incoming") / "aadler" / name
    path.write_bytes(b"pixels")
    os.chown(path, place.person("aadler"), -1)


def test_on_a_full_disk_all_waits_and_goes_on_when_there_is_room(small_disk):
    place = layout.prepared(parent=str(small_disk))
    settle, importer = services(place)
    try:
        settle.start()
        importer.start()
        wait_for((place.folder("run") / "settle.prom").exists)
        for number in range(20):
            write(place, f"{number}.tif")
        with pytest.raises(OSError, match="No space left"), (small_disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        wait_for(lambda: "No space left" in (place.base / "settle.log").read_text())
        settle.end()
        settle.start()
        time.sleep(1)
        assert imported(place) == []
        (small_disk / "ballast").unlink()

        def all_imported() -> bool:
            # As systemd does, should the full disk have ended one of them, also at the last moment.
            settle.start()
            importer.start()
            return sorted(imported(place)) == sorted(f"aadler/{number}/{number}.tif" for number in range(20))

        wait_for(all_imported)
        time.sleep(1)
        assert all_imported()
    except AssertionError:
        sys.stdout.writelines(log.read_text()[-3000:] for log in place.base.glob("*.log"))
        raise
    finally:
        settle.end()
        importer.end()


def test_settle_ends_cleanly_when_it_is_told_to(tmp_path):
    place = layout.prepared()
    settle, importer = services(place)
    try:
        settle.start()
        wait_for((place.folder("run") / "settle.prom").exists)
        settle.end(signal.SIGTERM)
        assert (place.base / "settle.log").read_text().splitlines()[-1] == "INFO stopped"
        assert place.status() == {"updated": place.status()["updated"], "sets": []}
    finally:
        settle.end()
        importer.end()
        place.remove()


def test_more_events_than_the_queue_holds_lose_nothing():
    place = layout.prepared(settings={"rescan_seconds": 3600})
    settle, importer = services(place)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    try:
        settle.start()
        importer.start()
        wait_for((place.folder("run") / "settle.prom").exists)
        top = place.folder("incoming") / "aadler" / "busy"
        settle._process.send_signal(signal.SIGSTOP)
        top.mkdir()
        os.chown(top, place.person("aadler"), -1)
        path = place.folder("incoming") / "aadler" / "flood.tif"
        other = path.with_name("other.tif")
        write(place, path.name)
        for _ in range(limit // 2 + 10):
            path.rename(other)
            other.rename(path)
        write(place, "late.tif")
        settle._process.send_signal(signal.SIGCONT)
        wait_for(lambda: sorted(imported(place)) == ["aadler/flood/flood.tif", "aadler/late/late.tif"])
        assert "overflowed" in (place.base / "settle.log").read_text()
    finally:
        settle.end()
        importer.end()
        place.remove()

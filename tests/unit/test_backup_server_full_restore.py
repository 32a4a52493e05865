# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a database knows of comes back, or the weekly drill fails."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from facility.backup.restic import Snapshot
from facility.backup.server import full_restore, state
from facility.backup.server.config import Config, FullRestoreConfig, RepositoryConfig, StanzaConfig

NOW = time.time()
KEY = "a" * 64


class Repository:
    """One snapshot, begun now, with some files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def snapshots(self):
        return [Snapshot(KEY, NOW, "h", ("/",))]

    def restore(self, snapshot, paths, target):
        for path in paths:
            if path in self.files:
                place = Path(target + path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(self.files[path])
        return ""


@pytest.fixture
def config(tmp_path) -> Config:
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / KEY).write_text("")
    (tmp_path / "scratch" / "restic").mkdir(parents=True)
    file = tmp_path / "x"
    return Config(
        tmp_path, file, tmp_path, file, tmp_path / "scratch", tmp_path,
        repositories=(RepositoryConfig("omero1", tmp_path, "client", {"within": "14d"}),),
        stanzas=(StanzaConfig("omero", tmp_path),),
        full_restores=(FullRestoreConfig("omero", "omero", "omero1", "/OMERO", "SELECT"),),
    )  # fmt: skip


def row(name: str, data: bytes, **changed) -> dict[str, object]:
    told = {"file": name, "size": len(data), "sha1": hashlib.sha1(data).hexdigest(), "time": NOW - 60}
    return told | changed


def drilled(config, monkeypatch, files, rows, asked=NOW):
    monkeypatch.setattr(full_restore, "open_repository", lambda _: Repository(files))
    state.write(config.database_state / "full-restore-omero.json", {"time": asked, "rows": rows})
    complaints = full_restore.run(config)
    return complaints, state.read(config.state / state.WEEKLY_FILE)


def test_all_files_come_back_and_are_counted(config, monkeypatch):
    files = {"/OMERO/a/1": b"one", "/OMERO/a/2": b"two"}
    rows = [row("a/1", b"one"), row("/a/2", b"two", sha1="")]
    complaints, told = drilled(config, monkeypatch, files, rows)
    assert complaints == []
    assert (told["ok"], told["files"], told["rows"], told["bytes"]) == (True, 2, 2, 6)
    assert list((config.scratch / "restic").rglob("*1")) == []


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({}, {}),
        ({"/OMERO/a/1": b"onx"}, {}),
        ({"/OMERO/a/1": b"one and more"}, {"sha1": ""}),
    ],
)
def test_a_file_that_is_missing_or_another_one_fails_the_drill(config, monkeypatch, files, changed):
    complaints, told = drilled(config, monkeypatch, files, [row("a/1", b"one", **changed)])
    assert "1 of 1 files" in complaints[0]
    assert "a/1" in complaints[0]
    assert told["ok"] is False


def test_what_came_in_after_the_backup_began_is_not_missed(config, monkeypatch):
    rows = [row("a/1", b"one"), row("a/late", b"late", time=NOW + 1)]
    complaints, told = drilled(config, monkeypatch, {"/OMERO/a/1": b"one"}, rows)
    assert complaints == []
    assert (told["files"], told["rows"]) == (1, 2)


def test_a_drill_that_restored_nothing_fails(config, monkeypatch):
    complaints, told = drilled(config, monkeypatch, {}, [])
    assert "proves nothing" in complaints[0]
    assert told["ok"] is False


def test_an_old_list_of_files_fails_the_drill(config, monkeypatch):
    rows = [row("a/1", b"one")]
    complaints, _ = drilled(config, monkeypatch, {"/OMERO/a/1": b"one"}, rows, asked=NOW - 2 * 86400)
    assert "backup-drill-whole-list" in complaints[0]


def test_parts_fit_the_scratch_disk():
    rows = [{"file": str(n), "size": 900_000_000} for n in range(5)] + [{"file": "big", "size": 9_000_000_000}]
    found = list(full_restore.parts(rows))
    assert [len(part) for part in found] == [2, 2, 1, 1]
    assert [row for part in found for row in part] == rows
    assert [len(part) for part in full_restore.parts([{"file": "x", "size": 0}] * 1001)] == [500, 500, 1]
    assert list(full_restore.parts([])) == []

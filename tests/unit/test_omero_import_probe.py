# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe's image, when its folder counts as watched, and how it is put there."""

from __future__ import annotations

import json
import os
import pwd
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.omero import connection
from facility.omero.connection import OmeroError
from facility.omero.import_probe import Way, is_watched, offer, picture

OWNER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Way:
    """A DropBox of this test's, whose monitor's report is a file of its own."""
    monkeypatch.setattr(connection, "_ASK_SECONDS", 0.01)
    (tmp_path / "DropBox").mkdir()
    return Way("svc-probe", tmp_path / "DropBox", tmp_path / "report.json", OWNER, seconds=5)


def test_a_probe_is_an_image_and_each_is_another_one() -> None:
    content = picture("one")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        chunks[kind] = content[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + chunks[kind]) == int.from_bytes(content[at + 8 + length : at + 12 + length])
        at += 12 + length
    assert chunks[b"IHDR"][:10] == bytes([0, 0, 0, 16, 0, 0, 0, 16, 8, 0])
    assert len(zlib.decompress(chunks[b"IDAT"])) == 16 * 17
    assert picture("one") == picture("one")
    assert picture("one") != picture("two")


@given(time=st.floats(0, 100), alive=st.booleans(), login=st.sampled_from(["a", "b"]), since=st.floats(0, 100))
def test_only_a_new_report_of_a_dropbox_that_hears_counts(time: float, alive: bool, login: str, since: float) -> None:
    told = is_watched({"time": time, "alive": alive, "watching": ["a"]}, login, since)
    assert told == (time >= since and alive and login == "a")
    assert not is_watched({}, login, since=1)


def test_a_file_appears_whole_once_its_folder_is_watched(way: Way) -> None:
    def watch() -> None:
        while not way.folder.is_dir():
            time.sleep(0.01)
        assert list(way.folder.iterdir()) == []
        way.report.write_text(json.dumps({"time": time.time() + 1, "alive": True, "watching": ["svc-probe"]}))

    watcher = threading.Thread(target=watch)
    watcher.start()
    offer(way, "probe.png", b"image")
    watcher.join()
    assert (way.folder / "probe.png").read_bytes() == b"image"
    assert sorted(path.name for path in way.dropbox.parent.iterdir()) == ["DropBox", "report.json"]


@pytest.mark.parametrize("report", ["", "no JSON", "[]", '{"time": 9e12, "alive": false, "watching": ["svc-probe"]}'])
def test_a_dropbox_that_does_not_watch_is_told_with_the_place_to_look_at(way: Way, report: str) -> None:
    way.report.write_text(report)
    short = Way(way.login, way.dropbox, way.report, way.owner, seconds=0.05)
    with pytest.raises(OmeroError, match=r"does not watch .*/svc-probe: look at journalctl -u omero-dropbox-monitor"):
        offer(short, "probe.png", b"image")
    assert list(way.folder.iterdir()) == []


def test_a_link_that_somebody_laid_in_the_way_is_not_followed(way: Way, tmp_path: Path) -> None:
    """OMERO's user may write where the file is made, and the module is root."""
    (theirs := tmp_path / "shadow").write_text("theirs")
    (way.dropbox.parent / ".probe.png").symlink_to(theirs)
    way.report.write_text(json.dumps({"time": time.time() + 60, "alive": True, "watching": ["svc-probe"]}))
    with pytest.raises(OmeroError, match="File exists: make room there, or remove what lies in its place"):
        offer(way, "probe.png", b"image")
    assert theirs.read_text() == "theirs"
    assert list(way.folder.iterdir()) == []


def test_without_omero_s_user_nothing_is_made(way: Way) -> None:
    with pytest.raises(OmeroError, match=r"is OMERO\.server installed here"):
        offer(Way(way.login, way.dropbox, way.report, "nobody-of-that-name", 1), "probe.png", b"")
    assert not way.folder.exists()

# SPDX-License-Identifier: GPL-3.0-or-later
"""A file is the old one or the new one, whatever happens, and has the rights that were asked for."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facility.core import replace_file as module
from facility.core.replace_file import prepared_file, replace_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("content", ["ä\n", b"\xff", "\udcff", ""])
def test_the_new_content_takes_the_old_one_s_place_and_nothing_else_stays(tmp_path, content, sync):
    file = tmp_path / "report.json"
    for _ in range(2):
        replace_file(file, content, sync=sync)
        assert file.read_bytes() == (content if isinstance(content, bytes) else os.fsencode(content))
    assert names(tmp_path) == ["report.json"]


def test_mode_and_owner_are_those_that_were_asked_for_whatever_the_umask(tmp_path):
    file = tmp_path / "secret"
    before = os.umask(0o077)
    try:
        replace_file(file, "x", mode=0o664, owner=(29999, 29998))
    finally:
        os.umask(before)
    status = file.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o664, 29999, 29998)


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "file").symlink_to("elsewhere")
    (tmp_path / ".file.new").symlink_to("elsewhere")
    replace_file(tmp_path / "file", "new")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


def test_what_a_crash_left_is_written_over(tmp_path):
    (tmp_path / ".file.new").write_text("half of")
    replace_file(tmp_path / "file", "whole")
    assert (tmp_path / "file").read_text() == "whole"
    assert names(tmp_path) == ["file"]


def test_the_content_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    steps = []
    real = os.fsync
    monkeypatch.setattr(module.os, "fsync", lambda descriptor: (steps.append("sync"), real(descriptor)))
    new = prepared_file(tmp_path / "file", "x")
    assert steps == ["sync"]
    assert names(tmp_path) == [new.name]
    replace_file(tmp_path / "file", "y")
    assert steps == ["sync"] * 3, "the file, and its folder"


@pytest.mark.parametrize("spoil", ["write", "place"])
def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, spoil):
    file = tmp_path / "file"
    file.write_text("old")
    if spoil == "write":
        monkeypatch.setattr(module.os, "fchmod", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            replace_file(file, "new")
    else:
        file.unlink()
        file.mkdir()
        with pytest.raises(OSError, match="directory"):
            replace_file(file, "new")
    assert names(tmp_path) == ["file"]
    assert file.is_dir() or file.read_text() == "old"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def test_a_full_disk_leaves_the_old_file(small_disk):
    replace_file(small_disk / "file", "old")
    with pytest.raises(OSError, match="No space left"):
        replace_file(small_disk / "file", "x" * 200_000)
    assert (small_disk / "file").read_text() == "old"
    assert names(small_disk) == ["file"]

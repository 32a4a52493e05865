# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's files: all of them or none, whatever goes wrong, and a check that tells the truth."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.core import files_in_place
from facility.core.files_in_place import FilesError, entries_of, put_in_place

MODULE = "files_in_place"


@pytest.fixture
def put(run_module):
    return lambda *files, check=False: run_module(MODULE, {"files": list(files)}, check=check)


def state(folder):
    """All paths below a folder, with what they hold, and their modes."""
    return {
        str(path.relative_to(folder)): (
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None,
            path.lstat().st_mode,
            path.lstat().st_ino,
        )
        for path in sorted(folder.rglob("*"))
    }


def some(folder):
    """A list with one of each kind."""
    return [
        {"path": f"{folder}/etc", "state": "directory", "mode": "0750"},
        {"path": f"{folder}/etc/a.conf", "content": "a\n"},
        {"path": f"{folder}/etc/password", "secret": "hunter2-hunter2"},
        {"path": f"{folder}/etc/link", "target": "a.conf"},
        {"path": f"{folder}/old", "state": "absent"},
    ]


def test_files_folders_and_links_are_as_wanted_and_a_second_run_changes_nothing(put, tmp_path):
    (tmp_path / "old").write_text("old")
    done = put(*some(tmp_path))
    assert done["changed_paths"] == [entry["path"] for entry in some(tmp_path)]
    assert (tmp_path / "etc/a.conf").read_text() == "a\n"
    assert (tmp_path / "etc/link").readlink() == Path("a.conf")
    assert not (tmp_path / "old").exists()
    modes = {name: stat.S_IMODE((tmp_path / "etc" / name).stat().st_mode) for name in (".", "a.conf", "password")}
    assert modes == {".": 0o750, "a.conf": 0o644, "password": 0o600}
    before = state(tmp_path)
    again = put(*some(tmp_path))
    assert (again["changed"], again["changed_paths"], again["diff"]) == (False, [], [])
    assert state(tmp_path) == before


def test_check_mode_tells_the_same_and_changes_nothing(put, tmp_path):
    (tmp_path / "old").write_text("old")
    before = state(tmp_path)
    told = put(*some(tmp_path), check=True)
    assert state(tmp_path) == before
    done = put(*some(tmp_path))
    assert told["changed_paths"] == done["changed_paths"]
    assert told["diff"] == done["diff"]


def test_only_the_file_that_changed_is_named_and_replaced(put, tmp_path):
    put({"path": f"{tmp_path}/a", "content": "1"}, {"path": f"{tmp_path}/b", "content": "1"})
    before = state(tmp_path)["a"]
    done = put({"path": f"{tmp_path}/a", "content": "1"}, {"path": f"{tmp_path}/b", "content": "2"})
    assert done["changed_paths"] == [f"{tmp_path}/b"]
    assert state(tmp_path)["a"] == before
    assert [(part["before"], part["after"]) for part in done["diff"]] == [("1", "2")]


def test_owner_and_mode_alone_are_put_right_in_the_same_file(put, tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0o666)
    inode = (tmp_path / "a").stat().st_ino
    done = put({"path": f"{tmp_path}/a", "content": "1", "mode": "0640"})
    assert done["changed"]
    assert "mode 0666" in done["diff"][0]["before"]
    assert "mode 0640" in done["diff"][0]["after"]
    assert ((tmp_path / "a").stat().st_ino, stat.S_IMODE((tmp_path / "a").stat().st_mode)) == (inode, 0o640)


def test_a_secret_is_in_no_result(put, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/password").write_text("former-secret")
    done = put(*some(tmp_path))
    assert "hunter2" not in str({**done, "invocation": ""})
    assert "former-secret" not in str(done)
    assert "hunter2" not in str(done["invocation"])
    assert done["changed"]


def test_a_link_in_a_file_s_place_is_replaced_and_not_followed(put, tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    put({"path": f"{tmp_path}/a", "content": "1"})
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "a").is_symlink()


REFUSED = {
    "a folder in a file's place": ({"path": "{}/folder", "content": "x"}, "is a folder"),
    "a file in a folder's place": ({"path": "{}/file", "state": "directory"}, "is a file, and a folder"),
    "a folder is never removed": ({"path": "{}/folder", "state": "absent"}, "is a directory, which is not removed"),
    "no folder to be in": ({"path": "{}/none/x", "content": "x"}, "none is not there: add it to the list"),
    "not valid": ({"path": "{}/new", "content": "x", "validate": "sh -c 'echo no word >&2; false' %s"}, "no word"),
    "no place in the validation": ({"path": "{}/new", "content": "x", "validate": "true"}, "as %s"),
    "no program to validate": ({"path": "{}/new", "content": "x", "validate": "no-program %s"}, "install what brings"),
    "nobody of that name": ({"path": "{}/new", "content": "x", "owner": "no-such-user"}, "knows no no-such-user"),
    "no mode": ({"path": "{}/new", "content": "x", "mode": "rw"}, "is none: write it like"),
    "relative": ({"path": "new", "content": "x"}, "absolute path"),
    "twice": ({"path": "{}/first", "content": "x"}, "twice"),
    "no content and no file": ({"path": "{}/new"}, "no content is given"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_can_t_be_is_refused_with_its_path_and_nothing_of_the_list_is_changed(put, tmp_path, kind):
    entry, reason = REFUSED[kind]
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    before = state(tmp_path)
    wanted = {**entry, "path": entry["path"].format(tmp_path)}
    # What comes before it in the list is well, and would be changed.
    done = (
        put(
            {"path": f"{tmp_path}/made", "state": "directory"},
            {"path": f"{tmp_path}/first", "content": "y"},
            {"path": f"{tmp_path}/file", "content": "z"} if kind != "a file in a folder's place" else wanted,
            wanted,
        )
        if kind != "a file in a folder's place"
        else put({"path": f"{tmp_path}/first", "content": "y"}, wanted)
    )
    assert done["failed"]
    assert reason in done["msg"]
    assert "Nothing was changed" in done["msg"]
    assert state(tmp_path) == before


def full_disk(folder):
    """A file system of two pages."""
    return os.system(f"mount -t tmpfs -o size=8k,mode=755 none {folder}") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_changes_nothing_and_says_so(put, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    assert full_disk(small)
    try:
        (tmp_path / "a").write_text("before")
        done = put({"path": f"{tmp_path}/a", "content": "after"}, {"path": f"{small}/big", "content": "x" * 100_000})
        assert done["failed"]
        assert f"{small}/big" in done["msg"]
        assert "make room there" in done["msg"]
        assert (tmp_path / "a").read_text() == "before"
        assert list(small.iterdir()) == []
    finally:
        os.system(f"umount {small}")


@settings(max_examples=60)
@given(st.data())
def test_whatever_breaks_at_whatever_moment_all_is_as_before(tmp_path_factory, data):
    """One of the calls that change something fails; the list has one of each kind, and things to be replaced."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "old").write_text("old")
    (folder / "kept").mkdir(mode=0o700)
    if data.draw(st.booleans(), "is there before"):
        (folder / "etc").mkdir()
        (folder / "etc/a.conf").write_text("former")
        (folder / "etc/link").symlink_to("elsewhere")
    before = state(folder)
    entries = entries_of([*some(folder), {"path": f"{folder}/kept", "state": "directory"}])
    fails_at = data.draw(st.integers(1, 25), "the call that fails")
    calls = 0

    def failing(real):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == fails_at:
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (os, "chown"),
            (os, "link"),
            (os, "fsync"),
            (Path, "mkdir"),
            (Path, "replace"),
            (Path, "symlink_to"),
        ):
            patch.setattr(owner, name, failing(getattr(owner, name)))
        try:
            put_in_place(entries, check_mode=False)
        except FilesError as error:
            assert "make room there" in str(error)
            broken = True
        else:
            broken = False
    assert broken == (calls >= fails_at)
    if broken:
        assert state(folder) == before
    assert list(folder.rglob(".*")) == []


def test_the_kinds_are_those_of_the_documentation():
    assert files_in_place.KINDS == ("file", "directory", "link", "absent")

# SPDX-License-Identifier: GPL-3.0-or-later
"""A program's files on a real disk: all of them, nothing else, or no change at all."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.python_program import Installed, ProgramError, changes, install

FILES = {"settle/__init__.py": "", "settle/cli.py": "print('old')\n", "facility/core/settings.py": "X = 'ä'\n"}
STATES = st.dictionaries(st.sampled_from(["a/b.py", "a/c/b.py", "b/b.py"]), st.text(max_size=3))


def there(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_was_installed_is_there_and_a_second_run_changes_nothing(tmp_path):
    folder = tmp_path / "lib" / "settle"
    done = install(folder, FILES, check_mode=False)
    assert (done.written, done.removed) == (FILES, ())
    assert there(folder) == FILES
    assert all(stat.S_IMODE((folder / name).stat().st_mode) == 0o644 for name in FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_dir()} == {0o755}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert not install(folder, FILES, check_mode=False)


def test_only_what_differs_is_written_and_what_is_old_goes(tmp_path):
    install(tmp_path, {**FILES, "settle/old.py": "", "gone/with/module.py": ""}, check_mode=False)
    (tmp_path / "settle" / "notes.txt").write_text("mine")
    (tmp_path / "start.py").write_text("no module of a package")
    new = {**FILES, "settle/cli.py": "print('new')\n"}
    done = install(tmp_path, new, check_mode=False)
    assert (list(done.written), done.removed) == (["settle/cli.py"], ("gone/with/module.py", "settle/old.py"))
    assert not (tmp_path / "gone").exists(), "an empty folder could still be imported as a package"
    assert there(tmp_path) == {**new, "settle/notes.txt": "mine", "start.py": "no module of a package"}
    assert done.diff("/lib")[1:] == [
        {
            "before_header": "/lib/settle/cli.py", "after_header": "/lib/settle/cli.py",
            "before": "print('old')\n", "after": "print('new')\n",
        },
        {"before_header": "/lib/settle/old.py", "after_header": "/lib/settle/old.py", "before": "", "after": ""},
    ]  # fmt: skip


def test_pages_belong_to_a_program_and_old_ones_go(tmp_path):
    pages = {"settle/pages/start.html": "<p>ä", "settle/style.css": "p {}", "settle/0001_first.py": "X = 1\n"}
    install(tmp_path, {**FILES, **pages, "settle/pages/old.html": ""}, check_mode=False)
    done = install(tmp_path, {**FILES, **pages}, check_mode=False)
    assert (done.written, done.removed) == ({}, ("settle/pages/old.html",))
    assert there(tmp_path) == {**FILES, **pages}
    assert stat.S_IMODE((tmp_path / "settle/pages/start.html").stat().st_mode) == 0o644


def test_check_mode_tells_it_and_changes_nothing(tmp_path):
    folder = tmp_path / "settle"
    assert set(install(folder, FILES, check_mode=True).written) == set(FILES)
    assert not folder.exists()


@pytest.mark.parametrize("spoil", ["mode", "owner", "link", "bytes"])
def test_what_somebody_spoilt_is_put_right(tmp_path, spoil):
    folder, elsewhere = tmp_path / "lib", tmp_path / "elsewhere.py"
    install(folder, FILES, check_mode=False)
    file = folder / "settle" / "cli.py"
    if spoil == "mode":
        file.chmod(0o666)
    elif spoil == "owner":
        os.chown(file, 29999, 29999)
    elif spoil == "link":
        elsewhere.write_text(FILES["settle/cli.py"])
        file.unlink()
        file.symlink_to(elsewhere)
    else:
        file.write_bytes(b"\xff\xfe")
    assert list(install(folder, FILES, check_mode=False).written) == ["settle/cli.py"]
    assert there(folder) == FILES
    assert not file.is_symlink()
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (0, 0o644)


@pytest.mark.parametrize("package", ["settle", "facility", "facility/core"])
@pytest.mark.parametrize("spoil", ["mode", "owner"])
def test_a_folder_that_others_could_write_is_put_right(tmp_path, spoil, package):
    folder = tmp_path / "lib"
    install(folder, FILES, check_mode=False)
    if spoil == "mode":
        (folder / package).chmod(0o777)
    else:
        os.chown(folder / package, 29999, 29999)
    for check_mode in (True, False):
        done = install(folder, FILES, check_mode=check_mode)
        assert (done.written, done.removed, done.folders) == ({}, (), (folder / package,))
    status = (folder / package).stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (0, 0o755)
    assert not install(folder, FILES, check_mode=False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "files is empty"),
        ({"cli.py": ""}, "should be package/module.py"),
        ({"../settle/cli.py": ""}, "should be package/module.py"),
        ({"../cli.py": ""}, "should be package/module.py"),
        ({"/cli.py": ""}, "should be package/module.py"),
        ({"settle/cli.sh": ""}, "should be package/module.py"),
        ({"facility/../../settle/cli.py": ""}, "should be package/module.py"),
        ({"facility/a b/cli.py": ""}, "should be package/module.py"),
        ({"settle/new.py": "", "settle/cli.py": "def (:\n"}, "can't read settle/cli.py: .*line 1"),
        ({"settle/cli.py": "\0"}, "can't read settle/cli.py"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(tmp_path, wrong, words):
    install(tmp_path, FILES, check_mode=False)
    with pytest.raises(ProgramError, match=words):
        install(tmp_path, wrong, check_mode=False)
    assert there(tmp_path) == FILES


@pytest.fixture
def full_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def test_a_full_disk_leaves_the_old_program_whole_and_the_next_run_goes_on(full_disk):
    install(full_disk, FILES, check_mode=False)
    big = {"settle/__init__.py": "# new\n", "settle/cli.py": "#" * 100_000, "facility/core/settings.py": "Y = 1\n"}
    with pytest.raises(OSError, match="No space left"):
        install(full_disk, big, check_mode=False)
    assert {name: (full_disk / name).read_text() for name in FILES} == FILES
    small = {**big, "settle/cli.py": "print('fits')\n"}
    install(full_disk, small, check_mode=False)
    assert there(full_disk) == small


@given(STATES, STATES)
def test_the_changes_lead_to_what_is_wanted_and_touch_nothing_else(before, wanted):
    planned = changes({name: Installed(text) for name, text in before.items()}, wanted)
    after = {name: text for name, text in before.items() if name not in planned.removed}
    assert {**after, **planned.written} == wanted
    assert all(before.get(name) != text for name, text in planned.written.items())
    assert bool(planned) == (before != wanted)

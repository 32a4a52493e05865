# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody at the PC waits for the facility's runs, at every name they use, to read or to replace what is there."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager

import pytest

# As the person's own Unix account, so that the kernel refuses what the PC's access lists refuse.
WAITING = r"""
import json, os, sys, threading
drive = "/var/lib/device-pc/prefix/drive_c/"
places = [drive + name for name in ("windows/temp", "Program Files", "ProgramData", "users")]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
seen, read, written = set(), {}, set()

def below(folder):
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        yield entry.path, entry.is_dir(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            yield from below(entry.path)

def all_there():
    return [one for place in places for one in below(place)]

def slipped_in(path, is_folder):
    try:
        with open(path + "/owned.txt" if is_folder else path, "w" if is_folder else "a") as file:
            file.write('WScript.Echo("owned")')
        return True
    except OSError:
        return False

open(os.path.expanduser("~/seen"), "w").close()
before = {path for path, _ in all_there()}
print("waiting", flush=True)
while not ended.is_set():
    for path, is_folder in all_there():
        if path in before:
            continue
        if path not in seen:
            with open(os.path.expanduser("~/seen"), "a") as file:
                print(path, file=file)
        seen.add(path)
        try:
            text = " ".join(os.listdir(path)) if is_folder else open(path, "rb").read(4000).decode("latin-1")
            read[path] = read.get(path, "") + text
        except OSError:
            pass
        if path not in written and not path.endswith("owned.txt") and slipped_in(path, is_folder):
            written.add(path)
print(json.dumps({"seen": sorted(seen), "read": read, "written": sorted(written)}))
"""


@pytest.fixture
def waiting():
    """Somebody waits while the block runs; then it is known what they saw, read, and put there."""

    @contextmanager
    def waiting(pc):
        command = ["podman", "exec", "--interactive", pc.params["host"], "runuser", "-u", "console-user", "--"]
        found = {}
        with subprocess.Popen(
            [*command, "python3", "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as person:
            try:
                assert person.stdout.readline() == "waiting\n"
                yield found
            finally:
                person.stdin.close()
                found.update(json.loads(person.stdout.read()))

    return waiting


def test_a_run_has_no_folder_for_temporary_files_but_the_one_of_all_users(pc):
    shown = pc.run("echo %TEMP% %TMP% %USERNAME%").output
    assert shown.split() == [r"C:\windows\temp", r"C:\windows\temp", "facility-admin"]


def test_whoever_waits_gets_at_what_lies_in_the_folder_of_all_users(pc, waiting, until):
    # So that the next test can fail.
    with waiting(pc) as found:
        pc.run(r'echo secret>"%TEMP%\known.txt"')
        until(lambda: "known.txt" in pc.host.run("cat ~console-user/seen").stdout)
    pc.run(r'del "%TEMP%\known.txt"')
    assert any("secret" in text for text in found["read"].values()), found


def test_whoever_waits_reads_nothing_of_a_run_and_puts_nothing_in_its_way(mended, waiting):
    with waiting(mended) as found:
        mended.look(probe=True)
        assert mended.deploy(journal_days=9)["changed"]
        assert mended.deploy()["changed"]
        mended.look()
    folders = {path.split("/")[7] for path in found["seen"] if "Facility-run-" in path}
    assert len(folders) >= 4, f"a name is used twice, or nobody waited: {found}"
    assert not [path for path in found["seen"] if "/windows/temp/" in path]
    assert {path: text for path, text in found["read"].items() if text} == {}
    assert found["written"] == []
    assert not mended.look()["changed"]

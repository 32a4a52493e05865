# SPDX-License-Identifier: GPL-3.0-or-later
"""What restic 0.18 says is understood, and what goes wrong is told with its cure. The texts are the real tool's."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup import restic
from facility.backup.restic import Repository, ResticError, arrivals, epoch, epoch_ns, explained, literal

ONE, TWO = "7f37563c2908ed12cf4d259e84c2444a6c862f7c4c66ec03c9acca19cb615da7", "79082c76" * 8
SNAPSHOTS = [
    {
        "time": "2026-11-26T01:32:01.033002975Z", "parent": ONE, "tree": "b8", "paths": ["/t/data"],
        "hostname": "omero1", "uid": 0, "gid": 0, "tags": ["nightly"], "program_version": "restic 0.18.0",
        "summary": {"total_files_processed": 32, "total_bytes_processed": 3553259}, "id": TWO, "short_id": "79082c76",
    },
    {
        "time": "2026-11-26T01:31:58.282116184+01:00", "tree": "06", "paths": ["/t/data"], "hostname": "omero1",
        "username": "root", "id": ONE, "short_id": "7f37563c",
    },
]  # fmt: skip
WRONG = '{"message_type":"exit_error","code":12,"message":"Fatal: wrong password or no key found"}\n'
REFUSED = 'Stat(<config/>) returned error, retrying after 3.7s: Head "http://:***@h/": connect: connection refused\n'
LOCKED = json.dumps({
    "message_type": "exit_error", "code": 11,
    "message": "unable to create lock in backend: repository is already locked exclusively by PID 2701 on h by r\nlock",
}) + "\n"  # fmt: skip


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A restic that says what it is told to, and writes down how it was called."""

    def make(stdout: str = "", stderr: str = "", status: int = 0, sleep: int = 0) -> Repository:
        for name, text in (("out", stdout), ("err", stderr)):
            (tmp_path / name).write_text(text)
        program = tmp_path / "restic"
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nenv > {tmp_path}/environment\n'
            f"cat {tmp_path}/out\ncat {tmp_path}/err >&2\n[ {sleep} = 0 ] || exec sleep {sleep}\nexit {status}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return Repository("/srv/r", "/keys/r", user="omero1", password="geheim", seconds=5)

    return make


def test_snapshots_come_in_the_order_of_their_claimed_times(fake):
    first, second = fake(json.dumps(SNAPSHOTS)).snapshots()
    assert (first.id, first.files, first.bytes, first.tags) == (ONE, -1, -1, ())
    assert (second.files, second.bytes, second.paths, second.tags) == (32, 3553259, ("/t/data",), ("nightly",))
    assert first.time == pytest.approx(epoch("2026-11-26T00:31:58.282116Z"))


def test_no_password_is_an_argument(fake, tmp_path):
    fake("[]").snapshots()
    assert "geheim" not in (tmp_path / "arguments").read_text()
    environment = (tmp_path / "environment").read_text()
    assert "RESTIC_PASSWORD_FILE=/keys/r\n" in environment
    assert "RESTIC_REST_PASSWORD=geheim\n" in environment


def test_a_key_that_is_known_is_tried_first(fake, tmp_path):
    replace(fake("[]"), key="0a1b").snapshots()
    assert "RESTIC_KEY_HINT=0a1b\n" in (tmp_path / "environment").read_text()


def test_keys_are_told_by_their_files_oldest_first_and_rubbish_is_none(tmp_path):
    (keys := tmp_path / "keys").mkdir()
    texts = {"c": b'{"username": "recovery"}', "a": b'{"username": "omero1"}', "b": b'{"username": "recovery"}'}
    texts |= {
        "v": b"[" * 60000,
        "x": b"rubbish \xff",
        "y": b"[]",
        "z": b"{}",
        "w": b'{"username": "' + b"w" * 70000 + b'"}',
    }
    for number, (name, text) in enumerate(texts.items()):
        (keys / name).write_bytes(text)
        os.utime(keys / name, (number, number))
    assert list(restic.key_owners(tmp_path).items()) == [("c", "recovery"), ("a", "omero1"), ("b", "recovery")]
    with pytest.raises(ResticError, match="run as the user who owns it"):
        restic.key_owners(tmp_path / "none")


def test_a_password_given_as_text_lies_in_a_file_of_its_own_that_goes():
    with restic.open_repository("/srv/r", "geheim", None) as repository:
        file = Path(repository.password_file)
        assert file.read_text() == "geheim"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


@pytest.mark.parametrize(
    ("status", "stderr", "cure"),
    [
        (12, WRONG, "no key fits the password"),
        (10, '{"message_type":"exit_error","code":10,"message":"Fatal: repository does not exist"}', "make it"),
        (11, LOCKED, "already locked exclusively by PID 2701"),
        (1, REFUSED, "firewall"),
        (1, "Fatal: unable to open config: unexpected HTTP response (401): 401 Unauthorized\n", "htpasswd"),
        (1, "Fatal: x509: certificate signed by unknown authority\n", "ca_file"),
        (1, "Fatal: open /srv/r/config: permission denied\n", "user who owns it"),
        (1, "unable to create lock in backend: ciphertext verification failed\n", "--remove-all"),
        (1, "", "status 1"),
    ],
)
def test_every_failure_names_repository_cause_and_cure_in_one_line(fake, status, stderr, cure):
    with pytest.raises(ResticError) as told:
        fake("", stderr, status).check()
    assert cure in str(told.value)
    assert str(told.value).startswith("/srv/r: restic check: ")
    assert "\n" not in str(told.value)


def test_who_does_not_answer_is_not_waited_for(fake):
    from dataclasses import replace

    with pytest.raises(ResticError, match=r"no answer in 0\.5 s"):
        replace(fake(sleep=20), seconds=0.5).snapshots()


def test_files_that_vanish_during_a_backup_are_no_error_and_unreadable_ones_are(fake):
    def said(text: str) -> str:
        return (
            json.dumps({"message_type": "error", "error": {"message": text}, "during": "archival", "item": "/x"}) + "\n"
        )

    fake("", said("lstat /x: no such file or directory"), restic.INCOMPLETE).backup("/x")
    with pytest.raises(ResticError, match="permission denied"):
        fake("", said("open /x: permission denied"), restic.INCOMPLETE).backup("/x")


def test_a_plan_has_what_stays_and_what_goes_of_all_groups(fake):
    groups = [{"keep": [{"id": "a"}], "remove": None}, {"keep": [{"id": "b"}], "remove": [{"id": "c"}]}]
    plan = fake(json.dumps(groups)).retention({"within": "14d", "within_daily": "60d"})
    assert (plan.keep, plan.remove) == (("a", "b"), ("c",))
    assert fake("null").retention({"within": "14d"}) == restic.Plan((), ())


def test_a_snapshot_arrived_when_its_file_was_written(tmp_path):
    folder = tmp_path / "snapshots"
    folder.mkdir()
    (folder / ONE).write_text("x")
    os.utime(folder / ONE, (1, 1234.5))
    (folder / f"{TWO}.tmp").write_text("being uploaded")
    assert arrivals(tmp_path) == {ONE: 1234.5}
    with pytest.raises(ResticError, match="No such file"):
        arrivals(tmp_path / "nowhere")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_literal_pattern_hides_no_special_character(path):
    pattern = literal(path)
    assert pattern.replace("\\\\", "").count("\\") + 2 * pattern.count("\\\\") >= sum(path.count(c) for c in "\\*?[")
    plain, escaped = "", False
    for character in pattern:
        if character == "\\" and not escaped:
            escaped = True
            continue
        assert escaped or character not in "*?["
        plain, escaped = plain + character, False
    assert plain == path


@given(st.integers(10**18, 2 * 10**18))
def test_restic_s_nine_decimals_are_kept(moment):
    from datetime import UTC, datetime

    whole, rest = divmod(moment, 10**9)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    shown = f"{text}.{rest:09d}".rstrip("0").rstrip(".") + "Z"
    assert epoch_ns(shown) == moment
    assert epoch(shown) == pytest.approx(moment / 1e9, abs=1e-5)


def test_a_missing_program_is_told(monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(subprocess, "Popen", none)
    with pytest.raises(ResticError, match="install the package restic"):
        Repository("/srv/r", "/k").unlock()


def test_the_last_fatal_message_is_the_cause():
    assert explained(1, "Fatal: first\nFatal: second\nnote\n").startswith("second")


def test_the_module_tells_what_cannot_be_true(fake, run_module, tmp_path, monkeypatch):
    fake()
    program = tmp_path / "restic"
    keys = json.dumps([{"userName": "omero1", "current": True}, {"userName": "recovery", "current": False}])
    program.write_text(
        f"#!/bin/sh\ncase $1 in snapshots) echo '{json.dumps(SNAPSHOTS)}';; key) echo '{keys}';;"
        " stats) echo '{\"total_size\": 77}';; esac\n"
    )
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for entry, late in ((SNAPSHOTS[0], 60), (SNAPSHOTS[1], 72 * 3600)):
        (folder / entry["id"]).write_text("x")
        os.utime(folder / entry["id"], (0, epoch(entry["time"]) + late))
    told = run_module("restic_repository_info", {"repository": str(tmp_path), "path": str(tmp_path), "password": "x"})
    assert told["trusted"] is False
    assert [entry["untrusted"] for entry in told["snapshots"]] == ["backdated", ""]
    assert told["newest"] == told["oldest"] == pytest.approx(epoch(SNAPSHOTS[0]["time"]) + 60)
    assert (told["keys"], told["bytes"], told["changed"]) == (["omero1", "recovery"], 77, False)


def test_the_module_fails_in_one_line(fake, run_module):
    fake("", WRONG, 12)
    told = run_module("restic_repository_info", {"repository": "/srv/r", "password": "x"})
    assert told["failed"]
    assert "no key fits the password" in told["msg"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A run with a stand-in for restic that says what restic 0.18 says."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import sys
import time
from pathlib import Path

import pytest

from facility.backup.client import faults, repository, steps
from facility.backup.client.config import Config, Step
from facility.backup.client.run import BusyError, run
from facility.core import textfile_metrics

SUMMARY = json.dumps(
    {"message_type": "summary", "total_files_processed": 7, "data_added_packed": 5, "snapshot_id": "a75c4153"}
)
FULL = "Save(<data/d335ab2f02>) returned error, retrying after 1.2s: unexpected HTTP response (507): 507 Insufficient"
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A configuration whose restic is a script, which a test writes."""
    for name in ("server-password", "repository-password"):
        (tmp_path / name).write_text("x" * 20)
    (tmp_path / "images").mkdir()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    written = {}
    monkeypatch.setattr(textfile_metrics, "write", lambda file, metrics, values: written.update(values))
    made = Config(
        client="omero1", repository="rest:https://backup1:8101/omero1/", ca_file=Path("/ca.crt"),
        paths=(tmp_path / "images",), state=tmp_path / "state", cache=tmp_path / "cache",
        metrics=tmp_path / "backup_client.prom", restic=tmp_path / "restic", credentials=tmp_path,
    )  # fmt: skip
    restic(made, [SUMMARY])
    return made, written


def restic(config: Config, lines: list[str], status: int = 0, more: str = "") -> None:
    config.restic.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        f"open({str(config.restic) + '.calls'!r}, 'a').write(sys.argv[1] + '\\n')\n"
        f"for line in {lines!r}: print(line, flush=True)\n{more}\nsys.exit({status})\n"
    )
    config.restic.chmod(0o755)


def last(config: Config) -> dict:
    return json.loads((config.state / "last-run.json").read_text())


def changed(config: Config, **values) -> Config:
    import dataclasses

    return dataclasses.replace(config, **values)


def test_a_good_run_notes_itself(config):
    config, figures = config
    assert run(config) == 0
    assert (last(config)["snapshot"], last(config)["files"], last(config)["problems"]) == ("a75c4153", 7, [])
    assert (figures["backup_run_ok"], figures["backup_run_added_bytes"]) == (1, 5)
    assert abs(figures["backup_run_timestamp_seconds"] - time.time()) < 10
    assert (config.state / "sample.json").stat().st_mode & 0o777 == 0o600


def test_a_person_can_not_make_the_night_fail_by_a_file_that_claims_16_tb(config):
    config, figures = config
    with (config.paths[0] / "huge.tif").open("wb") as file:
        file.truncate(16 * 10**12)
    assert run(config) == 0
    assert (figures["backup_run_ok"], last(config)["problems"]) == (1, [])
    assert last(config)["too_large"] == [str(config.paths[0] / "huge.tif")]


def test_a_bad_run_keeps_the_time_of_the_good_one(config):
    config, figures = config
    run(config)
    good = figures["backup_run_timestamp_seconds"]
    restic(config, ['{"message_type":"exit_error","code":12,"message":"Fatal: wrong password or no key found"}'], 12)
    assert run(config) == 1
    assert "can't be opened with the repository's password of this host" in last(config)["problems"][0]
    assert (figures["backup_run_ok"], figures["backup_run_timestamp_seconds"]) == (0, good)


def test_a_full_repository_ends_restic_at_once(config):
    config, _ = config
    restic(config, [FULL], more="time.sleep(60)")
    began = time.monotonic()
    assert run(config) == 1
    assert time.monotonic() - began < 10
    assert last(config)["problems"][0].startswith("the repository is full: backup1:8101 takes no more for omero1.")


def test_a_lock_that_nobody_renews_is_taken_away(config):
    config, _ = config
    calls = f"open({str(config.restic) + '.calls'!r}).read().split()"
    locked = '{"message_type":"exit_error","code":11,"message":"repository is already locked exclusively"}'
    restic(config, [], 0, f"if 'unlock' in {calls}: print({SUMMARY!r})\nelse: print({locked!r}); sys.exit(11)")
    assert run(config) == 0
    assert Path(f"{config.restic}.calls").read_text().split() == ["backup", "unlock", "backup"]


def test_what_was_not_read_is_named_and_what_went_away_is_no_fault(config):
    config, _ = config
    broken = config.paths[0] / "broken.tif"
    broken.write_text("x")
    error = '{"message_type":"error","error":{"message":"read: input/output error"},"during":"archival","item":"%s"}'
    restic(config, [error % f"{config.paths[0]}/gone.tif", error % broken, SUMMARY], 3)
    assert run(config) == 1
    assert last(config)["problems"] == [
        f"1 not read: {broken} (read: input/output error): see the disk, then start facility-backup.service again"
    ]
    broken.unlink()
    assert run(config) == 0


def test_a_path_that_is_missing_or_a_link_is_a_failure(config):
    config, _ = config
    (config.state.parent / "link").symlink_to("images")
    config = changed(config, paths=(*config.paths, Path("/none"), config.state.parent / "link"))
    assert run(config) == 1
    assert "/none isn't there" in last(config)["problems"][0]
    assert "is a link, of which only the link itself is backed up" in last(config)["problems"][1]
    assert last(config)["snapshot"]


def test_progress_is_told_now_and_then(config, monkeypatch, caplog):
    config, _ = config
    for number in range(8):
        (config.paths[0] / f"{number}.tif").write_text("x")
    status = {"percent_done": 0, "files_done": 1, "bytes_done": 2e9}
    restic(config, [json.dumps({"message_type": "status", **status})] * 3 + [SUMMARY])
    with caplog.at_level("INFO", logger="backup_client"):
        run(config)
        assert "8 files" not in caplog.text
        monkeypatch.setattr(repository, "_PROGRESS_SECONDS", 0.001)
        run(config)
    assert "12 %: 1 of about 8 files, 2.0 GB" in caplog.text


def test_only_one_run_at_a_time(config):
    config, _ = config
    config.state.mkdir()
    with (config.state / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another run of the backup is under way"):
            run(config)
    assert run(config) == 0


def test_a_step_writes_aside_and_what_it_wrote_before_stays_when_it_fails(config):
    config, _ = config
    good = Step("list", ("/bin/sh", "-c", 'echo new > "$0/list"', "{folder}"), ME)
    bad = Step("list", ("/bin/sh", "-c", 'echo half > "$0/list"; echo no disk >&2; exit 3', "{folder}"), ME)
    assert run(changed(config, steps=(good,))) == 0
    assert (config.dumps / "list" / "list").read_text() == "new\n"
    assert run(changed(config, steps=(bad,))) == 1
    assert last(config)["problems"] == ["step 'list' ended with 3: no disk. The files are backed up without it"]
    assert last(config)["snapshot"]
    assert (config.dumps / "list" / "list").read_text() == "new\n"
    nobody = Step("other", ("/bin/true",), "no-such-user")
    assert run(changed(config, steps=(good, nobody, Step("third", ("/none",), ME)))) == 1
    assert [problem.split(":")[0] for problem in last(config)["problems"]] == ["step 'other'", "step 'third'"]


def test_a_run_that_was_cut_off_leaves_nothing_in_the_way(tmp_path):
    for name in (".new-a", ".old-b", ".old-c", "c", "unknown"):
        (tmp_path / name / "in").mkdir(parents=True)
    steps.tidied(tmp_path, [Step(name, ("x",)) for name in "abc"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


@pytest.mark.parametrize(
    ("line", "said", "hopeless"),
    [
        ('Head "https://o:***@b/c": tls: failed to verify certificate: x509: certificate signed by unknown authority',
         "(certificate signed by unknown authority)", True),
        ("Stat(<config/>) failed: unexpected HTTP response (401): 401 Unauthorized", "refuses the user omero1", True),
        ("dial tcp: lookup backup1 on 10.42.9.1:53: no such host", "can't be reached (no such host)", False),
        ("dial tcp 10.42.9.11:8109: connect: connection refused", "can't be reached (connection refused)", False),
        ("write /var/cache/x: no space left on device", "this host's disk is full", True),
    ],
)  # fmt: skip
def test_a_complaint_names_the_cure(config, line, said, hopeless):
    fault = faults.of_line(line, config[0])
    assert fault
    assert said in fault.message
    assert fault.hopeless is hopeless


def test_an_unknown_complaint_is_passed_on(config):
    config, _ = config
    assert faults.of_line("something new", config) is None
    restic(config, ["something new"], 1)
    assert run(config) == 1
    assert last(config)["problems"] == ["something new"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""backup-server.toml is read, or refused with every problem and its cure; state files are whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import facility
from facility.backup.server import state
from facility.backup.server.config import Config, ConfigError, load

SOURCES = str(Path(facility.__path__[0]).parent)
GOOD = """
state = "/var/lib/backup-server"
metrics = "/var/lib/prometheus/node-exporter/backup.prom"
database_state = "/var/lib/backup-server-database"
database_metrics = "/var/lib/prometheus/node-exporter/backup_database.prom"
scratch = "/srv/backup/scratch"
volume = "/srv/backup"
timers = ["backup-retain.timer"]
[[repository]]
name = "omero1.imaging.example.org"
path = "/srv/backup/restic/omero1.imaging.example.org"
kind = "client"
unit = "restic-server@omero1.imaging.example.org.service"
keep = {within = "14d", within_daily = "60d", within_monthly = "5y"}
[[stanza]]
name = "omero"
binaries = "/usr/lib/postgresql/15/bin"
"""


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "backup-server.toml"
    file.write_text(text)
    return load(file)


def test_what_is_not_said_has_its_default(tmp_path):
    config = loaded(tmp_path, GOOD)
    assert (config.cycle_days, config.weekly_drill_days, config.drill_files) == (7, 0, 20)
    assert config.repository("omero1.imaging.example.org").keys == 2
    assert config.stanza("omero").wal_minutes == 5
    assert config.pgbackrest_folder == Path("/srv/backup/pgbackrest")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('scratch = "/srv/backup/scratch"', "", "scratch: is missing"),
        ('volume = "/srv/backup"', 'volume = "srv"', "write an absolute path"),
        ("timers", "timer", "did you mean timers?"),
        ('kind = "client"', 'kind = "server"', "write client or local"),
        ('within = "14d", ', "", "without it all snapshots may go"),
        ('"14d"', '"two weeks"', "write it like 14d"),
        ("within_daily", "daily", "choose of within"),
        ('name = "omero"\n', 'name = "../omero"\n', "can't be a name"),
        ('volume = "/srv/backup"', 'volume = "/srv/backup"\ncycle_days = 0', "in how many days"),
        ('volume = "/srv/backup"', 'volume = "/srv/backup"\ncycle_days = 1.5', "whole number"),
        ("[[stanza]]", "[stanza]", "above each"),
        ("[[stanza]]", "[[stanza", "is no TOML"),
    ],
)
def test_each_mistake_is_told_with_its_cure(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        loaded(tmp_path, GOOD.replace(old, new))


def test_who_asks_for_what_is_not_there_hears_what_is(tmp_path):
    config = loaded(tmp_path, GOOD)
    with pytest.raises(ConfigError, match=r"choose of omero1\.imaging"):
        config.repository("nix")
    with pytest.raises(ConfigError, match="choose of omero"):
        config.stanza("nix")


def test_a_state_file_is_replaced_as_a_whole_and_readable(tmp_path):
    file = tmp_path / "state.json"
    state.write(file, {"a": 1})
    state.update(file, lambda content: content.update(b=2))
    assert state.read(file) == {"a": 1, "b": 2}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert sorted(found.name for found in tmp_path.iterdir()) == ["state.json", "state.lock"]


def test_a_change_that_fails_leaves_the_old_state(tmp_path):
    file = tmp_path / "state.json"
    state.write(file, {"a": 1})
    with pytest.raises(TypeError):
        state.write(file, {"a": object()})
    assert state.read(file) == {"a": 1}
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]


def test_a_broken_state_file_names_its_cure(tmp_path):
    file = tmp_path / "state.json"
    assert state.read(file) == {}
    file.write_text("[1]")
    with pytest.raises(state.StateError, match="remove it"):
        state.read(file)


def test_a_lock_is_for_one_and_ends_with_its_holder(tmp_path):
    file = tmp_path / "lock"
    with state.locked(file, wait=0), pytest.raises(state.StateError, match="another run"), state.locked(file, wait=0):
        pass
    with state.locked(file, wait=0):
        pass


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "facility.backup.server", *words], env={**os.environ, "PYTHONPATH": SOURCES},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_line_tells_a_wrong_configuration_and_a_wrong_command(tmp_path):
    done = run("--config", str(tmp_path / "none.toml"), "inspect")
    assert (done.returncode, done.stderr.count("\n")) == (os.EX_CONFIG, 1)
    assert run("--config", "x", "forget").returncode == 2


def test_without_its_password_a_job_says_what_to_start_instead(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    file = tmp_path / "backup-server.toml"
    file.write_text(GOOD.replace("/var/lib/backup-server", str(tmp_path)))
    done = run("--config", str(file), "retain")
    assert done.returncode == 1
    assert "start this by its unit" in done.stderr
    told = state.read(tmp_path / "state.json")["repositories"]["omero1.imaging.example.org"]["retain"]
    assert told["ok"] is False

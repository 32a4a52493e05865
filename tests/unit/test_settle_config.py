# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration is read, or refused with every problem and its cure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import facility
from facility.drive.settle.config import Config, ConfigError, Matchers, load

SOURCES = str(Path(facility.__path__[0]).parent)
GOOD = """
incoming = "/srv/omero/incoming"
staging = "/srv/omero/staging"
dropbox = "/srv/omero/DropBox"
quarantine = "/srv/omero/quarantine"
state_dir = "/var/lib/settle"
monitor_file = "/run/omero-dropbox-monitor/report.json"
asked_file = "/run/settle/asked.json"
"""


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "settle.toml"
    file.write_text(text)
    return load(file)


def test_the_folders_are_enough(tmp_path):
    config = loaded(tmp_path, GOOD)
    assert config.quiet_seconds == 60
    assert config.rule_for("").quiet_seconds == 60
    assert config.metrics_file is None


def test_the_first_rule_that_fits_counts(tmp_path):
    config = loaded(
        tmp_path,
        GOOD
        + """
quiet_seconds = 30
instruments = ["lightsheet"]
[[rule]]
match = "*.czi"
quiet_seconds = 5
[[rule]]
instrument = "lightsheet"
sentinel = "*.done"
""",
    )
    assert config.rule_for("", 0b01).quiet_seconds == 5
    assert config.rule_for("lightsheet", 0b01).quiet_seconds == 5
    assert config.rule_for("lightsheet").sentinel == "*.done"
    assert config.rule_for("lightsheet").quiet_seconds == 30
    assert config.rule_for("").quiet_seconds == 30
    assert Matchers.of(config).companion("end.DONE")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("quiet_second = 5", "quiet_second: unknown key: did you mean quiet_seconds?"),
        ('quiet_seconds = "5"', "quiet_seconds: is '5': write a number that isn't negative"),
        ("reoffer_limit = 1.5", "reoffer_limit: is 1.5: write a whole number"),
        ('partial = "*.part"', "partial: is '*.part': write a list of texts"),
        ('metrics_file = "settle.prom"', "metrics_file: is 'settle.prom': write an absolute path"),
        ("rule = 5", "rule: is 5: write [[rule]] above each"),
        ("rule = [5]", "must be a table"),
        ("[[rule]]\nquiet_seconds = 5", "rule 1: fits every set: give it an instrument or a match"),
        ('[[rule]]\ninstrument = "x"', 'rule 1: "x" is no instrument: add it to instruments'),
        ("quiet_seconds = ", "is no TOML"),
    ],
)
def test_a_problem_names_key_and_cure(tmp_path, more, problem):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, GOOD + more)
    assert problem in str(refused.value)


def test_every_missing_key_is_named_at_once(tmp_path):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, 'incoming = "/srv/a"\n')
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == [
        "staging", "dropbox", "quarantine", "state_dir", "monitor_file", "asked_file",
    ]  # fmt: skip


def test_folders_may_not_lie_in_each_other(tmp_path):
    with pytest.raises(ConfigError, match="staging: /srv/omero/incoming/staging is incoming, or lies in it"):
        loaded(tmp_path, GOOD.replace("/srv/omero/staging", "/srv/omero/incoming/staging"))


@pytest.mark.parametrize(("text", "status"), [(GOOD, 0), ("", 78)])
def test_check_tells_a_good_configuration_from_a_bad_one(tmp_path, text, status):
    file = tmp_path / "settle.toml"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "facility.drive.settle", "--config", str(file), "--check"],
        env={**os.environ, "PYTHONPATH": SOURCES}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert bool(done.stderr) == bool(status)

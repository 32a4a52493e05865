# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration is read, or refused with every problem and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from facility.backup.client.config import Config, ConfigError, load

GOOD = """
client = "omero1.imaging.example.org"
repository = "rest:https://backup1.imaging.example.org:8101/omero1.imaging.example.org/"
ca_file = "/etc/facility/tls/ca.crt"
paths = ["/OMERO", "/etc"]
"""


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "backup.toml"
    file.write_text(text)
    return load(file)


def test_the_least_is_enough(tmp_path):
    config = loaded(tmp_path, GOOD)
    assert config.paths == (Path("/OMERO"), Path("/etc"))
    assert config.wait_minutes == 0
    assert config.metrics is None


def test_the_state_is_always_backed_up_and_once(tmp_path):
    assert loaded(tmp_path, GOOD).roots() == (Path("/OMERO"), Path("/etc"), Path("/var/lib/facility-backup"))
    inside = loaded(tmp_path, GOOD.replace("/OMERO", "/var"))
    assert inside.roots() == (Path("/var"), Path("/etc"))
    assert "/var/cache/facility-backup" in inside.left_out()


def test_a_step_has_a_folder_of_its_name(tmp_path):
    config = loaded(tmp_path, GOOD + '[[before]]\nname = "the domain: users"\ncommand = ["a", "{folder}"]\n')
    assert (config.steps[0].folder, config.steps[0].user) == ("the-domain--users", "root")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("wait_minute = 5", "wait_minute: unknown key: did you mean wait_minutes?"),
        ("wait_minutes = -1", "wait_minutes: is -1: write a number that isn't negative"),
        ("wait_minutes = true", "wait_minutes: is True: write a number"),
        ("one_file_system = 1", "one_file_system: is 1: write true or false"),
        ('exclude = "*.tmp"', "exclude: is '*.tmp': write a list of texts"),
        ('exclude = ["!a"]', "exclude: '!a': neither ! nor a backslash can be used"),
        ('metrics = "a.prom"', "metrics: is 'a.prom': write an absolute path"),
        ("before = 5", "before: is 5: write [[before]] above each"),
        ('[[before]]\nname = "a"', "before 1: command: is missing: add it"),
        ('[[before]]\nname = "a"\ncommand = []', "before: 'a' has no command: add it"),
        ('[[before]]\nname = "../a"\ncommand = ["x"]', "makes no folder's name"),
        ('[[before]]\nname = "a b"\ncommand = ["x"]\n[[before]]\nname = "a-b"\ncommand = ["x"]', "more than one step"),
        ("wait_minutes = ", "is no TOML"),
    ],
)
def test_a_problem_names_key_and_cure(tmp_path, more, problem):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, GOOD + more)
    assert problem in str(refused.value)


def test_every_missing_key_is_named_at_once_and_so_is_plain_text(tmp_path):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, 'paths = ["OMERO"]')
    said = str(refused.value)
    assert [key for key in ("client", "repository", "ca_file") if f"{key}: is missing" in said] == [
        "client", "repository", "ca_file",
    ]  # fmt: skip
    assert "paths: is ['OMERO']: write a list of absolute paths" in said
    with pytest.raises(ConfigError, match="write rest:https://SERVER:PORT/CLIENT/"):
        loaded(tmp_path, GOOD.replace("rest:https:", "rest:http:"))

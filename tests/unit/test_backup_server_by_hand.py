# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup server's program by hand: as whom each command runs, and which recovery keys it is given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from facility.backup.server.by_hand import ByHandError, Place, line
from tests.conftest import REPOSITORY

PLACE = Place(Path("/usr/lib/x"), Path("/etc/x"), Path("/var/cache/x"), "files", "databases")
REPOSITORIES = ("wiki1", "omero1", "pgbackrest")


def credentials(words):
    return [word.rpartition("=")[2] for word in words if word.startswith("--property=LoadCredential=")]


def test_a_command_is_given_the_keys_of_all_repositories():
    found = line(["check"], PLACE, REPOSITORIES)
    assert found[:5] == ["systemd-run", "--quiet", "--wait", "--pipe", "--collect"]
    assert credentials(found) == [f"{name}:/etc/x/keys/{name}" for name in ("omero1", "pgbackrest", "wiki1")]
    assert {"--property=User=files", "--setenv=XDG_CACHE_HOME=/var/cache/x"} <= set(found)
    assert found[found.index("--") + 1 :] == [
        "/usr/bin/python3", "-m", "facility.backup.server", "--config", "/etc/x/backup-server.toml", "check",
    ]  # fmt: skip


def test_a_command_for_one_repository_is_given_that_key_alone():
    found = line(["erase", "--repository", "omero1", "--at-most", "3"], PLACE, REPOSITORIES)
    assert credentials(found) == ["omero1:/etc/x/keys/omero1"]


@pytest.mark.parametrize("name", ["nobody", "../keys/omero1", ""])
def test_an_unknown_repository_is_refused_with_those_that_there_are(name):
    with pytest.raises(ByHandError, match="choose one of omero1, pgbackrest, wiki1"):
        line(["erase", "--repository", name], PLACE, REPOSITORIES)


@pytest.mark.parametrize(
    ("words", "user"),
    [
        (["ask", "--stanza", "omero"], "databases"),
        (["drill-database"], "databases"),
        (["drill-whole-list"], "databases"),
        (["note-host-drill", "--name", "omero", "begin"], "files"),
        (["--help"], "files"),
        ([], "files"),
    ],
)
def test_a_command_without_keys_is_no_unit_and_runs_as_its_user(words, user):
    found = line(words, PLACE, REPOSITORIES)
    assert found[:5] == ["runuser", "-u", user, "--", "env"]
    assert found[-len(words or [0]) :] == (words or ["--help"])
    assert credentials(found) == []


def test_without_its_keys_folder_it_says_what_is_missing(tmp_path):
    words = [str(tmp_path), str(tmp_path / "none"), str(tmp_path), "files", "databases", "--", "check"]
    done = subprocess.run(
        [sys.executable, "-m", "facility.backup.server.by_hand", *words],
        cwd=REPOSITORY / "src", check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("facility-backup-server: ")
    assert str(tmp_path / "none/keys") in done.stderr

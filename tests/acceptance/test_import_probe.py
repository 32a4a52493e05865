# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator asks OMERO's host whether images really come in: one command, which leaves nothing."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from testbed.podman import podman

REPOSITORY = Path(__file__).parents[2]
OMERO = "omero1.imaging.example.org"


@pytest.fixture
def probed(tmp_path):
    """What came of the command, and the results of all services."""

    def probed(*options):
        report = tmp_path / "verify.json"
        command = [
            "ansible-playbook",
            "playbooks/verify.yml",
            "--limit",
            OMERO,
            "-e",
            f"verify_report={report}",
            *options,
        ]
        done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)
        found = {entry["service"]: entry["ok"] for entry in json.loads(report.read_text())} if report.exists() else {}
        return done, found

    return probed


def in_database(query):
    return podman("exec", OMERO, "runuser", "-u", "postgres", "--", "psql", "-qAtX", "-d", "omero", "-c", query).strip()


PROBES = "SELECT count(*) FROM image i JOIN experimenter e ON e.id = i.owner_id WHERE e.omename = 'svc-import-probe'"


def test_an_image_goes_through_dropbox_is_read_back_and_removed_each_time_anew(probed):
    for _ in range(2):
        done, found = probed("-e", "omero_import_probe=true")
        assert done.returncode == 0, done.stdout + done.stderr
        assert found["import probe"] is True
        assert re.search(r"an image was in OMERO [0-9.]+ s after it lay in DropBox", done.stdout)
        assert in_database(PROBES) == "0"
        assert podman("exec", OMERO, "ls", "-A", "/OMERO/DropBox/svc-import-probe") == ""


def test_without_being_asked_for_nothing_is_imported(probed):
    before = in_database("SELECT max(id) FROM image")
    done, found = probed()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "import probe" not in found
    assert in_database("SELECT max(id) FROM image") == before

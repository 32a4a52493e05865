# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller whose jobs are started by hand, and the backup host."""

import json
import os
from collections import namedtuple
from pathlib import Path

import pytest
import testinfra

from tests.scenario import played

SCENARIO = Path(__file__).parents[1]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
Ended = namedtuple("Ended", "status said")


@pytest.fixture(scope="session")
def control():
    return testinfra.get_host("podman://control1.controller.test")


@pytest.fixture(scope="session")
def backup():
    return testinfra.get_host("podman://backup1.controller.test")


@pytest.fixture
def run(control):
    """Start a job and wait for its end: systemctl's status, and what the journal has of it since."""

    def run(job):
        unit = f"facility-job-{job}.service"
        cursor = control.check_output("journalctl -q --no-pager -n 1 --show-cursor | sed -n 's/^-- cursor: //p'")
        status = control.run("systemctl start %s", unit).rc
        control.run_expect([0], "journalctl --sync")
        return Ended(status, control.check_output("journalctl --no-pager -o cat -u %s --after-cursor %s", unit, cursor))

    return run


@pytest.fixture
def noted(control):
    """What job drill has noted: user, virtual environment, folder, a text, the vault's word, who it is elsewhere."""

    def noted():
        return control.file("/srv/facility/inventories/site/noted").content_string.splitlines()

    return noted


@pytest.fixture
def play(tmp_path):
    """Run the role, or tasks of it, with other variables; return what came of it."""

    def play(*options, tasks="", **variables):
        book = SCENARIO / "converge.yml"
        if tasks:
            book = tmp_path / "play.yml"
            included = {"ansible.builtin.include_role": {"name": "controller", "tasks_from": tasks}}
            book.write_text(json.dumps([{"hosts": "controller", "gather_facts": False, "tasks": [included]}]))
        done = played(book, *options, **variables)
        return Ended(done.returncode, done.said)

    return play


@pytest.fixture
def secret():
    """A password, as the scenario made it."""
    return lambda name: (EPHEMERAL / name).read_text().strip()

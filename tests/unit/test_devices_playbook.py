# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/devices.yml ends with one of three: all as wished, some need a person, could not run."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from facility.device_pc.agent.options import AGENT
from testbed.standins.device_pc.odd_fleet import OddFleet, serving
from tests.bench.device_pcs_ill import OPTIONS, PROGRAMS, inventory_of
from tests.certificates import certificate
from tests.fake_device_pc import recorded_answer


@pytest.fixture
def play(tmp_path, repository):
    """Play devices.yml with simulated PCs, of which each does what its name says; return status and output."""
    file = certificate(tmp_path, "pc", "localhost")
    options = {name: spec.get("default") for name, spec in AGENT.items()} | OPTIONS | {"ca_file": str(file)}

    def play(*users, **extra):
        with serving(OddFleet(recorded_answer(options, PROGRAMS)), file) as port:
            pcs = [{**options, "username": user, "port": port} for user in users]
            (tmp_path / "pcs.json").write_text(json.dumps(inventory_of(pcs)))
            done = subprocess.run(
                ["ansible-playbook", "-i", tmp_path / "pcs.json", "playbooks/devices.yml", "--check",
                 "-e", json.dumps(extra)],
                cwd=repository, env={**os.environ, "ANSIBLE_CONFIG": str(repository / "ansible.cfg")},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
        return done.returncode, " ".join(done.stdout.split())

    return play


def test_all_pcs_are_as_wished(play, tmp_path):
    status, said = play("well", "well", devices_progress=str(tmp_path / "progress"))
    assert status == 0, said
    assert "all as wished: 2 device PCs" in said
    assert (tmp_path / "progress").read_text().count("localhost: as wished") == 2


def test_a_pc_that_makes_no_sense_needs_a_person_and_stops_no_other(play):
    status, said = play("Create-torn html", "well")
    assert status != 0
    assert "some need a person: 1 of 2 device PCs" in said, said
    assert "an answer that makes no sense" in said
    assert "could not run" not in said


def test_in_a_whole_run_such_a_pc_holds_nothing_up(play):
    status, said = play("refuses", devices_status_later=True)
    assert status == 0
    assert "some need a person: 1 of 1 device PCs" in said, said


def test_a_controller_that_can_not_do_its_part_says_so(play, tmp_path):
    status, said = play("well", devices_progress=str(tmp_path / "no folder" / "progress"))
    assert status != 0
    assert "could not run: All agents are checked: progress" in said, said

# SPDX-License-Identifier: GPL-3.0-or-later
"""The wiring of a controller that is a host of its own, which the example doesn't have."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import yaml

from tests.conftest import REPOSITORY

HOST = "control1.imaging.example.org"
PLAY = """
- hosts: {host}
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "{{{{ wired | to_json }}}}"
        dest: {result}
        mode: "0600"
      delegate_to: localhost
      vars:
        wired:
          paths: "{{{{ backup_client_paths }}}}"
          identities: "{{{{ backup_client_identities }}}}"
          jobs: "{{{{ controller_jobs }}}}"
"""


@pytest.fixture(scope="module")
def wired(tmp_path_factory):
    """What the wiring hands to a host that was added to the groups controller and backup_client."""
    site = tmp_path_factory.mktemp("inventories") / "site"
    shutil.copytree(REPOSITORY / "inventories/example", site, ignore=shutil.ignore_patterns("secrets", "vault.yml"))
    inventory = yaml.safe_load((site / "hosts.yml").read_text())
    assert inventory["all"]["children"]["controller"] == {}, "the example has a controller: test that one"
    inventory["all"]["hosts"][HOST] = {"ansible_host": "10.42.0.61"}
    inventory["all"]["children"]["controller"] = {"hosts": {HOST: {}}}
    inventory["all"]["children"]["backup_client"]["hosts"][HOST] = {"backup_client_port": 8004}
    (site / "hosts.yml").write_text(yaml.safe_dump(inventory))
    result, play = site.parent / "wired.json", site.parent / "play.yml"
    play.write_text(PLAY.format(host=HOST, result=result))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(site / "hosts.yml"), str(play)],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(result.read_text())


def test_the_controller_s_backup_is_its_inventory(wired):
    assert wired["paths"] == ["/srv/facility/inventories/site"]
    assert wired["identities"] == ["facility"]


def test_the_controller_drills_with_its_own_inventory(wired):
    drill = next(job for job in wired["jobs"] if job["name"] == "drill-omero")
    assert "/srv/facility/inventories/site/drill.yml" in drill["command"]

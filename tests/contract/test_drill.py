# SPDX-License-Identifier: GPL-3.0-or-later
"""The drill's inventory puts a scratch host in OMERO's place, and reaches nobody else's host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import REPOSITORY

INVENTORY = REPOSITORY / "inventories/example"
SCRATCH, OMERO, BACKUP = (f"{name}.imaging.example.org" for name in ("scratch1", "omero1", "backup1"))
KEY = {"vault_backup_key": "k" * 60}


def told(file, host, *names):
    """What the wiring makes of variables for a host of an inventory."""
    shown = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"), "-i", INVENTORY / file, host, "-e", json.dumps(KEY),
            "-m", "ansible.builtin.debug", "-a", f"msg={shown}",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    message = json.loads(done.stdout.partition("=>")[2])["msg"]
    return json.loads(message) if isinstance(message, str) else message


def test_no_group_of_the_drill_holds_another_host():
    groups = told("drill.yml", "localhost", "groups")["groups"]
    hosts = {name: set(found) for name, found in groups.items() if name not in {"all", "ungrouped"}}
    assert set().union(*hosts.values()) == {SCRATCH}
    assert hosts["omero_server"] == hosts["omero_scratch"] == {SCRATCH}


def test_hosts_that_lend_their_names_have_the_addresses_of_the_facility():
    lent = yaml.safe_load((INVENTORY / "drill.yml").read_text())["all"]["hosts"]
    known = yaml.safe_load((INVENTORY / "hosts.yml").read_text())["all"]
    hosts = known["hosts"] | known["children"]["omero_scratch"]["hosts"]
    for name, variables in lent.items():
        if name != "localhost":
            assert variables["ansible_host"] == hosts[name]["ansible_host"], name
    client = known["children"]["backup_client"]["hosts"][OMERO]
    assert lent[SCRATCH]["backup_client_port"] == client["backup_client_port"]


def test_the_scratch_host_reads_in_omeros_name_and_delivers_nothing():
    same = ("backup_client_server_password", "backup_client_repository_password", "backup_client_name")
    there = told(
        "drill.yml", SCRATCH, *same, "backup_client_restores_only", "postgresql_archive_command",
        "base_firewall_openings", "backup_client_server", "base_nameservers",
    )  # fmt: skip
    omero = told("hosts.yml", OMERO, *same, "backup_client_restores_only", "postgresql_archive_command")
    assert {name: there[name] for name in same} == {name: omero[name] for name in same}
    assert (omero["backup_client_restores_only"], there["backup_client_restores_only"]) == (False, True)
    assert omero["postgresql_archive_command"].strip()
    assert there["postgresql_archive_command"].strip() == ""
    assert there["base_firewall_openings"] == []
    assert there["backup_client_server"] == BACKUP
    assert there["base_nameservers"][0] == "10.42.0.11"


def test_the_backup_server_lets_the_scratch_host_in_where_omero_comes_in_and_nowhere_else():
    names = ("base_firewall_openings", "backup_server_stanzas", "backup_server_host_drills")
    found = told("hosts.yml", BACKUP, *names)
    open_to_it = [one["port"] for one in found["base_firewall_openings"] if "10.42.0.61" in one["from"]]
    assert open_to_it == ["8002", "8432"]
    assert [stanza["restored_on"] for stanza in found["backup_server_stanzas"]] == [[SCRATCH]]
    assert [drill["name"] for drill in found["backup_server_host_drills"]] == ["omero"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables plugin role_interfaces, as Ansible itself asks it: who wins, and what is known of other hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

HOSTS = """
all:
  hosts: {one: {}, two: {}, three: {disk_folder: /of/host}}
  vars: {disk_said_by_all: inventory, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  children:
    disk: {hosts: {one: {}}, vars: {disk_said_by_group: inventory}}
"""
DEFAULTS = """
disk_folder: /default
disk_said_by_all: default
disk_said_by_group: default
disk_wired: default
"""
CONSTANTS = """
disk_below: "{{ disk_folder }}/below"
__disk_private: secret
"""
META = 'reload_units: ["{{ disk_below }}.service"]'


@pytest.fixture
def variables(tmp_path):
    """All variables of a host, templates filled in by Ansible."""
    for name, text in {
        "ansible.cfg": "[defaults]",
        "hosts.yml": HOSTS,
        "group_vars/all.yml": "disk_wired: wiring",
        "roles/disk/defaults/main.yml": DEFAULTS,
        "roles/disk/vars/main.yml": CONSTANTS,
        "roles/disk/meta/facility.yml": META,
        "roles/bare/tasks/main.yml": "[]",
        "show.yml": """
- hosts: one:two:three
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.copy:
        content: "{{ {'own': [disk_folder, disk_below, disk_said_by_all, disk_said_by_group,
          disk_wired] | join(' '), 'services': facility_services,
          'private': __disk_private is defined,
          'of three': hostvars['three'].disk_below} | to_json }}"
        dest: "{{ playbook_dir }}/{{ inventory_hostname }}.json"
""",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_VARS_PLUGINS": str(REPOSITORY / "vars_plugins"),
        "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
    }
    # Beside the playbook as well as beside the inventory: the folder is asked twice.
    line = [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.yml"), str(tmp_path / "show.yml")]
    done = subprocess.run(line, env=environment, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two", "three")}


def test_defaults_are_known_everywhere_and_everything_else_wins_over_them(variables):
    assert variables["one"]["own"] == "/default /default/below inventory inventory wiring"
    assert variables["three"]["own"].startswith("/of/host /of/host/below ")


def test_what_another_host_says_is_filled_in_with_that_host_s_variables(variables):
    assert variables["two"]["of three"] == "/of/host/below"
    assert variables["three"]["services"]["disk"] == {"reload_units": ["/of/host/below.service"]}


def test_every_role_is_a_service_and_private_names_stay_private(variables):
    assert variables["two"]["services"]["bare"] == {}
    assert variables["two"]["private"] is False

# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks and wiring.yml name nothing of a role but its variables: a site with other folders can restore, too."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY

WIRING = REPOSITORY / "inventories/example/group_vars/all/wiring.yml"
FILES = sorted([*(REPOSITORY / "playbooks").rglob("*.yml"), *(REPOSITORY / "playbooks").rglob("*.j2"), WIRING])
# The acts' own, and the system's.
OWN = {
    "/etc/facility-scratch-host": "marks a host that drills empty",
    "/run/restore-omero.lock": "held by a restore",
    "/bin/bash": "a shell that has pipefail",
    "/dev/null": "nothing",
}
FOLDERS = "OMERO|bin|boot|data|dev|etc|home|lib|media|mnt|opt|root|run|sbin|srv|tmp|usr|var"
LITERALS = {
    "a path": rf"(?<![\w.}})\]~-])/(?:{FOLDERS})\b[\w./*@-]*",
    "a unit": r"(?<![\w@%.-])[a-z][\w@-]*\.(?:service|timer|target|socket)\b",
    "a stanza or database": r"(?:--?stanza[= ]|--dbname[= ]|login_db: |'database': ')(?!\{)[a-z]\w*",
    "Python": r"python3? -c\b",
    "a unit that is made on a command line": r"\bsystemd-run\b",
}


def code(text: str) -> str:
    """A file without its comments."""
    return re.sub(r"(?m)^\s*#.*$|\s#\s.*$", "", text)


def literals(text: str) -> list[str]:
    """What of roles stands literally in a playbook, each with its kind."""
    found = [
        f"{kind}: {match.group()}"
        for kind, pattern in LITERALS.items()
        for match in re.finditer(pattern, code(text))
        if match.group() not in OWN
    ]
    # facility-mail@ is a template that takes the name of whatever failed.
    return [one for one in found if "facility-mail@" not in one]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_a_playbook_names_nothing_of_a_role_literally(file):
    assert literals(file.read_text()) == [], "take it from the role's variables (docs/style-guide.md, Roles)"


@pytest.mark.parametrize(
    "text",
    [
        "path: /OMERO/restored", 'cmd: find "/srv/backup/scratch"', "loop: [/opt/omero/server/config]",
        "name: omero-server.service", "name: facility-backup.timer", "cmd: pgbackrest --stanza=omero info",
        "cmd: python3 -c 'print(1)'", "- systemd-run", "dest: /var/lib/facility-backup/x", "'path': '/var/lib/x'",
    ],
)  # fmt: skip
def test_a_literal_is_found(text):
    assert literals(text)


@pytest.mark.parametrize(
    "text",
    [
        'path: "{{ omero_server_data_dir }}/restored"', "# see /etc/passwd", "name: x # as /srv/x",
        'name: "{{ omero_server_unit }}"', "executable: /bin/bash", "inventories/example/hosts.yml",
        "docs/runbooks/backup-missing.md", "https://example.org/etc/x",
    ],
)  # fmt: skip
def test_what_is_no_literal_is_not_found(text):
    assert literals(text) == []


def test_wiring_names_ports_only_where_the_firewall_is_opened():
    wiring = {name: value for name, value in yaml.safe_load(WIRING.read_text()).items() if name != "__openings"}
    found = re.findall(r"(?<![\d.:-])\b[1-9]\d{2,4}\b(?![\d.-])", str(wiring))
    # LDAP's rule "in a group within a group" is a number; so is nothing else.
    assert [number for number in found if number not in {"113556", "840"}] == []


def test_every_constant_that_others_read_carries_its_role_s_name_and_nobody_sets_it():
    constants = {}
    for file in sorted((REPOSITORY / "roles").glob("*/vars/main.yml")):
        names = [name for name in yaml.safe_load(file.read_text()) or {} if not name.startswith("_")]
        foreign = [name for name in names if not name.startswith(file.parents[1].name + "_")]
        assert foreign == [], f"{file}: begin {foreign} with the role's name"
        constants |= dict.fromkeys(names, file)
    assert constants
    listed = subprocess.run(
        ["git", "ls-files", "inventories", "molecule", "playbooks"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for path in (REPOSITORY / name for name in listed.stdout.split() if Path(name).suffix in {".yml", ".yaml"}):
        set_here = [name for name in constants if re.search(rf"(?m)^\s*{name}:\s", path.read_text())]
        assert set_here == [], f"{path}: {set_here} are constants of a role, whose own value would win there"


def test_no_module_notes_its_arguments_in_a_host_s_journal():
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "ansible.cfg")
    assert settings.getboolean("defaults", "no_target_syslog"), "secrets in lists are not recognised there"

# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/add-a-service.md tells the truth: what a new service touches, and that it isn't more than nine files."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs/add-a-service.md"
MOST_EXISTING_FILES = 9
# Services whose name is no everyday word, so that a search finds the service and nothing else. Each with its own files
# beside roles/, molecule/, group_vars/ and playbooks/ of its name.
SERVICES = {
    "omero_web": ["playbooks/omero.yml", "playbooks/tasks/import_probe.yml", "docs/services/omero.md"],
    "ldap_directory": ["playbooks/directory.yml", "docs/services/directory.md", "playbooks/ops/restore_directory.yml",
                       "docs/runbooks/restore-directory.md", "molecule/backup_directory/"],
}  # fmt: skip


def named() -> list[str]:
    """The existing files that the page names, a numbered line each."""
    existing = PAGE.read_text().partition("**Existing files")[2]
    return re.findall(r"(?m)^\d+\. `([^`]+)`", existing)


def test_a_new_service_touches_at_most_nine_existing_files():
    assert 0 < len(named()) <= MOST_EXISTING_FILES
    assert [name for name in named() if not (REPOSITORY / name).is_file()] == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_other_file_names_a_service(service):
    own = [
        f"roles/{service}/",
        f"molecule/{service}/",
        f"inventories/example/group_vars/{service}/",
        *SERVICES[service],
    ]
    # What was decided or thought of it once, what tests it, and other facilities that have it.
    own += ["docs/decisions/", "tests/", "molecule/", "docs/", "testbed/prepared.py"]
    found = subprocess.run(
        ["git", "grep", "-l", "--word-regexp", "-e", service, "-e", f"{service}_[a-z_]*"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    touched = [name for name in found if not name.startswith(tuple(own))]
    assert touched, f"{service} stands nowhere: this test proves nothing"
    assert sorted(set(touched) - set(named())) == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's account, password and group outlive the only domain controller."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import testinfra

from tests.scenario import played

REPOSITORY = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
LOST, NEW = "dc1.domain.test", "dc3.domain.test"


@pytest.fixture
def restore():
    """Run the playbook as docs/runbooks/restore-directory.md says; return what came of it."""
    book = REPOSITORY / "playbooks/ops/restore_directory.yml"
    return lambda **variables: played(book, "--limit", f"!{LOST}", **variables)


def who(login, password):
    """Bind over verified LDAPS to the new controller; return what the directory says."""
    file = EPHEMERAL / "typed"
    file.write_text(password)
    return subprocess.run(
        ["ldapwhoami", "-x", "-H", f"ldaps://{NEW}", "-D", f"{login}@domain.test", "-y", str(file)],
        check=False, capture_output=True, text=True,
        env={**os.environ, "LDAPTLS_CACERT": str(EPHEMERAL / "authority/ca.crt"), "LDAPTLS_REQCERT": "demand"},
    )  # fmt: skip


def test_the_domain_comes_back_on_another_host(restore):
    lost = testinfra.get_host(f"podman://{LOST}")
    lost.run_expect([0], "samba-tool user create alice 'Secret-of-alice-1' --userou=OU=People")
    lost.run_expect(
        [0], "samba-tool group add rg-neuro --groupou=OU=Groups && samba-tool group addmembers rg-neuro alice"
    )
    lost.run_expect([0], "systemctl start facility-backup")
    subprocess.run(["podman", "rm", "--force", "--volumes", LOST], check=True, capture_output=True)

    refused = restore(restore_directory_confirm=NEW)
    assert refused.returncode != 0
    assert "restore_directory_from" in refused.stdout
    done = restore(restore_directory_confirm=NEW, restore_directory_from=LOST, restore_directory_port=8001)
    assert done.returncode == 0, done.stdout[-5000:]
    assert who("alice", "Secret-of-alice-1").returncode == 0
    assert who("alice", "wrong").returncode == 49


def test_groups_and_the_lost_name_are_as_they_should_be(host):
    assert host.check_output("samba-tool group listmembers rg-neuro") == "alice"
    assert "dc1" not in host.check_output("samba-tool group listmembers 'Domain Controllers'").lower()


def test_a_domain_is_never_written_over(restore):
    done = restore(restore_directory_confirm=NEW, restore_directory_from=LOST, restore_directory_port=8001)
    assert done.returncode != 0
    assert "holds a domain already" in " ".join(done.stdout.split())
    assert who("alice", "Secret-of-alice-1").returncode == 0

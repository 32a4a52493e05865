# SPDX-License-Identifier: GPL-3.0-or-later
"""How a client gets its repository: whole or not at all, with two keys that open it, and over nothing."""

import json
import secrets
import shlex

import pytest

from .conftest import VAULT

NEW = "client9.vault.test"
REPOSITORY, MARKER = f"{VAULT}/{NEW}", f"/etc/backup-server/created/{NEW}-test"

PROGRAM = (
    "env PYTHONPATH=/usr/local/lib/backup-server PYTHONDONTWRITEBYTECODE=1"
    " python3 -m facility.backup.server.create_repository"
)


@pytest.fixture(scope="module")
def given():
    return {"name": NEW, "recovery": secrets.token_hex(32), "client": secrets.token_hex(32)}


@pytest.fixture(scope="module")
def create(server):
    """Call the program as the role does."""
    yield lambda given: server.run(f"cd / && echo {shlex.quote(json.dumps(given))} | {PROGRAM} {REPOSITORY} {MARKER}")
    server.run_expect([0], f"rm -rf {REPOSITORY} {MARKER}")


def names(server, password):
    """Whose keys the repository has, for who has this password."""
    environment = f"RESTIC_PASSWORD={password} RESTIC_CACHE_DIR=/tmp/cache-{NEW}"
    listed = server.run(
        f"cd / && runuser -u restic-rest-server -- env {environment} restic -r {REPOSITORY} key list --json"
    )
    return sorted(key["userName"] for key in json.loads(listed.stdout)) if listed.rc == 0 else []


def test_what_lies_in_its_place_is_not_written_over(server, create, given):
    server.run_expect([0], f"mkdir {REPOSITORY} && echo precious >{REPOSITORY}/data")
    done = create(given)
    assert done.rc == 1
    assert "is no repository, and something else: move it aside" in done.stderr
    assert not server.file(MARKER).exists
    assert server.check_output(f"cat {REPOSITORY}/data") == "precious"
    server.run_expect([0], f"rm -r {REPOSITORY}")


def test_what_a_run_that_was_cut_off_left_is_no_repository_and_the_next_run_makes_one(server, create, given):
    server.run_expect([0], f"mkdir -p {VAULT}/.{NEW}.new/keys && echo half >{VAULT}/.{NEW}.new/config")
    done = create(given)
    assert done.rc == 0, done.stderr
    assert names(server, given["client"]) == names(server, given["recovery"]) == [NEW, "recovery"]
    assert server.run(f"ls -A {VAULT}").stdout.count(NEW) == 1
    assert server.file(MARKER).exists
    assert server.check_output(f"stat -c '%U %a' {REPOSITORY}") == "restic-rest-server 700"


def test_another_recovery_password_is_refused_and_changes_nothing(server, create, given):
    done = create({**given, "recovery": "r" * 43})
    assert done.rc == 1
    assert "does not open with its recovery password" in done.stderr
    assert names(server, given["client"]) == [NEW, "recovery"]


def test_a_recovery_password_is_renewed_by_who_knows_the_former_one(server, create, given):
    done = create({**given, "recovery": "r" * 43, "former": given["recovery"]})
    assert done.rc == 0, done.stderr
    assert names(server, "r" * 43) == names(server, given["client"]) == [NEW, "recovery"]
    assert names(server, given["recovery"]) == []
    # The next run is given the former one, too, until somebody takes it out of the vault.
    given["recovery"], given["former"] = "r" * 43, given["recovery"]


def test_a_client_with_a_new_password_loses_the_old_one(server, create, given):
    assert create({**given, "client": "n" * 43}).rc == 0
    assert names(server, "n" * 43) == [NEW, "recovery"]
    assert names(server, given["client"]) == []

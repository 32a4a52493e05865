# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup server, its client, a thief on the client, and the mail that somebody reads in the morning."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra

from tests.scenario import played, wait_until

SCENARIO = Path(__file__).parents[1]
REPOSITORY = SCENARIO.parents[1]
SERVER, CLIENT, OTHER = "backup1.vault.test", "client1.vault.test", "client2.vault.test"
VAULT = "/srv/backup/restic"


@pytest.fixture(scope="session")
def server():
    return testinfra.get_host(f"podman://{SERVER}")


@pytest.fixture(scope="session")
def client():
    return testinfra.get_host(f"podman://{CLIENT}")


@pytest.fixture(scope="session")
def night(client):
    """Back the client up; some files and rows are there to lose."""

    def night():
        done = client.run("systemctl start facility-backup; systemctl is-failed facility-backup")
        assert done.stdout.strip() == "inactive", client.run("journalctl -u facility-backup -n 30 --no-pager").stdout
        return json.loads(client.check_output("facility-restic --json snapshots --latest 1"))[-1]["id"]

    client.run_expect([0], "mkdir -p /srv/images")
    client.run_expect(
        [0],
        "cd /srv/images && for i in $(seq 12); do test -e $i.tif || head -c 700000 /dev/urandom > $i.tif; done",
    )
    client.run_expect(
        [0],
        "runuser -u postgres -- psql -q -d images -c 'CREATE TABLE IF NOT EXISTS image (id int)' "
        "-c 'INSERT INTO image SELECT generate_series(1, 100)'",
    )
    return night


@pytest.fixture
def job(server):
    """Start a job of the server; return whether it ended well, and what it said."""

    def job(name):
        done = server.run(f"systemctl start {name}")
        since = server.check_output(f"systemctl show --value --property=InvocationID {name}")
        return done.rc == 0, server.run(f"journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID={since}").stdout

    return job


@pytest.fixture
def problems(server, job):
    """Let the backup server judge; return its problems as {kind: [repository]}."""

    def problems():
        job("backup-inspect")
        return told(server)

    return problems


@pytest.fixture
def known(server):
    """The problems that the backup server told before this test, as {kind: [repository]}."""
    return told(server)


def told(server):
    found = {}
    for problem in json.loads(server.check_output("cat /var/lib/backup-server/report.json"))["problems"]:
        found.setdefault(problem["kind"], []).append(problem["repository"])
    return found


@pytest.fixture
def refused(server):
    """Count as the backup server does, without all else that it looks at: the figure of a repository, as of now."""

    def refused(repository):
        count = f"from facility.backup.server import host; print(host.refused('restic-server@{repository}').count)"
        # First the journal takes in what was said before.
        return int(
            server.check_output(
                "journalctl --sync && cd / && runuser -u restic-rest-server -G systemd-journal -- env "
                f'PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/usr/local/lib/backup-server python3 -c "{count}"'
            )
        )

    return refused


@pytest.fixture(scope="module")
def treasure(night, server, client):
    """What was there before the thief came: a snapshot, its images, and every file of all repositories by SHA-256."""
    snapshot = night()
    images = client.check_output("cd /srv/images && sha256sum *.tif").splitlines()
    return Treasure(snapshot, {line.split()[1]: line.split()[0] for line in images}, stored(server))


@dataclass(frozen=True)
class Treasure:
    snapshot: str
    images: dict[str, str]
    files: dict[str, str]


@pytest.fixture
def unharmed(server, treasure):
    """After the test every file that was there before the thief came must be as it was."""
    yield
    after = stored(server)
    assert {path: after.get(path) for path in treasure.files} == treasure.files


def stored(server):
    """Everything in the repositories but locks, by path: the SHA-256."""
    found = server.check_output(f"cd {VAULT} && find . -type f -not -path '*/locks/*' -exec sha256sum {{}} +")
    return {line.split()[1]: line.split()[0] for line in found.splitlines()}


@pytest.fixture
def restored(client):
    """Restore a snapshot on the client; return the SHA-256 of each image in it."""

    def restored(snapshot):
        client.run_expect([0], "rm -rf /tmp/back")
        done = client.run(f"facility-restic restore --quiet {snapshot}:/srv/images --target /tmp/back")
        found = client.check_output("cd /tmp/back && sha256sum *.tif").splitlines()
        return done.rc, {line.split()[1]: line.split()[0] for line in found}

    return restored


@pytest.fixture
def ask(client):
    """A thief's own requests to a server, with the client's password; return the status of the answer."""

    def ask(method, path, data="", port=8001, more=""):
        body = f"--data-binary {shlex.quote(data)}" if data else ""
        return client.check_output(
            # With HTTP/2 the server's early no to an upload is an error to curl, now and then.
            f"curl --http1.1 --silent --output /dev/null --write-out '%{{http_code}}' --path-as-is "
            f"--request {method} {body} "
            f"--cacert /etc/facility/tls/ca.crt --user {CLIENT}:$(cat /etc/facility-backup/server-password) "
            f"{more} 'https://{SERVER}:{port}/{path}'"
        )

    return ask


@pytest.fixture(scope="session")
def mailbox(server):
    """Somebody who receives mail on the server; returns all that came."""
    server.run_expect(
        [0],
        "systemctl is-active --quiet mailbox || systemd-run --quiet --unit=mailbox --setenv=PYTHONUNBUFFERED=1 "
        "--property=StandardOutput=append:/root/mail python3 -W ignore -m smtpd -n -c DebuggingServer 127.0.0.1:2525",
    )
    return lambda: server.run("cat /root/mail").stdout


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def converge():
    """Run the scenario's playbook once more; return what came of it."""
    return lambda *options: played(SCENARIO / "converge.yml", *options)

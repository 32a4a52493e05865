# SPDX-License-Identifier: GPL-3.0-or-later
"""A client whose backup is started by hand, and the server with its repository."""

import contextlib
import json
import os
import re
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
import testinfra

from tests.scenario import played

SCENARIO = Path(__file__).parents[1]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
CLIENT = "client1.backup-client.test"
Ended = namedtuple("Ended", "status said")


@pytest.fixture(scope="session")
def client():
    return testinfra.get_host(f"podman://{CLIENT}")


@pytest.fixture(scope="session")
def server():
    return testinfra.get_host("podman://server1.backup-client.test")


@pytest.fixture
def journal(client):
    """What the backup has said since this test began, lines bound to one."""
    client.run_expect([0], "journalctl --sync")
    since = client.check_output("journalctl --quiet --no-pager -n 1 --show-cursor | tail -n 1 | sed 's/^-- cursor: //'")

    def journal():
        client.run_expect([0], "journalctl --sync")
        said = client.check_output("journalctl --no-pager -o cat -u facility-backup --after-cursor %s", since)
        return re.sub(r"\s+", " ", said)

    return journal


@pytest.fixture
def backup(client, journal):
    """Start the night's unit and wait for its end: systemctl's status, and what was said."""

    def backup():
        client.run("systemctl reset-failed facility-backup.service")
        status = client.run("systemctl start facility-backup.service").rc
        return Ended(status, journal())

    return backup


@pytest.fixture
def restic(client):
    """What this host's restic answers, as JSON, a document a line."""

    def restic(*arguments):
        command = " ".join(f"'{argument}'" for argument in arguments)
        answer = client.check_output(f"facility-restic --quiet --json {command}")
        return [json.loads(line) for line in answer.splitlines()]

    return restic


@pytest.fixture
def changed(client):
    """A file of the client is another one for a while."""

    @contextlib.contextmanager
    def changed(path, old, new):
        text = client.file(path).content_string
        assert re.search(old, text), f"{path} has no {old}"
        client.run_expect([0], f"cp -a {path} /root/kept")
        try:
            put(client, path, re.sub(old, new.replace("\\", r"\\"), text, count=1))
            yield
        finally:
            client.run_expect([0], f"cp -a /root/kept {path} && rm /root/kept && systemctl daemon-reload")

    return changed


@pytest.fixture
def last_run(client):
    """How the last run went, as it noted itself."""
    return lambda: json.loads(client.file("/var/lib/facility-backup/last-run.json").content_string)


@pytest.fixture(name="put")
def put_fixture():
    """Write a file's text on a host, and keep its mode."""
    return put


def put(host, path, text):
    with subprocess.Popen(
        ["podman", "exec", "-i", host.backend.name, "tee", path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as writing:
        writing.communicate(text.encode())
    assert writing.returncode == 0


@pytest.fixture
def play():
    """Run a playbook of the scenario against the client; return what came of it."""

    def play(book, *options, **variables):
        done = played(SCENARIO / book, "--limit", CLIENT, *options, **variables)
        return Ended(done.returncode, done.said)

    return play


@pytest.fixture
def secret():
    """A password, as the role was given it."""
    return lambda name: (EPHEMERAL / name).read_text().strip()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients on the network, and the next run of the role."""

import os
import shlex
from pathlib import Path

import pytest
import testinfra

from tests.scenario import played

SCENARIO = Path(__file__).parents[1]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
HOSTS = ("omero1.postgresql.test", "db2.postgresql.test")


@pytest.fixture
def password():
    """A user's password, as the role was given it."""
    return lambda user: (EPHEMERAL / user).read_text().strip()


@pytest.fixture
def name(host):
    return host.check_output("hostname -f")


@pytest.fixture
def psql(name, password):
    """Log in to the host from the other one, over the network; give (exit status, what was answered or complained)."""
    client = testinfra.get_host(f"podman://{next(other for other in HOSTS if other != name)}")

    def psql(sql, user="images", database="images", secret=None, **options):
        given = {
            "host": name, "dbname": database, "user": user, "sslmode": "verify-full",
            "sslrootcert": "/etc/facility/tls/ca.crt", "connect_timeout": "5", **options,
        }  # fmt: skip
        target = " ".join(f"{key}={value}" for key, value in given.items())
        variables = f"PGPASSWORD={shlex.quote(password(user) if secret is None else secret)}"
        done = client.run(f"{variables} psql --no-psqlrc -qAtX -c %s %s", sql, target)
        return done.rc, (done.stdout + done.stderr).strip()

    return psql


@pytest.fixture
def administrator(host):
    """Ask the server as its administrator."""

    def administrator(sql, database="postgres"):
        return host.check_output("runuser -u postgres -- psql -qAtX -d %s -c %s", database, sql)

    return administrator


@pytest.fixture
def play():
    """Run a playbook of the scenario against one host; return what came of it."""
    return lambda book, host, **variables: played(SCENARIO / book, "--limit", host, **variables)


@pytest.fixture
def converge(play, name):
    """Run the role again on the host with other variables."""
    return lambda **variables: play("converge.yml", name, **variables)


@pytest.fixture
def renew(play, name):
    """Give the host a new certificate, as roles/certificates/README.md says."""

    def renew():
        (EPHEMERAL / "authority" / "issued" / f"{name}.crt").unlink()
        return play("prepare.yml", name)

    return renew

# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario's directory as tests meet it: its secrets, a second converge, and clients on the controller."""

import os
import subprocess
import time
from pathlib import Path

import pytest

SCENARIO = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
CA = SCENARIO / "authority" / "ca.crt"
# The role has made each DC notify the other, which takes seconds; a lost notification is made good when they ask each
# other, every five minutes.
REPLICATION_SECONDS = 400


@pytest.fixture(scope="session")
def secret():
    """Return a function that reads a secret of the scenario: administrator, svc-controller, passphrase."""
    return lambda name: (SCENARIO / name).read_text().split()[0]


@pytest.fixture(scope="session")
def eventually():
    """Return a function that gives the first true answer of ``check``, or the last one after ``seconds``."""

    def eventually(check, seconds=REPLICATION_SECONDS):
        deadline = time.monotonic() + seconds
        while not (answer := check()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return answer

    return eventually


class Client:
    """LDAP tools on the controller, which trust the facility's authority and nothing else."""

    def run(self, *command, ca=CA):
        environment = {**os.environ, "LDAPTLS_CACERT": str(ca), "LDAPTLS_REQCERT": "demand", "LDAPNETWORK_TIMEOUT": "5"}
        return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=environment)

    def who(self, uri, name, password, *options, ca=CA):
        """Bind as somebody; the password goes in a file as a person's would go into a prompt."""
        file = SCENARIO / "typed"
        file.write_text(password)
        return self.run("ldapwhoami", "-x", "-H", uri, "-D", f"{name}@directory.test", "-y", file, *options, ca=ca)


@pytest.fixture
def client():
    return Client()


@pytest.fixture(scope="session")
def converge():
    """Return a function that runs the scenario's converge again with other variables."""

    def run(*arguments, playbook="converge.yml"):
        book = PROJECT / "molecule" / "ldap_directory" / playbook
        command = ["ansible-playbook", "-i", str(SCENARIO / "inventory"), str(book), *arguments]
        # Who does not answer within this time is waited for no longer.
        environment = {**os.environ, "FACILITY_DIRECTORY_TIMEOUT": "5"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run

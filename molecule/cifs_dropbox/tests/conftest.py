# SPDX-License-Identifier: GPL-3.0-or-later
"""People at their computers, the file server's host, and the next run of the role."""

import re
import shlex
import time
from pathlib import Path

import pytest
import testinfra

from tests.scenario import PATIENCE, played

SCENARIO = Path(__file__).parents[1]
SHARE = "//omero1.cifs.test/dropbox"
MONITOR = """
import json, pathlib, time
report = pathlib.Path("/run/omero-dropbox-monitor/report.json")
report.parent.mkdir(exist_ok=True)
while True:
    box = pathlib.Path("/OMERO/DropBox")
    people = [folder.name for folder in box.iterdir()]
    asked = pathlib.Path("/run/settle/asked.json")
    sets = json.loads(asked.read_text())["sets"] if asked.exists() else []
    has = {name: [str(p.relative_to(box / name)) for p in (box / name).rglob("*") if p.is_file()] for name in sets}
    told = {"time": time.time(), "since": 1, "alive": True, "watching": people, "importing": [], "imported": has}
    new = report.with_suffix(".new")
    new.write_text(json.dumps(told))
    new.rename(report)
    time.sleep(1)
"""


@pytest.fixture(scope="session")
def client():
    """The computer at which people sit."""
    return testinfra.get_host("podman://dc1.cifs.test")


@pytest.fixture
def server():
    return testinfra.get_host("podman://omero1.cifs.test")


class Person:
    """Somebody with smbclient instead of Explorer."""

    def __init__(self, client, login):
        self._client = client
        self.login = login

    def does(self, commands, *options, stdin=""):
        """Give smbclient commands; return all that it says. Its exit status says nothing about a single command."""
        command = ["smbclient", SHARE, "--user", f"CIFS\\{self.login}", "--use-kerberos=off", *options]
        line = f"{stdin} PASSWD=Secret-of-{self.login} {shlex.join(command)} --command {shlex.quote(commands)}"
        done = self._client.run(line)
        return done.stdout + done.stderr

    def begins(self, commands, before=""):
        """Give smbclient commands and go on; what comes before runs before it in a pipe."""
        command = shlex.join(["smbclient", SHARE, "--user", f"CIFS\\{self.login}", "--command", commands])
        service = ["systemd-run", "--quiet", "--collect", f"--setenv=PASSWD=Secret-of-{self.login}", "sh", "-c"]
        self._client.run_expect([0], shlex.join([*service, f"{before} {command}"]))

    def sees(self, folder=""):
        """The names in a folder."""
        listed = self.does(f'ls "{folder}/*"' if folder else "ls").splitlines()
        names = [line[2:].rsplit(maxsplit=7)[0].rstrip() for line in listed if line.startswith("  ")]
        return {name for name in names if name not in {".", ".."}}

    def room(self):
        """What a client is shown of the drive: MiB in all, and left."""
        shown = re.search(r"(\d+) blocks of size 1024\. (\d+) blocks available", self.does("ls"))
        return tuple(round(int(blocks) / 1024) for blocks in shown.groups())

    def puts(self, content, path):
        """Copy a text to the share; return what smbclient says of it when it fails."""
        self._client.run_expect([0], f"printf %s {shlex.quote(content)} > /tmp/put")
        return "\n".join(line for line in self.does(f'put /tmp/put "{path}"').splitlines() if "NT_STATUS" in line)

    def gets(self, path):
        """The text of a file on the share; None if it can't be had."""
        self._client.run("rm -f /tmp/got")
        self.does(f'get "{path}" /tmp/got')
        got = self._client.run("cat /tmp/got")
        return got.stdout if got.rc == 0 else None


@pytest.fixture
def person(client):
    return lambda login: Person(client, login)


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def monitor(server):
    """Stand in for the DropBox monitor, who says that OMERO watches, and has at once what it was given."""
    server.run_expect([0], f"systemd-run --quiet --collect --unit=dropbox-monitor python3 -c {shlex.quote(MONITOR)}")
    yield
    server.run("systemctl stop dropbox-monitor; rm -rf /run/omero-dropbox-monitor")


@pytest.fixture
def play():
    """Run a playbook on the file server's host with other variables; return what came of it."""
    return lambda book, **variables: played(SCENARIO / book, "--limit", "cifs_dropbox", **variables)


@pytest.fixture
def converge(play):
    return lambda **variables: play("converge.yml", **variables)


def until(question, seconds=PATIENCE):
    """Ask again until the answer is true, or it takes too long; return the last answer."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.5)
    return answer


@pytest.fixture(name="until")
def until_fixture():
    return until

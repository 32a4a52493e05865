# SPDX-License-Identifier: GPL-3.0-or-later
"""People with OMERO's command line, who feeds the DropBox, and the next run of the role."""

import base64
import json
import os
import shlex
import subprocess
import uuid
from pathlib import Path

import pytest

from tests import scenario

SCENARIO = Path(__file__).parents[1]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
NAME = "omero1.omero.test"
HOME = "/opt/omero/server"
CA = "/etc/facility/tls/ca.crt"
DROPBOX = "/OMERO/DropBox"
# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CONVERGE = "- {name: Converge, hosts: omero_server, gather_facts: false, roles: [omero_server]}"
ENVIRONMENT = {**scenario.ENVIRONMENT, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}


@pytest.fixture
def secret():
    """A password of the facility, as the role was given it."""
    return lambda name: (EPHEMERAL / name).read_text().strip() + ("-1a" if name == "bind" else "")


@pytest.fixture
def omero(host):
    """Give a command to OMERO as a person; return what came of it."""

    def omero(command, login="alice", password=None, server=NAME, environment=""):
        word = f"Secret-of-{login}" if password is None else password
        who = f"-C -s {server} -u {login} -w {shlex.quote(word)}"
        return host.run(f"{environment} /usr/local/bin/omero {command} {who} </dev/null")

    return omero


@pytest.fixture
def until():
    return scenario.wait_until


@pytest.fixture
def images(omero, until):
    """The names and groups of a person's images; a part of the name is given. Waits for the first of them."""

    def listed(part, login):
        query = f"select i.name, i.details.group.name from Image i where i.name like '%{part}%' order by i.name"
        done = omero(f"hql -q --style csv {shlex.quote(query)}", login)
        assert done.rc == 0, done.stderr
        return [tuple(line.split(",")[1:]) for line in done.stdout.splitlines() if part in line]

    def images(part, login="alice", *, wait=False):
        if not wait:
            return listed(part, login)
        return until(lambda: listed(part, login), f"{login} has images {part}")

    return images


@pytest.fixture
def monitor(host, until):
    """Wait until the DropBox monitor's report fulfils a condition; return the report."""

    def monitor(condition, what):
        def report():
            # While the DropBox monitor starts there is none.
            text = host.run("cat /run/omero-dropbox-monitor/report.json").stdout
            found = json.loads(text) if text else None
            return found if found and condition(found) else None

        return until(report, what)

    return monitor


@pytest.fixture
def put(host):
    """Move a set of images into a DropBox folder in one step, as whoever feeds it; folder may be one within another."""

    def put(login, *files, folder=""):
        user = "runuser -u omero-server --"
        aside = f"/OMERO/{uuid.uuid4().hex}"
        made = [folder.rsplit("/", levels)[0] for levels in range(folder.count("/"), -1, -1)]
        host.run_expect([0], f"install -d -o omero-server {shlex.join(f'{aside}/{one}' for one in ('', *made))}")
        for file in files:
            path = shlex.quote("/".join(part for part in (aside, folder, file) if part))
            host.run_expect([0], f"echo {base64.b64encode(PNG).decode()} | base64 -d | {user} tee {path} >/dev/null")
        for name in [made[0]] if folder else files:
            host.run_expect([0], f"{user} mv {shlex.quote(f'{aside}/{name}')} {DROPBOX}/{login}/")
        host.run_expect([0], f"rmdir {aside}")

    return put


@pytest.fixture
def alice(host, omero, monitor):
    """Alice has logged in once and has a folder in the DropBox, which is watched."""
    assert omero("login").rc == 0
    host.run_expect([0], f"install -d -o omero-server -g omero-server {DROPBOX}/alice")
    monitor(lambda report: report["alive"] and "alice" in report["watching"], "alice's folder is watched")
    return "alice"


@pytest.fixture
def client(host):
    """Run a few lines of Python as somebody who is logged in to OMERO; there they find `session`."""

    def client(login, password, code="print('in')"):
        lines = f"""
import sys
sys.path.insert(0, "/usr/local/lib/omero-dropbox-monitor")
from facility.omero.connection import OmeroError, Server, call, open_session
try:
    with open_session(Server("{NAME}", 4064, "{login}", {password!r}, "{CA}")) as session:
        {code}
except OmeroError as error:
    print(error)
"""
        return host.check_output(f"{HOME}/venv/bin/python -c {shlex.quote(lines)}")

    return client


@pytest.fixture
def play():
    """Run a playbook of the scenario against the server; return what came of it."""
    return lambda book, **variables: scenario.played(
        SCENARIO / book, "--limit", NAME, environment=ENVIRONMENT, **variables
    )


@pytest.fixture
def converge(play, tmp_path):
    """Run role omero_server again with other variables; return what came of it."""
    (book := tmp_path / "server.yml").write_text(CONVERGE)
    return lambda **variables: play(book, **variables)


@pytest.fixture
def module(secret):
    """Run one of the modules on the server with OMERO's Python; return its result."""

    def module(name, check=False, **arguments):
        given = {"host": NAME, "password": secret("root"), "ca_file": CA}
        arguments = arguments if name == "omero_config" else {**given, **arguments}
        command = ["ansible", NAME, "-i", os.environ["MOLECULE_INVENTORY_FILE"], "-m", name]
        command += ["-a", json.dumps(arguments), "-e", f"ansible_python_interpreter={HOME}/venv/bin/python"]
        command += ["--check"] if check else []
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)
        assert "=>" in done.stdout, done.stdout + done.stderr
        result = json.loads(done.stdout.partition("=>")[2])
        return {"failed": "FAILED!" in done.stdout, **result}

    return module

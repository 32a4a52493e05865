# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people at drive X, the administrator with playbooks, and what each of the hosts says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest
import testinfra
import yaml

from tests.acceptance.drive import Drive
from tests.scenario import ENVIRONMENT, REPOSITORY, played, wait_until
from tests.scenario import command as ansible_playbook

SCENARIO = Path(__file__).parents[1]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
OMERO = "omero1.disaster.test"
WIKI = "wiki1.disaster.test"
# Where the scenario's inventory has them, which is not where the roles' defaults are.
DATA = "/srv/images"
VAULT = "/srv/vault"
BACKUP = "backup1.disaster.test"
SCRATCH = "scratch1.disaster.test"


@pytest.fixture
def omero():
    """OMERO's host, whichever container it is just now."""
    return testinfra.get_host(f"podman://{OMERO}")


@pytest.fixture
def backup():
    return testinfra.get_host(f"podman://{BACKUP}")


@pytest.fixture
def wiki():
    return testinfra.get_host(f"podman://{WIKI}")


@pytest.fixture
def scratch():
    return testinfra.get_host(f"podman://{SCRATCH}")


@pytest.fixture
def drive():
    """Drive X of a person."""
    return lambda login: Drive(OMERO, login, f"Secret-of-{login}", "DISASTER")


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def command(omero):
    """Give OMERO's command line to a person; return what it says. Most commands log in themselves: a start is slow."""

    def command(words, login):
        program, who = "/usr/local/bin/omero", f"-s {OMERO} -u {login} -w Secret-of-{login} </dev/null"
        alone = f"{program} login {who} && {program} {words} </dev/null"
        done = omero.run(alone if words.startswith("delete ") else f"{program} {words} {who}")
        assert done.rc == 0, done.stdout + done.stderr
        return done.stdout

    return command


@pytest.fixture
def images(command):
    """A person's images, id by name, as that person sees them in OMERO."""

    def images(login):
        query = "select i.id, i.name from Image i order by i.id"
        lines = command(f"hql -q --style csv --limit 500 {shlex.quote(query)}", login).splitlines()
        rows = [line.split(",") for line in lines if line[:1].isdigit()]
        return {row[2]: int(row[1]) for row in rows}

    return images


@pytest.fixture
def imported(omero, images, until):
    """Wait until a person has so many images: the database says when, at less cost than OMERO's command line."""

    def imported(login, count):
        asked = f"SELECT count(*) FROM image i JOIN experimenter e ON e.id = i.owner_id WHERE e.omename = '{login}'"
        ask = f"runuser -u postgres -- psql -qAtX -d omero -c {shlex.quote(asked)}"
        until(lambda: int(omero.check_output(ask)) >= count, f"{login} has {count} images in OMERO's tables", 600)
        until(lambda: len(images(login)) == count, f"{login} sees {count} images in OMERO")

    return imported


@pytest.fixture
def play():
    """Run one of the facility's playbooks; return what came of it and how long it took."""
    return lambda book, **variables: played(REPOSITORY / "playbooks" / book, **variables)


@pytest.fixture
def drill():
    """Restore OMERO onto the scratch host, with the example's inventory for that under this facility's names."""
    place = EPHEMERAL / "drill"
    place.mkdir(exist_ok=True)
    (place / "group_vars").unlink(missing_ok=True)
    (place / "group_vars").symlink_to(EPHEMERAL / "inventory" / "group_vars")
    text = (REPOSITORY / "inventories/example/drill.yml").read_text()
    for example, here in (("imaging.example.org", "disaster.test"), ("10.42.0.", "10.42.11.")):
        text = text.replace(example, here)
    (place / "drill.yml").write_text(text)
    book = REPOSITORY / "playbooks/ops/drill_omero.yml"
    return lambda **variables: played(book, inventory=place / "drill.yml", **variables)


@pytest.fixture
def cut_off():
    """Begin one of the facility's playbooks, and kill it as soon as a condition is true."""

    def cut_off(condition, seconds, book, **variables):
        line = ansible_playbook(REPOSITORY / "playbooks" / book, **variables)
        said = EPHEMERAL / "cut-off.log"
        ends = time.monotonic() + seconds
        with said.open("w") as log, subprocess.Popen(line, stdout=log, stderr=log, env=ENVIRONMENT) as playbook:
            try:
                while not condition():
                    assert playbook.poll() is None, f"{book} ended by itself:\n{said.read_text()}"
                    assert time.monotonic() < ends, f"not within {seconds} s:\n{said.read_text()}"
                    time.sleep(1)
            finally:
                playbook.kill()

    return cut_off


@pytest.fixture
def night(omero):
    """Back a host up, OMERO's if no other, as its timer does at night."""

    def night(host=omero):
        done = host.run("systemctl start facility-backup; systemctl is-failed facility-backup")
        assert done.stdout.strip() == "inactive", host.run("journalctl -u facility-backup -n 50 --no-pager").stdout

    return night


@pytest.fixture
def hand_over(omero, until):
    """Do what a minute does by itself: end the piece of log that is written now, and wait until it is archived."""

    def ask(*sql):
        commands = " ".join(f"-c {shlex.quote(one)}" for one in sql)
        return omero.check_output(f"cd / && runuser -u postgres -- psql -qAtX -d omero {commands}")

    def hand_over():
        # A moment is in the log when something of a later moment is.
        piece = ask(
            "CREATE TABLE IF NOT EXISTS marker (at timestamptz)", "INSERT INTO marker VALUES (now())",
            "SELECT pg_walfile_name(pg_switch_wal())",
        ).splitlines()[-1]  # fmt: skip
        archived = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
        until(lambda: ask(archived) >= piece, f"{piece} is in the backups")

    return hand_over


@pytest.fixture
def rows(omero):
    """Every row of every table of OMERO's database, sorted, as text."""

    def ask(sql):
        return omero.check_output(f"runuser -u postgres -- psql -qAtX -d omero -c {shlex.quote(sql)}")

    def rows():
        tables = ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").split()
        return {table: ask(f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables}

    return rows


@pytest.fixture
def new_host():
    """Destroy OMERO's host with its disk, and put an empty one in its place."""

    def new_host():
        platforms = yaml.safe_load((SCENARIO / "molecule.yml").read_text())["platforms"]
        told(["podman", "rm", "--force", "--volumes", OMERO])
        told(["python3", "-m", "testbed", "up", f"molecule-{SCENARIO.name}", "-"], json.dumps(platforms))

    return new_host


def told(command, given=""):
    """Run a command on this machine; where it fails, what it said is the reason."""
    done = subprocess.run(command, cwd=REPOSITORY, check=False, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

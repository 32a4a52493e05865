# SPDX-License-Identifier: GPL-3.0-or-later
"""restore_person answers of a moment, and waits until the backup reaches it; a real database is in scenario backup."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import time
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import REPOSITORY

BERLIN = ZoneInfo("Europe/Berlin")
HOSTS = """
all:
  hosts: {localhost: {ansible_connection: local}}
  vars: {facility_time_zone: Europe/Berlin, restore_person_stanza: omero, restore_person_database: omero}
  children: {backup_server: {hosts: {localhost: }}, omero_server: {hosts: {}}}
"""
# What it asks is noted; the first time no log of that moment has come in yet.
ASKED = """#!/bin/sh
echo "$*" >>"$0.asked"
[ "$(wc -l <"$0.asked")" -gt 1 ] || {
  echo "no change after that time came in yet: choose an earlier one, or wait for the next write-ahead log" >&2
  exit 1
}
echo '[{"image": null}]'
"""


@pytest.fixture
def restore(tmp_path):
    """Restore a person's images of a day; return what it said, and the times that the database was asked for."""
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (command := tmp_path / "facility-backup-server").write_text(ASKED)
    command.chmod(0o755)

    def restore(**wish):
        done = subprocess.run(
            ["ansible-playbook", "-i", str(tmp_path / "hosts.yml"), "playbooks/ops/restore_person.yml"]
            + [word for name, value in wish.items() for word in ("-e", f"{name}='{value}'")],
            cwd=REPOSITORY,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        noted = tmp_path / "facility-backup-server.asked"
        asked = re.findall(r"--time=(\S+)", noted.read_text()) if noted.exists() else []
        return " ".join(done.stdout.split()), [datetime.datetime.fromisoformat(one).timestamp() for one in asked]

    return restore


def test_on_the_day_itself_it_asks_for_now_and_waits_until_that_has_come_in(restore):
    before = int(time.time())
    today = datetime.datetime.now(BERLIN).strftime("%Y-%m-%d")
    said, asked = restore(login="bob", day=today)
    assert len(asked) == 2
    assert len(set(asked)) == 1, "of the same moment, however long it waits"
    assert before <= asked[0] <= time.time()
    shown = datetime.datetime.fromtimestamp(asked[0], BERLIN).strftime("%Y-%m-%d %H:%M:%S")
    assert re.search(f"On {shown} CES?T bob had no images that were imported on {today}", said)


def test_of_a_day_that_is_over_it_asks_for_its_end(restore):
    said, asked = restore(login="bob", day="2026-11-24")
    assert {datetime.datetime.fromtimestamp(one, BERLIN).isoformat() for one in asked} == {"2026-11-25T00:00:00+01:00"}
    assert "On 2026-11-25 00:00:00 CET bob had no images" in said


def test_a_time_that_is_to_come_is_refused_before_anything_is_asked(restore):
    said, asked = restore(login="bob", day="2026-11-24", at="2126-11-24 15:30")
    assert "2126-11-24 15:30 lies ahead in Europe/Berlin" in said
    assert asked == []

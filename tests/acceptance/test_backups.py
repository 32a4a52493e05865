# SPDX-License-Identifier: GPL-3.0-or-later
"""The example facility's backups as its administrator meets them: a night, a lost wiki page, a person to erase."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import testinfra

REPOSITORY = Path(__file__).parents[2]
SECRETS = REPOSITORY / "inventories/example/secrets"
CLIENTS = ("dc1", "omero1", "register1", "wiki1")
ENVIRONMENT = {**os.environ, "ANSIBLE_NOCOLOR": "1"}


def host(name):
    return testinfra.get_host(f"podman://{name}.imaging.example.org")


def play(book, **variables):
    command = ["ansible-playbook", f"playbooks/{book}", "-e", json.dumps(variables)]
    return subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def ended_well(where, unit):
    done = host(where).run(f"systemctl start {unit}")
    assert done.rc == 0, host(where).run(f"journalctl -u {unit} -n 30 --no-pager").stdout


@pytest.fixture(scope="module")
def night():
    """One night of the whole facility, in its order."""
    for client in CLIENTS:
        ended_well(client, "facility-backup")
    for job in ("backup-base", "backup-protect-pgbackrest", "backup-retain", "backup-check", "backup-drill"):
        ended_well("backup1", job)
    ended_well("backup1", "backup-drill-database")


def test_after_a_night_every_host_is_backed_up_and_nothing_is_wrong(night):
    backup = host("backup1")
    backup.run("systemctl start backup-inspect")
    report = json.loads(backup.check_output("cat /var/lib/backup-server/report.json"))
    assert report["problems"] == []
    assert {entry["name"].partition(".")[0] for entry in report["repositories"]} == {*CLIENTS, "pgbackrest"}
    assert all(entry["snapshots"] and entry["trusted"] for entry in report["repositories"])
    assert all(entry["ok"] and entry["backups"] for entry in report["stanzas"])


def test_the_night_s_files_were_compared_with_what_the_clients_said(night):
    state = json.loads(host("backup1").check_output("cat /var/lib/backup-server/state.json"))
    drills = {name: entry["drill"] for name, entry in state["repositories"].items() if "drill" in entry}
    assert len(drills) == len(CLIENTS)
    assert all(drill["ok"] and drill["files"] > 0 for drill in drills.values())


def test_a_client_s_password_opens_no_other_repository(night):
    said = host("wiki1").run(
        "RESTIC_PASSWORD_FILE=/etc/facility-backup/repository-password RESTIC_CACERT=/etc/facility/tls/ca.crt "
        "RESTIC_REST_USERNAME=wiki1.imaging.example.org "
        "RESTIC_REST_PASSWORD=$(cat /etc/facility-backup/server-password) timeout 30 restic --no-cache "
        "-r rest:https://backup1.imaging.example.org:8003/dc1.imaging.example.org/ snapshots"
    )
    assert said.rc != 0
    assert "401" in said.stdout + said.stderr


def test_the_wiki_comes_back_as_it_was_and_nothing_is_thrown_away(night):
    wiki = host("wiki1")
    page = "/var/lib/dokuwiki/data/pages/safety/requirements.txt"
    before = wiki.check_output(f"cat {page}")
    wiki.run_expect([0], "rm -r /var/lib/dokuwiki/data/pages/safety && touch /var/lib/dokuwiki/data/pages/new.txt")
    refused = play("ops/restore_wiki.yml")
    assert "restore_wiki_confirm=" in refused.stdout
    name = "wiki1.imaging.example.org"
    early = play("ops/restore_wiki.yml", restore_wiki_confirm=name, restore_wiki_to="2020-01-01")
    assert "Nothing was changed" in " ".join(early.stdout.split())
    done = play("ops/restore_wiki.yml", restore_wiki_confirm=name)
    assert done.returncode == 0, done.stdout[-4000:]
    assert wiki.check_output(f"cat {page}") == before
    assert wiki.run("ls /var/lib/dokuwiki/data.before-*/pages/new.txt").rc == 0
    wiki.run_expect([0], "rm -r /var/lib/dokuwiki/data.before-*")


def test_the_register_comes_back_as_it_was_and_who_was_erased_since_stays_erased(night):
    register, name = host("register1"), "register1.imaging.example.org"
    staff = "--by sstein --record"

    def add(login):
        person = f"--given-name Nora --family-name Night --mail {login}@neuro.example.org --group neuro"
        person += " --until 2020-12-31"
        register.run_expect([0], f"facility person add {login} {person} {staff}")

    stamp = int(time.time()) % 10**7
    kept, erased, later = (f"{prefix}{stamp}" for prefix in ("kept", "gone", "late"))
    add(kept)
    add(erased)
    ended_well("register1", "facility-backup")
    add(later)
    register.run_expect([0], f"facility person erase {erased} --confirm {erased} --by sstein")
    assert "restore_register_confirm=" in play("ops/restore_register.yml").stdout
    early = play("ops/restore_register.yml", restore_register_confirm=name, restore_register_to="2020-01-01")
    assert "Nothing was changed" in " ".join(early.stdout.split())
    done = play("ops/restore_register.yml", restore_register_confirm=name)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 people were erased again." in done.stdout
    known = {login: register.run(f"facility person show {login}").rc for login in (kept, erased, later)}
    assert known == {kept: 0, erased: 2, later: 2}
    assert register.run("facility-register audit").rc == 0
    assert register.run("ls /var/lib/register/before-*/register.sqlite3").rc == 0
    register.run_expect([0], f"facility person erase {kept} --confirm {kept} --by sstein")
    register.run_expect([0], "rm -r /var/lib/register/before-*")


def test_nobody_is_erased_by_mistake(night):
    told = play("ops/erase_person.yml", login="aadler")
    assert told.returncode != 0
    assert "erase_person_confirm=aadler" in told.stdout
    assert "Say whose files" in play("ops/erase_person.yml", login="../etc").stdout


def test_the_recovery_keys_page_opens_the_repositories(night, tmp_path):
    done = play("ops/print_recovery_keys.yml")
    assert done.returncode == 0, done.stdout
    file = SECRETS / "recovery/backup-recovery-keys.txt"
    try:
        assert file.stat().st_mode & 0o777 == 0o600
        text = file.read_text()
        assert not set(re.findall(r"[\w-]{43}", text)) & set(re.findall(r"[\w-]{43}", done.stdout))
        key = re.search(r"^ +wiki1\.imaging\.example\.org\n +(\S{43})$", text, re.MULTILINE)[1]
        opened = host("backup1").run(
            f"cd /srv/backup/restic && RESTIC_PASSWORD={key} restic --no-cache --no-lock snapshots "
            "--repo wiki1.imaging.example.org"
        )
        assert opened.rc == 0, opened.stderr
    finally:
        file.unlink(missing_ok=True)

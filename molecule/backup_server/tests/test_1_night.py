# SPDX-License-Identifier: GPL-3.0-or-later
"""What a night leaves behind when nothing is wrong; first of all, before thieves come."""

import json
import subprocess
from pathlib import Path

from tests.scenario import played

from .conftest import CLIENT, OTHER, REPOSITORY, SERVER, VAULT

JOBS = ("backup-protect-pgbackrest", "backup-base-full", "backup-drill-database", "backup-check", "backup-retain")


def test_a_night_ends_well(night, job, server, until):
    night()
    until(lambda: server.run("ls /srv/backup/pgbackrest/backup/images/latest").rc == 0, "a first base backup")
    for name in JOBS:
        good, said = job(name)
        assert good, (name, said)


def test_some_files_come_back_as_they_were_and_that_is_noted(job, server):
    _, said = job("backup-drill")
    assert OTHER in said, "client2 never delivered, and a drill that proves nothing fails"
    state = json.loads(server.check_output("cat /var/lib/backup-server/state.json"))
    told = state["repositories"][CLIENT]["drill"]
    assert told["ok"] is True
    assert told["files"] > 0


def test_the_database_comes_back_aside_and_is_counted(server):
    figures = server.check_output("cat /var/lib/prometheus/node-exporter/backup_database.prom")
    assert 'backup_database_drill_ok{stanza="images"} 1.0' in figures
    rows = next(line for line in figures.splitlines() if line.startswith("backup_database_drill_rows{"))
    assert float(rows.split()[1]) >= 100
    assert server.check_output("find /srv/backup/scratch -type f -name PG_VERSION") == ""


def test_only_what_is_wrong_is_told_and_somebody_gets_mail(problems, mailbox, until):
    # In the order in which systemd would start them; the first message comes with the first new problem.
    assert mailbox() is not None
    found = problems()
    assert set(found) <= {"age", "drill"}
    assert all(names == [OTHER] for names in found.values())


def test_the_client_can_restore_by_itself(night, restored, client):
    snapshot = night()
    status, found = restored(snapshot)
    there = client.check_output("cd /srv/images && sha256sum *.tif").splitlines()
    assert status == 0
    assert found == {line.split()[1]: line.split()[0] for line in there}


def test_nobody_else_on_the_server_can_read_keys_or_backups(server):
    for user in ("pgbackrest", "nobody"):
        for path in ("/etc/backup-server/keys", VAULT, "/etc/restic-server"):
            assert server.run(f"runuser -u {user} -- ls {path}").rc != 0
    assert server.run("runuser -u nobody -- cat /etc/pgbackrest/pgbackrest.conf").rc != 0


def test_a_clients_server_sees_that_clients_repository_and_nothing_else(server):
    pid = server.check_output(f"systemctl show --value --property=MainPID restic-server@{CLIENT}")
    inside = f"nsenter --mount --target {pid} --"
    assert server.check_output(f"{inside} ls {VAULT}") == CLIENT
    assert server.run(f"{inside} ls /srv/backup/pgbackrest").rc != 0
    assert server.run(f"{inside} ls /etc/backup-server/keys").stdout == ""


def test_passwords_are_in_no_process_list_and_no_journal(server, client):
    secret = client.check_output("cat /etc/facility-backup/repository-password")
    recovery = server.check_output(f"cat /etc/backup-server/keys/{CLIENT}")
    for host in (server, client):
        for word in (secret, recovery):
            assert host.run(f"journalctl --no-pager | grep -F -e {word}").rc == 1
            # In a form that does not find itself.
            assert host.run(f"grep -l -e '[{word[0]}]{word[1:]}' /proc/[0-9]*/cmdline").stdout == ""
    assert client.run(f"grep -r -l -F -e {recovery} /etc /var/lib /usr/local /root").stdout == ""


def test_the_alarm_rules_do_what_they_say(server):
    # Of all services: promtool is here. As they lie in the repository, for the tests name the rules by their path.
    rules = sorted(REPOSITORY.glob("roles/*/files/alerts/*.rules.yml"))
    tests = sorted(REPOSITORY.glob("tests/alerts/*.test.yml"))
    for file in (*rules, *tests):
        place = f"/root/{file.relative_to(REPOSITORY)}"
        server.run_expect([0], f"mkdir -p {Path(place).parent}")
        subprocess.run(["podman", "cp", str(file), f"{SERVER}:{place}"], check=True)
    done = server.run(
        "cd /root && promtool check rules roles/*/files/alerts/*.rules.yml "
        "&& promtool test rules tests/alerts/*.test.yml"
    )
    assert done.rc == 0, done.stdout + done.stderr


def test_a_client_that_leaves_takes_its_server_along_and_leaves_its_backups(server, tmp_path):
    unit, repository = f"restic-server@{OTHER}", f"{VAULT}/{OTHER}"
    before = server.check_output(f"find {repository} | sort")
    assert server.service(unit).is_running
    book = tmp_path / "clients.yml"
    book.write_text(json.dumps([{"hosts": "backup_server", "gather_facts": False, "roles": ["backup_server"]}]))
    assert "failed=0" in played(book, how_many=1).said
    assert "changed=0" in played(book, how_many=1).said
    assert not server.service(unit).is_running
    assert not server.service(unit).is_enabled
    assert not server.run("ls /etc/restic-server").stdout.count(OTHER)
    assert server.service(f"restic-server@{CLIENT}").is_running
    assert server.check_output(f"find {repository} | sort") == before
    assert "failed=0" in played(book).said
    assert server.service(unit).is_running


def test_check_mode_says_that_nothing_is_to_be_done(converge):
    """Molecule's own second run has shown that nothing is."""
    done = converge("--check", "--diff")
    assert done.returncode == 0, done.stdout
    assert not [line for line in done.stdout.splitlines() if "changed=" in line and "changed=0" not in line]

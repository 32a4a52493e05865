# SPDX-License-Identifier: GPL-3.0-or-later
"""A thief is root on a client and has all its passwords. Nothing is destroyed or revealed, and everything is seen."""

import hashlib
import re

import pytest

from .conftest import CLIENT, OTHER, SERVER, VAULT


@pytest.fixture(scope="module")
def treasure(night, server):
    """A backup from before the thief came: its snapshot, and the SHA-256 of every file of both repositories."""
    snapshot = night()
    return snapshot, files(server)


def files(server):
    """Everything in the repositories but locks, by path: the SHA-256."""
    found = server.check_output(f"cd {VAULT} && find . -type f -not -path '*/locks/*' -exec sha256sum {{}} +")
    return {line.split()[1]: line.split()[0] for line in found.splitlines()}


def a_pack(client):
    return client.check_output("facility-restic --no-lock list packs").split()[0]


def refused_by_restic(client, words):
    done = client.run(f"facility-restic {words}")
    assert "403" in done.stdout + done.stderr, done.stdout + done.stderr


def expect(answer, *wanted):
    assert answer in wanted, answer


def test_nothing_is_destroyed_or_revealed(client, ask, treasure, server, restored):
    snapshot, before = treasure
    pack = a_pack(client)
    # 1 to 6: delete and overwrite.
    refused_by_restic(client, f"forget {snapshot}")
    expect(ask("DELETE", f"{CLIENT}/data/{pack}"), "403")
    expect(ask("POST", f"{CLIENT}/data/{pack}", "nothing"), "403")
    expect(ask("POST", f"{CLIENT}/config", "nothing"), "403")
    expect(ask("DELETE", f"{CLIENT}/config"), "403")
    expect(ask("DELETE", f"{CLIENT}/"), "405")
    # 7: take the recovery key away.
    keys = client.check_output("facility-restic --no-lock key list")
    recovery = re.search(r"^ +([0-9a-f]{8}) +recovery", keys, re.MULTILINE)[1]
    refused_by_restic(client, f"key remove {recovery}")
    # 8: prune what it thinks is unused, after an index of its own that knows nothing.
    client.run("facility-restic prune --max-unused 0")
    # 9 to 11: look into others' repositories.
    expect(ask("GET", f"{OTHER}/config"), "401")
    expect(ask("GET", f"{OTHER}/config", port=8002), "401")
    expect(ask("GET", f"{CLIENT}/data/../../{OTHER}/config"), "301", "401", "404")
    expect(ask("GET", "pgbackrest/config"), "401")
    # 12: write something that isn't what its name says.
    expect(ask("POST", f"{CLIENT}/data/{'0' * 64}", "poison"), "400")

    after = files(server)
    assert {path: digest for path, digest in after.items() if path in before} == before
    assert restored(snapshot)[0] == 0


def test_every_try_is_seen(problems, server, mailbox, until):
    found = problems()
    assert CLIENT in found["refused"]
    assert OTHER in found["refused"]
    figures = server.check_output("cat /var/lib/prometheus/node-exporter/backup.prom")
    count = re.search(rf'backup_refused_requests_day{{repository="{CLIENT}"}} (\S+)', figures)[1]
    assert float(count) >= 9
    until(lambda: "refused" in mailbox(), 60, "mail that tells of refused requests")


def test_snapshots_from_the_future_are_seen_and_nothing_is_forgotten(client, problems, job, server, treasure):
    """Retention would otherwise count back from them and take real ones for old."""
    client.run_expect([0], "facility-restic backup --time '2036-01-01 00:00:00' /etc/hostname")
    client.run_expect([0], "facility-restic backup --time '2020-01-01 23:59:59' /etc/hostname")
    found = problems()
    assert found["future"] == [CLIENT]
    assert found["backdated"] == [CLIENT]
    before = server.check_output(f"ls {VAULT}/{CLIENT}/snapshots")
    job("backup-retain")
    assert server.check_output(f"ls {VAULT}/{CLIENT}/snapshots") == before
    assert treasure[0] in before


def test_a_key_that_nobody_gave_out_is_seen(client, problems):
    client.run_expect([0], "echo thief >/root/key; facility-restic key add --new-password-file /root/key --user ghost")
    assert problems()["keys"] == [CLIENT]


def test_filling_the_server_up_hurts_nobody_else(client, problems, server, treasure, restored):
    client.run_expect([0], "head -c 120000000 /dev/urandom > /root/ballast")
    done = client.run("timeout 40 facility-restic backup --quiet /root/ballast")
    assert done.rc != 0
    size = int(server.check_output(f"du -sb {VAULT}/{CLIENT}").split()[0])
    assert size < 110_000_000
    assert CLIENT in problems()["quota"]
    assert server.check_output(f"du -sb {VAULT}/{OTHER}")
    assert restored(treasure[0])[0] == 0


def test_what_a_thief_does_to_the_databases_backups_is_undone(client, server, problems, job):
    """Its protocol lets a database's host write into pgBackRest's repository; the guard's copies can't be reached."""
    good, said = job("backup-protect-pgbackrest")
    assert good, said
    infos = "backup/images/backup.info backup/images/backup.info.copy archive/images/archive.info"
    infos += " archive/images/archive.info.copy"
    for info in infos.split():
        client.run(
            f"echo poison | runuser -u postgres -- pgbackrest --stanza=images --log-level-console=error repo-put {info}"
        )
    said = server.run("runuser -u pgbackrest -- pgbackrest --stanza=images info").stdout
    assert "error" in said, "the thief got nowhere: then this test proves nothing and must change"
    assert {"base_backup", "wal", "unreadable"} & set(problems())
    assert not job("backup-drill-database")[0]
    # As docs/runbooks/backup-attack.md says.
    server.run_expect(
        [0],
        "systemctl stop pgbackrest-server && RESTIC_PASSWORD_FILE=/etc/backup-keeper/keys/pgbackrest restic -r "
        f"{VAULT}/pgbackrest restore latest:/srv/backup/pgbackrest --target /srv/backup/pgbackrest --no-cache "
        "&& systemctl start pgbackrest-server",
    )
    good, said = job("backup-drill-database")
    assert good, said


@pytest.mark.parametrize("kind", ["snapshots", "keys", "locks"])
def test_rubbish_stops_nothing_for_good(ask, problems, server, treasure, restored, kind):
    """A server takes whatever is named by its SHA-256; restic can't read it. It is seen, and can be taken away."""
    name = hashlib.sha256(b"rubbish").hexdigest()
    expect(ask("POST", f"{CLIENT}/{kind}/{name}", "rubbish"), "200")
    found = problems()
    assert CLIENT in found.get("unreadable", []) + found.get("keys", []) + found.get("locked", [])
    # As docs/runbooks/backup-attack.md says.
    server.run_expect([0], f"rm {VAULT}/{CLIENT}/{kind}/{name}")
    assert CLIENT not in problems().get("unreadable", [])
    assert restored(treasure[0])[0] == 0


def test_the_client_has_no_other_way_in(client):
    assert client.run(f"ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new root@{SERVER} true").rc == 255
    assert client.run(f"curl --silent --max-time 3 http://{SERVER}:8001/").rc == 0
    assert client.run(f"timeout 3 bash -c '</dev/tcp/{SERVER}/9090'").rc != 0

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server must let a thief on a client do: deliver. It harms no backup from before, and raises an alarm."""

import hashlib

import pytest

from .conftest import CLIENT, OTHER, VAULT

RUBBISH = hashlib.sha256(b"rubbish").hexdigest()

pytestmark = pytest.mark.usefixtures("unharmed")


def lay(ask, kind, text="rubbish"):
    name = hashlib.sha256(text.encode()).hexdigest()
    assert ask("POST", f"{CLIENT}/{kind}/{name}", text) == "200"
    return name


def take_away(server, kind, names=(RUBBISH,)):
    """As docs/runbooks/backup-attack.md says."""
    server.run_expect([0], f"cd {VAULT}/{CLIENT}/{kind} && rm {' '.join(names)}")


def test_rubbish_among_snapshots_is_seen_at_the_next_look_and_stops_nothing_for_good(ask, known, problems, server):
    """A server takes whatever is named by its SHA-256; restic can't read it."""
    assert CLIENT not in known.get("unreadable", [])
    lay(ask, "snapshots")
    found = problems()
    take_away(server, "snapshots")
    assert CLIENT in found["unreadable"]
    assert CLIENT not in problems().get("unreadable", [])


def test_a_flood_of_keys_is_seen_and_does_not_lock_the_backup_server_out(ask, known, problems, server):
    """By itself restic tries twenty keys, in the order of their names, and gives up."""
    assert CLIENT not in known.get("keys", [])
    flood = [lay(ask, "keys", f"rubbish {number}") for number in range(25)]
    found = problems()
    take_away(server, "keys", flood)
    assert CLIENT in found["keys"]
    assert CLIENT not in found.get("unreadable", [])
    assert CLIENT not in problems().get("keys", [])


@pytest.mark.parametrize("kind", ["index", "locks"])
def test_rubbish_that_no_look_opens_is_found_by_the_daily_check(
    ask, job, mailbox, server, treasure, restored, until, kind
):
    before = len(mailbox())
    lay(ask, kind)
    good, said = job("backup-check")
    take_away(server, kind)
    # restic broke off and left its lock.
    restic = (
        f"RESTIC_PASSWORD=$(cat /etc/backup-server/keys/{CLIENT}) runuser -u restic-rest-server -- restic --no-cache"
    )
    server.run_expect([0], f"cd / && {restic} --repo {VAULT}/{CLIENT} unlock --remove-all")
    assert not good
    assert f"of {CLIENT}" in said
    assert "no work of restic's" in said
    until(lambda: "backup-check.service failed" in mailbox()[before:], "mail that tells of the check")
    assert restored(treasure.snapshot) == (0, treasure.images)


def test_a_key_that_nobody_gave_out_is_seen(client, known, problems):
    assert "keys" not in known
    client.run_expect([0], "echo thief >/root/key; facility-restic key add --new-password-file /root/key --user ghost")
    assert problems()["keys"] == [CLIENT]


def test_snapshots_from_the_future_are_seen_and_nothing_is_forgotten(client, known, problems, job, server, treasure):
    """Retention would otherwise count back from them and take real ones for old."""
    assert not {"future", "backdated"} & set(known)
    client.run_expect([0], "facility-restic backup --time '2036-01-01 00:00:00' /etc/hostname")
    client.run_expect([0], "facility-restic backup --time '2020-01-01 23:59:59' /etc/hostname")
    found = problems()
    assert found["future"] == [CLIENT]
    assert found["backdated"] == [CLIENT]
    before = server.check_output(f"ls {VAULT}/{CLIENT}/snapshots")
    job("backup-retain")
    assert server.check_output(f"ls {VAULT}/{CLIENT}/snapshots") == before
    assert treasure.snapshot in before


def test_filling_the_server_up_hurts_nobody_else(client, known, problems, server, treasure, restored):
    assert "quota" not in known
    client.run_expect([0], "head -c 120000000 /dev/urandom > /root/ballast")
    done = client.run("timeout 40 facility-restic backup --quiet /root/ballast")
    assert done.rc != 0
    size = int(server.check_output(f"du -sb {VAULT}/{CLIENT}").split()[0])
    assert size < 110_000_000
    assert CLIENT in problems()["quota"]
    assert server.check_output(f"du -sb {VAULT}/{OTHER}")
    assert restored(treasure.snapshot) == (0, treasure.images)


def test_what_a_thief_does_to_the_databases_backups_is_undone(client, server, known, problems, job):
    """Its protocol lets a database's host write into pgBackRest's repository; its copies can't be reached."""
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
    kinds = ("base_backup", "wal", "unreadable")
    assert not [kind for kind in kinds if "images" in known.get(kind, [])]
    found = problems()
    assert [kind for kind in kinds if "images" in found.get(kind, [])]
    assert not job("backup-drill-database")[0]
    # As docs/runbooks/backup-attack.md says.
    server.run_expect(
        [0],
        "systemctl stop pgbackrest-server && RESTIC_PASSWORD_FILE=/etc/backup-server/keys/pgbackrest restic -r "
        f"{VAULT}/pgbackrest restore latest:/srv/backup/pgbackrest --target /srv/backup/pgbackrest --no-cache "
        "&& systemctl start pgbackrest-server",
    )
    good, said = job("backup-drill-database")
    assert good, said


def test_a_journal_that_was_flooded_until_it_forgot_is_told(known, problems, server):
    """The last test, for it takes the tries' traces away, as a thief with some millions of requests would."""
    assert "" not in known.get("unreadable", [])
    server.run_expect([0], "journalctl --rotate && journalctl --vacuum-time=1s")
    assert "" in problems()["unreadable"]
    assert "" not in problems().get("unreadable", [])

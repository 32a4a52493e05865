# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL writes is at the backup host within a minute, and the backup host fetches the rest."""

import json

import pytest

from tests.scenario import wait_until

PGBACKREST = "cd / && runuser -u postgres -- pgbackrest --stanza=images"


@pytest.fixture(scope="module")
def stanza(server):
    """The backup host's side knows the database."""
    server.run_expect([0], f"{PGBACKREST} stanza-create")


@pytest.fixture
def psql(client):
    return lambda sql: client.check_output("runuser -u postgres -- psql -qAtX -d postgres -c %s", sql)


def deliver(server, psql):
    """End the piece of the log that is written now, and wait until it is at the backup host."""
    piece = psql("SELECT pg_walfile_name(pg_switch_wal())")
    there = f"ls /var/lib/pgbackrest/archive/images/*/*/{piece}-*.zst"
    wait_until(lambda: server.run(there).rc == 0, f"{piece} is at the backup host")


@pytest.mark.usefixtures("stanza")
def test_what_is_written_is_at_the_backup_host_out_of_postgresqls_sandbox(server, psql):
    psql("CREATE TABLE IF NOT EXISTS written (at timestamptz); INSERT INTO written VALUES (now())")
    deliver(server, psql)
    assert psql("SELECT last_failed_time > last_archived_time FROM pg_stat_archiver") in {"", "f"}


@pytest.mark.usefixtures("stanza")
def test_the_backup_host_fetches_a_base_backup(server):
    server.run_expect([0], f"{PGBACKREST} check")
    server.run_expect([0], f"{PGBACKREST} --type=full backup")
    told = json.loads(server.check_output(f"{PGBACKREST} --output=json info"))
    assert told[0]["status"]["code"] == 0
    assert told[0]["backup"][-1]["type"] == "full"
    assert told[0]["backup"][-1]["error"] is False


def test_a_host_with_another_name_fetches_nothing(client):
    """The client's own certificate is of the same authority, but not the backup host's."""
    own = "--pg1-host-type=tls --pg1-host=client1.backup-client.test --pg1-host-ca-file=/etc/facility/tls/ca.crt"
    own += (
        " --pg1-host-cert-file=/run/facility-pgbackrest/host.crt --pg1-host-key-file=/run/facility-pgbackrest/host.key"
    )
    own += " --config=/dev/null --pg1-path=/var/lib/postgresql/15/main --log-level-file=off --lock-path=/tmp/lock"
    tried = client.run(f"{PGBACKREST} {own} stanza-create")
    assert tried.rc != 0
    assert "access denied" in tried.stdout + tried.stderr


def test_after_a_renewal_of_the_certificate_all_goes_on(client, server, psql):
    started = client.check_output("systemctl show pgbackrest-server.service -p ExecMainStartTimestamp --value")
    client.run_expect([0], "systemctl reload pgbackrest-server.service")
    assert client.check_output("systemctl show pgbackrest-server.service -p ExecMainStartTimestamp --value") == started
    server.run_expect([0], f"{PGBACKREST} check")
    # Its copies are there for PostgreSQL while it is stopped, too.
    client.run_expect([0], "systemctl stop pgbackrest-server.service")
    try:
        deliver(server, psql)
    finally:
        client.run_expect([0], "systemctl start pgbackrest-server.service")


@pytest.fixture
def backup_host_away(server, client, psql):
    """The backup host takes no log while the test runs."""
    server.run_expect([0], "systemctl stop pgbackrest-repository.service")
    psql("SELECT pg_logical_emit_message(true, 'test', 'x'); SELECT pg_switch_wal()")
    failing = "SELECT last_failed_time > last_archived_time FROM pg_stat_archiver"
    wait_until(lambda: psql(failing) == "t", "PostgreSQL can't hand over its log")
    yield
    server.run_expect([0], "systemctl start pgbackrest-repository.service")
    wait_until(lambda: psql(failing) == "f", "the log is handed over again")


@pytest.mark.usefixtures("stanza")
def test_an_idle_database_writes_no_log_while_the_backup_host_is_away(client, psql, request):
    # systemd starts a unit five times in ten seconds and no more; a minute's timer knows nothing of that.
    beat = "systemctl reset-failed facility-backup-heartbeat.service; systemctl start facility-backup-heartbeat.service"
    written = "SELECT pg_current_wal_insert_lsn() - '0/0'"
    before = int(psql(written))
    client.run_expect([0], beat)
    assert int(psql(written)) > before
    request.getfixturevalue("backup_host_away")
    psql("CHECKPOINT")
    before = int(psql(written))
    for _ in range(20):
        client.run_expect([0], beat)
    # Not one of them; PostgreSQL itself may note its own state.
    assert int(psql(written)) - before < 1000


@pytest.mark.usefixtures("stanza", "backup_host_away")
def test_log_that_nobody_takes_never_fills_the_disk(client, psql, changed):
    with changed("/etc/pgbackrest/pgbackrest.conf", "archive-push-queue-max=50GB", "archive-push-queue-max=48MB"):
        for _ in range(12):
            psql("SELECT pg_logical_emit_message(true, 'test', repeat('x', 100)); SELECT pg_switch_wal()")
        said = "grep --text 'dropped WAL file' /var/log/postgresql/*.log"
        wait_until(lambda: client.run(said).rc == 0, "PostgreSQL says what it has thrown away")
        waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
        wait_until(lambda: int(psql(waiting)) < 6, "no more is kept than was allowed")
    # Its file has changed twice: the next run of the role would restart it, and rightly so.
    client.run_expect([0], "systemctl restart pgbackrest-server.service")

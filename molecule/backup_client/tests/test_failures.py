# SPDX-License-Identifier: GPL-3.0-or-later
"""Nights on which something goes wrong: what is said, and what is stored all the same."""

import time

import pytest

from tests.scenario import wait_until

SETTINGS = "/etc/facility-backup/backup.toml"
PROGRAM = "PYTHONPATH=/usr/local/lib/facility-backup python3 -m facility.backup.client run"
LIMIT = "/etc/systemd/system/rest-server@8102.service.d/limit.conf"
REPOSITORY = "/srv/restic/client1.backup-client.test"
STATE = "/var/lib/facility-backup"


@pytest.fixture
def full_server(server, put):
    """The same repository behind a server that takes only a little more."""
    server.run_expect([0], f"mkdir -p {LIMIT.rpartition('/')[0]}")
    used = int(server.check_output("du -sb /srv/restic | cut -f1"))
    put(server, LIMIT, f'[Service]\nEnvironment="LIMIT=--max-size {used + 20_000_000}"\n')
    server.run_expect([0], "systemctl daemon-reload && systemctl restart rest-server@8102.service")
    yield
    server.run_expect([0], "systemctl stop rest-server@8102.service")


@pytest.fixture
def told(client):
    """Whether somebody was told: what OnFailure= has started since this test began."""
    client.run("rm -f /run/told")

    def told():
        wait_until(lambda: client.file("/run/told").exists, "somebody is told")
        return client.file("/run/told").content_string.split()

    return told


def test_a_second_run_leaves_at_once(client, backup, restic):
    before = len(restic("snapshots")[0])
    with_lock = f"flock {STATE}/lock sh -c %s"
    second = client.run(with_lock, f"{PROGRAM}; echo status $?")
    assert "status 75" in second.stdout
    assert "another run of the backup is under way and this one leaves" in second.stderr
    assert len(restic("snapshots")[0]) == before


def test_a_second_run_may_wait_for_the_first(client, changed, restic):
    before = len(restic("snapshots")[0])
    with changed(SETTINGS, "wait_minutes = .*", "wait_minutes = 1"):
        client.run_expect([0], f"systemd-run --quiet flock {STATE}/lock sleep 6")
        time.sleep(1)
        began = time.monotonic()
        assert client.run(PROGRAM).rc == 0
        assert time.monotonic() - began > 4
    assert len(restic("snapshots")[0]) == before + 1


@pytest.mark.usefixtures("full_server")
def test_a_full_repository_is_said_within_seconds_and_is_no_end(client, backup, changed, told):
    client.run_expect([0], "head -c 60000000 /dev/urandom > /srv/images/aadler/large.tif")
    began = time.monotonic()
    with changed(SETTINGS, ":8101/", ":8102/"):
        ended = backup()
    took = time.monotonic() - began
    assert ended.status != 0
    assert "the repository is full: server1.backup-client.test:8102 takes no more for client1" in ended.said
    assert "raise this client's quota" in ended.said
    assert took < 45, took
    assert told() == ["facility-backup.service"]
    assert backup().status == 0
    client.run_expect([0], "rm /srv/images/aadler/large.tif")


@pytest.mark.parametrize(
    "fault",
    [
        ("/etc/facility-backup/repository-password", ".*", "x" * 20, "can't be opened with the repository's password"),
        ("/etc/facility-backup/server-password", ".*", "x" * 20, "refuses the user client1.backup-client.test"),
        (SETTINGS, ":8101/client1", ":8101/client2", "the repository is another client's"),
        (SETTINGS, "/etc/facility/tls/ca.crt", "/root/other.crt", "shows a certificate that /root/other.crt doesn't"),
        (SETTINGS, "//server1", "//server1-other-name", "shows a certificate that"),
        (SETTINGS, "//server1", "//nobody", "can't be reached (no such host)"),
        (SETTINGS, ":8101/", ":8109/", "can't be reached (connection refused)"),
    ],
)
def test_a_repository_that_can_not_be_had_is_named_with_the_cure(
    client, backup, *, changed, told, fault, put, last_run
):
    file, old, new, said = fault
    if not client.file("/root/other.crt").exists:
        client.run_expect(
            [0], "openssl req -x509 -newkey ed25519 -nodes -subj /CN=other -keyout /root/other.key -out /root/other.crt"
        )
        client.run_expect([0], "echo 10.42.9.11 server1-other-name.backup-client.test >> /etc/hosts")
    good_before = last_run()["good_time"]
    began = time.monotonic()
    with changed(SETTINGS, "wait_minutes = .*", "wait_minutes = 0\npatience_minutes = 0.05"):
        if file == SETTINGS:
            put(client, SETTINGS, client.file(SETTINGS).content_string.replace(old, new, 1))
            ended = backup()
        else:
            with_secret = client.file(file).content_string
            put(client, file, new)
            try:
                ended = backup()
            finally:
                put(client, file, with_secret)
    assert ended.status != 0
    assert said in ended.said
    assert time.monotonic() - began < 60
    assert told() == ["facility-backup.service"]
    figures = client.file("/var/lib/prometheus/node-exporter/backup_client.prom").content_string
    assert "backup_run_ok 0.0" in figures
    assert last_run()["good_time"] == good_before
    assert backup().status == 0


def test_a_step_that_fails_does_not_take_the_files_with_it(client, backup, *, restic, told, put, last_run):
    old_list = client.file(f"{STATE}/dumps/the-list-of-packages/packages").content
    program = client.file("/usr/local/bin/list-packages").content_string
    put(
        client,
        "/usr/local/bin/list-packages",
        '#!/bin/sh\necho half > "$1/packages"\necho the disk is gone >&2\nexit 3\n',
    )
    client.run_expect([0], "echo mine > /srv/images/aadler/tonight.txt")
    try:
        ended = backup()
    finally:
        put(client, "/usr/local/bin/list-packages", program)
    assert ended.status != 0
    assert "step 'the list of packages' ended with 3: the disk is gone" in ended.said
    assert told() == ["facility-backup.service"]
    assert not last_run()["ok"]
    inside = restic("ls", last_run()["snapshot"], "/srv/images/aadler")
    assert "/srv/images/aadler/tonight.txt" in [node.get("path") for node in inside]
    # The dump of the night before is still whole, here and there.
    assert client.file(f"{STATE}/dumps/the-list-of-packages/packages").content == old_list
    assert client.check_output(f"ls -A {STATE}/dumps").split() == ["images", "the-list-of-packages"]
    assert backup().status == 0


def test_a_database_that_is_down_fails_the_night_and_not_the_files(client, backup, last_run):
    client.run_expect([0], "systemctl stop postgresql@15-main.service")
    try:
        ended = backup()
    finally:
        client.run_expect([0], "systemctl start postgresql@15-main.service")
    assert ended.status != 0
    assert "step 'images' ended with 1: database images can't be reached" in ended.said
    assert last_run()["snapshot"]
    assert client.file(f"{STATE}/dumps/images/toc.dat").exists
    assert backup().status == 0


def test_a_file_that_can_not_be_read_is_named(client, backup, changed, last_run):
    # One that even root gets an error for, as from a broken disk.
    broken = "/proc/sys/net/ipv6/conf/lo/stable_secret"
    with changed(SETTINGS, 'paths = .*"/etc"', f'paths = ["{broken}", "/srv/images", "/etc"'):
        ended = backup()
    assert ended.status != 0
    assert f"1 not read: {broken}" in ended.said
    assert last_run()["snapshot"]
    assert backup().status == 0


def test_a_file_that_claims_8_tb_is_neither_read_nor_stored_and_spoils_no_night(client, backup, restic, last_run):
    huge = "/srv/images/aadler/huge.tif"
    client.run_expect([0], f"truncate -s 8T {huge}")
    try:
        ended = backup()
    finally:
        client.run_expect([0], f"rm {huge}")
    assert ended.status == 0
    assert f"{huge} claims more bytes than any disk here has" in ended.said
    assert last_run()["too_large"] == [huge]
    assert huge not in [entry.get("path") for entry in restic("ls", "latest", "/srv/images/aadler")]


def test_a_path_that_is_gone_fails_the_night_though_restic_says_nothing(client, backup, changed, last_run):
    with changed(SETTINGS, 'paths = .*"/etc"', 'paths = ["/srv/unmounted", "/bin", "/srv/images", "/etc"'):
        ended = backup()
    assert ended.status != 0
    assert "/srv/unmounted isn't there: see whether its disk is mounted" in ended.said
    assert "/bin is a link, of which only the link itself is backed up" in ended.said
    assert last_run()["snapshot"]


def test_a_run_that_was_killed_goes_on_where_restic_had_noted_what_is_there(client, server, backup, put, last_run):
    many = "import os\nfor d in range(200):\n os.makedirs(f'/srv/images/many/{d}')\n for f in range(600):\n"
    put(client, "/root/many", f"{many}  open(f'/srv/images/many/{{d}}/{{f}}', 'wb').write(os.urandom(300))\n")
    client.run_expect([0], "python3 /root/many")
    noted = f"ls {REPOSITORY}/index | wc -l"
    before = int(server.check_output(noted))
    client.run_expect([0], "systemctl start --no-block facility-backup.service")
    wait_until(lambda: int(server.check_output(noted)) > before, "restic has noted what is there")
    client.run_expect([0], "systemctl kill --signal=SIGKILL facility-backup.service")
    shown = "systemctl show -p ActiveState --value facility-backup.service"
    wait_until(lambda: client.check_output(shown) == "failed", "the backup has failed")
    # Its lock is left behind, as are the packs that nothing names; neither is in the way.
    ended = backup()
    assert ended.status == 0, ended.said
    all_of_it = 200 * 600 * 300
    assert 0 < last_run()["added_bytes"] < all_of_it
    assert last_run()["files"] > 200 * 600
    client.run_expect([0], "rm -r /srv/images/many /root/many")


def test_a_run_that_was_ended_says_so(client, backup, *, changed, told, journal, last_run):
    with changed("/usr/local/bin/list-packages", "set -eu", "sleep 60"):
        client.run_expect([0], "systemctl start --no-block facility-backup.service")
        half = f"test -e {STATE}/dumps/.new-the-list-of-packages"
        wait_until(lambda: client.run(half).rc == 0, "the list is half made")
        client.run_expect([0], "systemctl stop facility-backup.service")
    assert "the run was ended from outside" in journal()
    assert last_run()["ok"] is False
    assert backup().status == 0
    assert client.check_output(f"ls -A {STATE}/dumps").split() == ["images", "the-list-of-packages"]

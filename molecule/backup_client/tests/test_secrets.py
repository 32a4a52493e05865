# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people on the host see nothing of it."""

import time

import pytest

STATE = "/var/lib/facility-backup"


def as_nobody(client, command):
    return client.run("runuser -u nobody -- sh -c %s", command)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/facility-backup/repository-password",
        "/etc/facility-backup/server-password",
        f"{STATE}/dumps/images/toc.dat",
        f"{STATE}/dumps/the-list-of-packages/packages",
        f"{STATE}/sample.json",
        f"{STATE}/identities.json",
        f"{STATE}/last-run.json",
        "/usr/local/sbin/facility-restic",
        "/run/facility-pgbackrest/host.key",
    ],
)
def test_another_user_reads_neither_credentials_nor_dumps(client, path):
    assert client.file(path).exists
    assert as_nobody(client, f"cat {path}").rc == 1


def test_another_user_lists_no_dumps(client):
    for folder in (
        STATE,
        f"{STATE}/dumps",
        f"{STATE}/dumps/images",
        "/var/cache/facility-backup",
        "/etc/facility-backup",
    ):
        assert as_nobody(client, f"ls {folder}").rc == 2, folder


def test_passwords_are_in_no_process_and_no_journal(client, secret):
    """While a backup runs, over and over."""
    client.run_expect([0], "head -c 150000000 /dev/urandom > /srv/images/aadler/large.tif")
    client.run_expect([0], "systemctl start --no-block facility-backup.service")
    looks = ""
    while "inactive" not in client.check_output("systemctl show -p ActiveState --value facility-backup.service"):
        looks += (
            client.check_output("ps -eww -o args") + as_nobody(client, "cat /proc/[0-9]*/environ 2>/dev/null").stdout
        )
        time.sleep(0.1)
    client.run_expect([0], "rm /srv/images/aadler/large.tif")
    assert "restic backup" in looks
    journal = client.check_output("journalctl --no-pager")
    for name in ("server", "repository"):
        assert len(secret(name)) == 32
        assert secret(name) not in looks
        assert secret(name) not in journal


def test_a_step_is_not_handed_the_passwords(client, changed, secret):
    with changed(
        "/usr/local/bin/list-packages", "set -eu", 'env > /run/step; ls "$CREDENTIALS_DIRECTORY" >> /run/step\nset -u'
    ):
        client.run_expect([0], "mkdir -p /etc/systemd/system/facility-backup.service.d")
        drop_in = "/etc/systemd/system/facility-backup.service.d/test.conf"
        client.run_expect([0], f"printf '[Service]\\nReadWritePaths=/run\\n' > {drop_in}; systemctl daemon-reload")
        try:
            client.run_expect([0], "systemctl start facility-backup.service")
        finally:
            client.run_expect([0], f"rm {drop_in}; systemctl daemon-reload")
    found = client.file("/run/step").content_string
    assert "PATH=" in found
    assert "CREDENTIALS" not in found
    assert "RESTIC" not in found
    assert secret("server") not in found
    client.run_expect([0], "rm /run/step")


def test_the_unit_may_write_little_and_has_few_of_root_s_powers(client):
    shown = client.check_output("systemctl show facility-backup.service -p CapabilityBoundingSet --value")
    assert set(shown.split()) == {"cap_chown", "cap_dac_read_search", "cap_setgid", "cap_setuid"}
    shown = client.check_output(
        "systemctl show facility-backup.service -p ProtectSystem -p NoNewPrivileges -p ProtectHome"
    )
    assert set(shown.splitlines()) == {"ProtectSystem=strict", "NoNewPrivileges=yes", "ProtectHome=read-only"}

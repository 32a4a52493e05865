# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator and an intruder find on a host that has nothing but role base."""

import socket

import pytest

testinfra_hosts = ["podman://debian12.base.test", "podman://debian13.base.test"]


def reachable(address, port):
    """Say whether a TCP connection from outside is answered, also by a refusal: a dropped packet is not."""
    try:
        socket.create_connection((address, port), timeout=1.5).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.fixture
def address(host):
    return host.interface("eth0").addresses[0]


def test_an_opened_port_is_reachable(address):
    assert reachable(address, 8080)


def test_a_port_that_nobody_opened_is_dropped(host, address):
    host.run_expect([0], "systemd-run --unit=listener --collect python3 -m http.server 9999")
    assert not reachable(address, 9999)
    host.run_expect([0], "systemctl stop listener")


def test_a_port_opened_to_another_network_is_dropped_for_us(address):
    assert not reachable(address, 8081)


def test_ssh_refuses_passwords(host, address):
    answer = host.run(
        "ssh -o BatchMode=yes -o PreferredAuthentications=password -o StrictHostKeyChecking=accept-new root@localhost"
    )
    assert answer.rc == 255
    assert "Permission denied (publickey)" in answer.stderr


def test_the_clock_shows_the_facilitys_time(host):
    assert host.check_output("date -d '2026-07-01 12:00 UTC' +%H:%M") == "14:00"


def test_the_journal_is_bounded_and_survives_a_restart(host):
    assert "SystemMaxUse=500M" in host.check_output("systemd-analyze cat-config systemd/journald.conf")
    assert host.file("/var/log/journal").is_directory


def test_security_updates_install_themselves(host):
    assert host.service("apt-daily-upgrade.timer").is_running
    assert 'APT::Periodic::Unattended-Upgrade "1";' in host.check_output("apt-config dump")


def test_names_are_resolved_by_the_facilitys_name_server(host):
    assert "nameserver 10.42.1.1" in host.file("/etc/resolv.conf").content_string
    assert host.addr("debian12.base.test").is_resolvable


def test_no_unit_has_failed(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator and an intruder find on a host that has nothing but role base."""

import re
import shlex
import socket

import pytest

from tests.scenario import wait_until

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


def test_updates_come_at_the_site_s_hour(host):
    shown = host.check_output("systemctl show apt-daily-upgrade.timer --property TimersCalendar")
    assert re.findall(r"OnCalendar=([^;]+) ;", shown) == ["*-*-* 06:00:00"]


def test_a_package_of_a_newer_suite_gets_its_security_updates_and_nothing_else_comes_from_there(host):
    if host.system_info.codename == "trixie":
        pytest.skip("takes nothing from a newer suite")
    told = host.check_output("unattended-upgrade --dry-run --verbose 2>&1 | grep -i 'allowed origins'")
    assert "codename=trixie-security,label=Debian-Security" in told
    assert re.search(r"(?m) 600\n.* trixie/main", host.check_output("apt-cache policy restic"))
    assert re.search(r"-10 \S+ trixie-security/main", host.check_output("apt-cache policy"))
    assert "deb13" not in host.check_output("apt-cache policy bash | grep Candidate")


def test_a_service_with_an_old_library_is_restarted_after_updates(host):
    library = host.check_output("ldconfig -p | grep -o '/.*libz.so.1$' | head -1")
    command = f"python3 -c 'import ctypes, time; ctypes.CDLL(\"{library}\"); time.sleep(9999)'"
    unit = f"[Service]\nExecStart={command}\n"
    host.run_expect([0], f"printf '%s' {shlex.quote(unit)} > /etc/systemd/system/old-library.service")
    try:
        host.run_expect([0], "systemctl daemon-reload && systemctl start old-library")
        before = host.check_output("systemctl show old-library --property MainPID --value")
        wait_until(
            lambda: library.split("/")[-1] in host.run(f"cat /proc/{before}/maps").stdout, "the library is in use"
        )
        # As dpkg does it: another file in its place.
        host.run_expect([0], f"file=$(readlink -f {library}) && cp -p $file $file.new && mv $file.new $file")
        after = host.check_output("systemctl show apt-daily-upgrade.service --property ExecStartPost")
        host.run_expect([0], re.search(r"argv\[\]=([^;]+) ;", after)[1])
        assert host.check_output("systemctl show old-library --property MainPID --value") != before
        assert host.service("old-library").is_running
    finally:
        host.run("systemctl stop old-library; rm /etc/systemd/system/old-library.service; systemctl daemon-reload")


def test_logs_are_turned_over(host):
    assert host.service("logrotate.timer").is_running
    assert host.run("logrotate --debug /etc/logrotate.conf").rc == 0


def test_names_are_resolved_by_the_facilitys_name_server(host):
    assert "nameserver 10.42.1.1" in host.file("/etc/resolv.conf").content_string
    assert host.addr("debian12.base.test").is_resolvable


def test_no_unit_has_failed(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""


@pytest.fixture
def look(host):
    """Have the host looked at; give what is told."""

    def look():
        host.run("systemctl start facility-host-check.service")
        run = host.check_output("journalctl --sync; systemctl show --value -p InvocationID facility-host-check")
        return host.check_output(f"journalctl -o cat _SYSTEMD_INVOCATION_ID={run}")

    yield look
    host.run("systemctl reset-failed facility-host-check.service")


def test_each_morning_the_host_is_looked_at_and_its_figures_written(host, look):
    assert host.service("facility-host-check.timer").is_running
    look()
    figures = host.check_output("cat /var/lib/prometheus/node-exporter/host_check.prom")
    release = host.check_output(". /etc/os-release; echo $VERSION_ID")
    assert f'host_release_end_timestamp_seconds{{release="Debian {release}"}} 1' in figures
    assert re.search(r"^host_updates_security [0-9]", figures, re.MULTILINE)


def test_what_ends_is_told_once_a_day_by_a_unit_that_fails(host, look):
    host.run_expect([0], "cp -p /usr/share/distro-info/debian.csv /root/debian.csv")
    try:
        host.run_expect(
            [0], r"sed -Ei 's/,20[0-9]{2}-[0-9]{2}-[0-9]{2}/,2020-01-01/g' /usr/share/distro-info/debian.csv"
        )
        assert "ended on 2020-01-01" in look()
        assert "failed" in host.run("systemctl is-failed facility-host-check.service").stdout
        assert "OnFailure=facility-mail@facility-host-check.service.service" in host.check_output(
            "systemctl show -p OnFailure facility-host-check.service"
        )
    finally:
        host.run_expect([0], "mv /root/debian.csv /usr/share/distro-info/debian.csv")

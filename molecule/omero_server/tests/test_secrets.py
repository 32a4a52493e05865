# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can read OMERO's passwords."""

import shlex

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
ALL = ("bind", "database", "root", "dropbox-monitor")


@pytest.mark.parametrize("path", ["config/config.xml", "OMERO.server/etc/grid/config.xml"])
def test_the_configuration_is_omero_s_alone(host, path, secret):
    file = host.file(f"/opt/omero/server/{path}")
    assert (file.user, file.group) == ("omero-server", "omero-server")
    # OMERO writes its own copy anew when it starts, and its group may read that; nobody else is in it.
    assert file.mode == (0o600 if path.startswith("config/") else 0o640)
    assert host.check_output("getent group omero-server").endswith(":")
    assert secret("database") in file.content_string
    assert secret("bind") in file.content_string
    assert host.run(f"runuser -u nobody -- cat /opt/omero/server/{path}").rc == 1


def test_no_file_that_everybody_reads_holds_a_password(host, secret):
    words = " ".join(f"-e {shlex.quote(secret(name))}" for name in ALL)
    places = "/opt/omero /etc /OMERO /run /var /root /tmp /usr/local"
    found = host.run(f"find {places} -xdev -type f -perm /o=r -print0 | xargs -0 grep -lF {words}").stdout
    assert found == ""
    # The search does find them where they may be.
    assert "config.xml" in host.run(f"grep -rlF {words} /opt/omero/server/config").stdout


@pytest.mark.parametrize("name", ALL)
def test_neither_processes_nor_logs_tell_a_password(host, secret, name):
    word = secret(name)
    assert len(word) >= 12
    assert word not in host.check_output("ps -eww e")
    assert word not in host.run("journalctl --no-pager").stdout
    kept = host.run(f"grep -rlF -e {shlex.quote(word)} /var/log /opt/omero/server/OMERO.server/var/log").stdout
    assert kept == ""


def test_nothing_is_left_of_the_first_password(host):
    assert sorted(host.file("/opt/omero/server/config").listdir()) == ["config.xml"]


def test_only_root_reads_what_the_monitor_logs_in_with(host):
    file = host.file("/etc/omero/dropbox-monitor-password")
    assert (file.user, file.mode) == ("root", 0o600)
    assert host.run("runuser -u omero-server -- cat /etc/omero/dropbox-monitor-password").rc == 1


def test_the_certificate_s_key_is_for_omero_s_eyes_only(host):
    key = host.file("/run/omero-server/host.key")
    assert (key.user, key.mode) == ("omero-server", 0o400)
    assert host.run("runuser -u nobody -- ls /run/omero-server").rc == 2

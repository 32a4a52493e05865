# SPDX-License-Identifier: GPL-3.0-or-later
"""The service itself: its configuration, its certificate, its sandbox, and what another run refuses."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.refusals import refused_by

testinfra_hosts = ["podman://omero1.omero.test"]
NAME = "omero1.omero.test"
HOME = "/opt/omero/server"
RELEASE = """
- name: Release
  hosts: omero_server
  gather_facts: false
  tasks:
    - name: A release is put beside the one that runs
      ansible.builtin.include_role: {name: omero_server, tasks_from: release}
"""
VERIFY = RELEASE.replace("tasks_from: release", "tasks_from: verify")


def served():
    """The serial number of the certificate that clients are shown."""
    show = f"openssl s_client -connect {NAME}:4064 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    return subprocess.run(show, shell=True, check=False, capture_output=True, text=True).stdout.strip()


def test_what_was_changed_by_hand_is_gone_after_a_restart(host, omero):
    running = f"{HOME}/OMERO.server/etc/grid/config.xml"
    host.run_expect([0], "/usr/local/bin/omero config set omero.ldap.config false")
    host.run_expect([0], "/usr/local/bin/omero config set omero.upgrades.url http://elsewhere.example.org")
    assert "elsewhere" in host.file(running).content_string
    host.run_expect([0], "systemctl restart omero-server")
    assert "elsewhere" not in host.file(running).content_string
    wanted = f"runuser -u omero-server -- {HOME}/venv/bin/python -c 'import sys, omero.config as c; {{}}'"
    show = "print(sorted((n, v) for n, v in c.ConfigXml(sys.argv[1], read_only=True).as_map().items()))"
    listed = [host.check_output(f"{wanted.format(show)} {path}") for path in (running, f"{HOME}/config/config.xml")]
    assert listed[0] == listed[1]
    assert omero("login").rc == 0


def test_a_renewed_certificate_is_served_after_a_reload_and_nothing_else_starts_again(host, play, until, tmp_path):
    before = served()
    assert before
    running = host.check_output("pgrep -u omero-server -f 'servers/Blitz-0/|servers/DropBox/'")
    (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "authority" / "issued" / f"{NAME}.crt").unlink()
    book = tmp_path / "certificates.yml"
    book.write_text("- {name: Renew, hosts: omero_server, gather_facts: false, roles: [certificates]}")
    run = play(book, certificates_reload_units=["omero-server"])
    assert "failed=0" in run.stdout, run.stdout
    on_disk = host.check_output("openssl x509 -noout -serial -in /etc/facility/tls/host.crt")
    assert on_disk != before
    until(lambda: served() == on_disk, "the new certificate is served")
    assert host.check_output("pgrep -u omero-server -f 'servers/Blitz-0/|servers/DropBox/'") == running


def test_a_property_that_omero_does_not_know_is_refused_by_name_and_nothing_changes(host, module):
    path = f"{HOME}/config/config.xml"
    before = host.file(path).content
    asked = {"path": path, "names_from": f"{HOME}/OMERO.server", "owner": "omero-server"}
    result = module("omero_config", properties={"omero.fs.dirImportWiat": 30}, **asked)
    assert result["failed"]
    assert "knows no property omero.fs.dirImportWiat (did you mean omero.fs.dirImportWait" in result["msg"]
    assert "Nothing was changed" in result["msg"]
    result = module("omero_config", properties={"omero.db.pass": "in-the-open-then"}, **asked)
    assert "give it in secrets" in result["msg"]
    result = module("omero_config", check=True, properties={"omero.fs.dirImportWait": 31}, purge=False, **asked)
    assert result["updated"] == ["omero.fs.dirImportWait"]
    assert host.file(path).content == before


def test_another_release_is_refused_with_the_way_to_upgrade(converge):
    url = "http://depot.omero.test/OMERO.server-5.6.19-ice36.zip"
    run = converge(omero_server_archive_url=url)
    assert run.returncode != 0
    assert "runs OMERO.server-5.6.18-standin, and omero_server_archive_url names OMERO.server-5.6.19-ice36" in run.said
    assert "playbooks/ops/upgrade_omero.yml" in run.said
    assert "changed=0" in run.stdout


REFUSED = [
    ({"omero_server_directory_uri": "ldap://dc1.omero.test"}, "must be ldaps://host"),
    ({"omero_server_archive_checksum": "sha256:none"}, "write sha256: and the 64 digits"),
    # What a real OMERO.server can't do, each seen with one.
    (
        {"omero_server_directory_uri": "ldaps://dc1.omero.test, ldaps://dc2.omero.test:636"},
        "omero_server_directory_uri: ldaps://dc1.omero.test:3269,ldaps://dc2.omero.test:3269, or name a base",
    ),
    ({"ansible_facts": {"memtotal_mb": 4096, "installed_packages": []}}, "has 4096 MB of memory"),
    ({"omero_server_properties": {"omero.threads.max_threads": ""}}, "omero.threads.max_threads without a value"),
]
refused = refused_by("omero_server", NAME, REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout


def test_a_host_without_a_firewall_is_refused(host, converge):
    host.run_expect([0], "nft flush ruleset")
    try:
        run = converge()
    finally:
        host.run_expect([0], "systemctl restart nftables")
    assert "has no firewall that refuses what it was not told to let in" in run.said
    assert "changed=0" in run.stdout


def test_an_ice_archive_without_all_that_omero_starts_is_refused_by_name(host, play, until, tmp_path):
    """As one that was made of a distribution's packages, of which each program is its own."""
    (tmp_path / "release.yml").write_text(RELEASE)
    half = "/tmp/ice-3.6.5-half.tar.gz"
    host.run_expect([0], f"tar -C {HOME} -czf {half} --exclude=icebox --exclude='libIceStorm*' $(readlink {HOME}/ice)")
    before = host.check_output(f"ls -A {HOME}")
    checksum = host.check_output(f"sha256sum {half}").split()[0]
    host.run_expect([0], "systemd-run --unit=half python3 -m http.server --bind 127.0.0.1 --directory /tmp 8999")
    until(lambda: host.run("ss --no-header -ltn | grep -q :8999").rc == 0, "the archive is served")
    run = play(
        tmp_path / "release.yml",
        omero_server_ice_archive_url="http://127.0.0.1:8999/ice-3.6.5-half.tar.gz",
        omero_server_ice_archive_checksum=f"sha256:{checksum}",
    )
    host.run_expect([0], "systemctl stop half")
    assert "ice-3.6.5-half.tar.gz lacks bin/icebox, lib/libIceStormService.so" in run.said
    assert host.check_output(f"ls -A {HOME}") == before
    host.run_expect([0], f"rm {half} {HOME}/archives/{half.rpartition('/')[2]}")


@pytest.mark.parametrize("server", ["Blitz-0", "Indexer-0", "PixelData-0"])
def test_java_17_lets_each_of_omero_s_java_servers_start(host, server):
    line = host.check_output(f"pgrep -u omero-server -af 'servers/{server}/'")
    assert "--add-opens=java.base/java.lang=ALL-UNNAMED" in line
    assert "-Djava.util.prefs.userRoot=/var/lib/omero-server" in line


def test_a_newer_java_on_the_host_is_not_omero_s(host, omero):
    """As Java 21, which some other program brought along and which the host's alternatives prefer."""
    newer = "/opt/java-21"
    host.run_expect([0], f"printf '#!/bin/sh\necho Java 21 >&2\nexit 1\n' > {newer} && chmod 0755 {newer}")
    host.run_expect([0], f"update-alternatives --install /usr/bin/java java {newer} 2100")
    try:
        assert host.run("java").rc == 1
        listed = omero("import -f /etc/omero")
        assert "Java 21" not in listed.stderr
        assert listed.rc == 0, listed.stdout + listed.stderr
    finally:
        host.run_expect([0], f"update-alternatives --remove java {newer} && rm {newer}")
    assert "java-17" in host.check_output("readlink -f /usr/bin/java")


def test_a_slow_start_is_waited_for_and_omero_dropbox_waits_with_it(host, monitor):
    """Blitz needs minutes on a busy host; OMERO.dropbox by itself would give up within one, and be switched off."""
    begun = host.check_output("date +%s")
    slow = f"{HOME}/OMERO.server/var/standin-start-seconds"
    host.run_expect([0], f"echo 45 >{slow}")
    host.run_expect([0], f"systemctl restart omero-server; rm {slow}")
    assert int(host.check_output("date +%s")) - int(begun) >= 45
    monitor(lambda report: report["time"] > int(begun) + 45 and report["alive"], "OMERO.dropbox hears")
    said = host.check_output(f"journalctl -u omero-dropbox-monitor --since @{begun}")
    assert "IceGrid does not start it" not in said


def test_nothing_asks_for_newer_releases_by_a_way_out_of_the_network(host):
    """Neither OMERO's start nor an import: both have happened by now."""
    asked = host.run(f"grep -rl 'openmicroscopy.org' {HOME}/OMERO.server/var/log/")
    assert asked.stdout == ""


def test_an_import_writes_no_errors_of_java_s_preferences(host):
    assert host.run(f"grep -r 'Error flushing preferences' {HOME}/OMERO.server/var/log/").stdout == ""


def test_an_archive_that_is_not_the_one_that_was_meant_is_never_unpacked(host, play, omero, tmp_path):
    """Its bytes are another release's here, as after a break-in at the publisher."""
    (tmp_path / "release.yml").write_text(RELEASE)
    folders = f"ls -A {HOME} {HOME}/releases {HOME}/archives"
    before = host.check_output(folders)
    run = play(
        tmp_path / "release.yml",
        omero_server_archive_url="http://depot.omero.test/OMERO.server-5.6.18-standin.zip?/OMERO.server-5.6.19.zip",
        omero_server_archive_checksum="sha256:" + "0" * 64,
    )
    assert run.returncode != 0
    assert "checksum" in run.said
    assert host.check_output(folders) == before
    assert host.check_output(f"readlink {HOME}/OMERO.server") == "releases/OMERO.server-5.6.18-standin"
    assert omero("login").rc == 0


def test_the_role_s_own_check_finds_nothing_and_finds_what_is_wrong(host, play, tmp_path):
    (tmp_path / "verify.yml").write_text(VERIFY)
    authority = os.environ["MOLECULE_EPHEMERAL_DIRECTORY"] + "/authority/ca.crt"
    run = play(tmp_path / "verify.yml", omero_server_verify_ca_file=authority)
    assert "failed=0" in run.stdout, run.stdout
    assert "changed=0" in run.stdout
    run = play(tmp_path / "verify.yml", omero_server_verify_ca_file=authority, omero_server_directory_uri="")
    assert "OMERO runs with other settings than were configured" in run.said


@pytest.mark.parametrize("unit", ["omero-server", "omero-dropbox-monitor"])
def test_a_service_starts_with_the_host_and_sees_little_of_it(host, unit):
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled
    process = host.check_output(f"systemctl show --property MainPID --value {unit}")
    assert host.check_output(f"ps -o user:20= -p {process}") == "omero-server"
    for path in ("/etc/written", f"{HOME}/config/written", f"{HOME}/venv/written", "/usr/written"):
        assert host.run(f"nsenter --target {process} --mount touch {path}").rc == 1, path
    assert host.check_output(f"nsenter --target {process} --mount ls -A /root /home") == "/home:\n\n/root:"
    assert re.search(r"^NoNewPrivs:\s1$", host.file(f"/proc/{process}/status").content_string, re.MULTILINE)
    exposure = host.check_output(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) < 2.5, exposure


def test_omero_can_not_change_its_own_program(host):
    for path in ("OMERO.server/lib", "OMERO.server/etc/omero.properties", "venv/bin/python", "ice/bin", "archives"):
        assert host.run(f"runuser -u omero-server -- test -w {HOME}/{path}").rc == 1, path


def test_logs_that_omero_does_not_rotate_are_rotated(host):
    tried = host.run("logrotate --debug /etc/logrotate.d/omero-server")
    assert "considering log /opt/omero/server/OMERO.server/var/log/master.err" in tried.stderr
    assert "error" not in tried.stderr


def test_nothing_was_complained_about(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

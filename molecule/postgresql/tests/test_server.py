# SPDX-License-Identifier: GPL-3.0-or-later
"""The server itself: certificate, text, sandbox, logs."""

import re
import subprocess

testinfra_hosts = ["podman://omero1.postgresql.test", "podman://db2.postgresql.test"]


def served(name):
    """The serial number of the certificate that clients are shown."""
    show = f"openssl s_client -starttls postgres -connect {name}:5432 </dev/null | openssl x509 -noout -serial"
    return subprocess.run(show, shell=True, check=True, capture_output=True, text=True).stdout


def test_a_renewed_certificate_is_served_and_no_connection_is_lost(host, name, administrator, renew):
    before, started = served(name), administrator("SELECT pg_postmaster_start_time()")
    run = renew()
    assert "failed=0" in run.stdout, run.stdout
    on_disk = host.check_output("openssl x509 -noout -serial -in /etc/facility/tls/host.crt")
    assert served(name).strip() == on_disk
    assert served(name) != before
    assert administrator("SELECT pg_postmaster_start_time()") == started


def test_nobody_but_the_server_and_root_reads_the_copy_of_the_key(host):
    key = host.file("/run/facility-postgresql/host.key")
    assert (key.user, key.group, key.mode) == ("root", "postgres", 0o640)
    assert host.run("runuser -u nobody -- cat /run/facility-postgresql/host.key").rc == 1
    assert host.file("/etc/facility/tls/host.key").mode == 0o600


def test_old_tls_is_refused(name):
    command = ["openssl", "s_client", "-starttls", "postgres", "-connect", f"{name}:5432", "-cipher", "ALL:@SECLEVEL=0"]
    for version, taken in (("-tls1_1", False), ("-tls1_2", True)):
        done = subprocess.run([*command, version], input="", capture_output=True, text=True, check=False)
        assert ("Cipher is (NONE)" not in done.stdout and done.returncode == 0) == taken, version


def test_databases_hold_any_text_and_notice_a_broken_disk(administrator):
    assert administrator("SHOW server_encoding", "images") == "UTF8"
    assert administrator("SELECT datcollate FROM pg_database WHERE datname = 'images'") == "C.UTF-8"
    assert administrator("SHOW data_checksums") == "on"


def test_the_server_starts_with_the_host_and_sees_little_of_it(host):
    unit = host.check_output("systemctl list-units --plain --no-legend 'postgresql@*' | cut -d' ' -f1")
    assert host.service("postgresql").is_enabled
    assert unit in host.check_output("systemctl list-dependencies --plain postgresql.service")
    process = host.check_output(f"systemctl show --property MainPID --value {unit}")
    assert host.check_output(f"ps -o user= -p {process}") == "postgres"
    assert host.run(f"nsenter --target {process} --mount touch /etc/postgresql/written").rc == 1
    assert host.check_output(f"nsenter --target {process} --mount ls /root") == ""
    assert re.search(r"^NoNewPrivs:\s1$", host.file(f"/proc/{process}/status").content_string, re.MULTILINE)


def test_a_program_in_the_database_is_kept_in_as_well(host):
    """An administrator of the database, or whoever became one, starts programs of the host."""
    written = "COPY (SELECT 1) TO PROGRAM 'cat > /etc/postgresql/x'"
    assert host.run("runuser -u postgres -- psql -qAtX -c %s", written).rc == 1
    assert host.run("test -e /etc/postgresql/x").rc == 1


def test_logs_are_rotated_as_debian_does(host):
    tried = host.run("logrotate --debug /etc/logrotate.d/postgresql-common")
    assert "considering log /var/log/postgresql/postgresql-" in tried.stderr
    assert host.check_output("systemctl is-enabled logrotate.timer") == "enabled"


def test_packages_make_no_cluster_by_themselves(host):
    version = host.check_output("ls /usr/lib/postgresql")
    host.run_expect([0], f"apt-get install -qq -y --reinstall postgresql-{version}")
    assert len(host.check_output("pg_lsclusters --no-header").splitlines()) == 1


def test_nothing_was_complained_about(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""

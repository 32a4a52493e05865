# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as a member of the domain: its account, its secrets, its units, its audit."""

import os
import subprocess
from pathlib import Path

import pytest

JOIN_PASSWORD = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "join").read_text().strip() + "-1a"


def test_the_account_that_joins_could_do_it_without_being_an_administrator(client):
    groups = client.check_output("samba-tool user getgroups svc-join").split()
    assert "Domain Admins" not in groups
    found = client.check_output("samba-tool computer show OMERO1 --attributes=distinguishedName,dNSHostName")
    assert "CN=OMERO1,OU=Servers,DC=cifs,DC=test" in found
    assert "omero1.cifs.test" in found


def test_a_person_has_the_same_number_on_every_host_and_for_ever(client, server):
    sid = client.check_output("wbinfo --name-to-sid alice").split()[0]
    assert server.check_output("id -u alice") == str(1_000_000_000 + int(sid.rsplit("-", 1)[1]))
    assert server.check_output("getent passwd alice").split(":")[6] == "/usr/sbin/nologin"


def test_winbind_changes_the_host_s_password_and_everything_goes_on(server, client, alice):
    asked = "samba-tool computer show OMERO1 --attributes=pwdLastSet"
    before = client.check_output(asked)
    server.run_expect([0], "wbinfo --change-secret")
    assert client.check_output(asked) != before
    server.run_expect([0], "net ads testjoin")
    assert alice.sees() == {"alice"}
    client.run_expect([0], "kdestroy; echo Secret-of-alice | kinit alice")
    listed = client.run("smbclient //omero1.cifs.test/dropbox --use-kerberos=required --command=ls; kdestroy")
    assert " alice " in listed.stdout, listed.stdout
    # A copy of the host's keys in a file would be stale now.
    assert not server.file("/etc/krb5.keytab").exists


def test_a_host_that_fell_out_of_the_domain_joins_again_and_tells_nobody_the_password(server, alice, converge):
    number = server.check_output("id -u alice")
    watch = "while :; do ps -eww -o args e >> /run/watched; sleep 0.02; done"
    server.run_expect([0], "net ads testjoin && mv /var/lib/samba/private/secrets.tdb /root/ && rm -f /run/watched")
    server.run_expect([0], f"systemd-run --quiet --collect --unit=watch sh -c '{watch}'")
    try:
        run = converge()
    finally:
        server.run("systemctl stop watch")
    assert "failed=0" in run.stdout, run.stdout
    watched = server.file("/run/watched").content_string
    assert "net ads join" in watched
    assert JOIN_PASSWORD not in watched
    assert JOIN_PASSWORD not in run.stdout + run.stderr
    assert server.check_output("id -u alice") == number
    assert alice.sees() == {"alice"}
    server.run("rm -f /run/watched /root/secrets.tdb")


def test_secrets_are_nowhere_but_where_they_belong(server):
    places = "/etc /run /root /tmp /usr/local /var/backups /var/cache /var/lib /var/log /OMERO"
    assert server.run(f"grep -rlF -e '{JOIN_PASSWORD}' {places} 2>/dev/null").stdout == ""
    assert JOIN_PASSWORD not in server.run("journalctl --no-pager").stdout
    own = server.file("/var/lib/samba/private/secrets.tdb")
    assert (own.user, own.mode & 0o077) == ("root", 0)


@pytest.mark.parametrize("unit", ["smbd", "winbind", "settle"])
def test_a_service_starts_with_the_host_and_sees_little_of_it(server, unit):
    assert server.service(unit).is_running
    assert server.service(unit).is_enabled
    process = server.check_output(f"systemctl show --property MainPID --value {unit}")
    assert server.run(f"nsenter --target {process} --mount touch /etc/samba/written").rc == 1
    assert server.check_output(f"nsenter --target {process} --mount ls /root") == ""
    assert "NoNewPrivs:\t1" in server.file(f"/proc/{process}/status").content_string


def test_the_file_server_reaches_nothing_of_omeros_but_what_people_bring(server):
    process = server.check_output("systemctl show --property MainPID --value smbd")
    for folder in ("DropBox", "staging", "quarantine"):
        assert server.run(f"nsenter --target {process} --mount touch /OMERO/{folder}/written").rc == 1
    assert server.run(f"nsenter --target {process} --mount touch /OMERO/incoming/.probe").rc == 0
    server.run("rm /OMERO/incoming/.probe")


def test_settle_has_no_right_but_leases_and_no_network(server):
    process = server.check_output("systemctl show --property MainPID --value settle")
    status = server.file(f"/proc/{process}/status").content_string
    # Bit 28 is CAP_LEASE.
    assert all(f"{kind}:\t{1 << 28:016x}" in status for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"))
    assert server.check_output(f"ps -o user= -p {process}") == "settle"
    assert server.check_output(f"nsenter --target {process} --net ls /sys/class/net").split() != []
    assert server.check_output(f"nsenter --target {process} --net ip -brief link | grep -vc '^lo'  || true") == "0"


def test_after_a_restart_everything_is_as_before(server, alice):
    server.run_expect([0], "systemctl restart winbind smbd settle")
    assert alice.puts("after", "alice/after.tif") == ""
    assert alice.gets("alice/after.tif") == "after"


def test_who_made_renamed_and_deleted_what_is_in_the_journal(server, alice):
    assert alice.puts("x", "alice/audited.tif") == ""
    alice.does("rename alice/audited.tif alice/renamed.tif; del alice/renamed.tif")
    told = server.check_output("journalctl --no-pager --identifier=smbd_audit --since=-1min --output=cat")
    assert r"CIFS\alice|10.42.8.11|create_file|ok|" in told
    assert "|renameat|ok|/OMERO/incoming/alice/audited.tif|/OMERO/incoming/alice/renamed.tif" in told
    assert "|unlinkat|ok|/OMERO/incoming/alice/renamed.tif" in told
    # Bounded, so that nobody fills the disk with it.
    assert server.check_output("systemctl show smbd --property LogRateLimitBurst --value") == "3000"


def test_nothing_was_complained_about(server):
    assert server.check_output("systemctl list-units --state=failed --plain --no-legend") == ""
    assert "found in service section" not in server.run("journalctl --no-pager -u smbd --since=-1min").stdout
    assert "Unknown parameter" not in server.run("testparm --suppress-prompt").stderr


# With the domain asked, each took a quarter of a minute.
PATIENCE_WITHOUT_DOMAIN = 5
LOCAL = ["runuser -u nobody -- true", "id settle", "systemd-run --wait --quiet --uid=nobody true"]


@pytest.mark.parametrize("command", LOCAL)
def test_what_is_local_does_not_wait_for_a_domain_controller_that_is_away(server, command):
    def took():
        script = f"TIMEFORMAT=%R; time {command} >/dev/null"
        return float(server.run(f"bash -c '{script}' 2>&1").stdout.strip().splitlines()[-1])

    server.run_expect([0], command)
    # Silent, not refusing: whoever asks waits.
    subprocess.run(["podman", "pause", "dc1.cifs.test"], check=True, capture_output=True)
    try:
        assert took() < PATIENCE_WITHOUT_DOMAIN
    finally:
        subprocess.run(["podman", "unpause", "dc1.cifs.test"], check=True, capture_output=True)

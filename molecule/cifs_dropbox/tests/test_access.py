# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect, with what, and what is on the wire."""

import re

import pytest

SNIFF = """
import pathlib, socket, sys, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.settimeout(0.2)
stop, seen, frames = pathlib.Path("/run/sniffer-stop"), 0, 0
while not stop.exists():
    try:
        frame = wire.recv(70000)
    except TimeoutError:
        continue
    if b"\\x01\\xbd" in frame[34:38]:
        frames += 1
        seen += sys.argv[1].encode() in frame
stop.unlink()
pathlib.Path("/run/sniffed").write_text(f"{frames > 5} {seen > 0}")
"""
MARKER = "Pixels-that-nobody-on-the-way-may-read"


@pytest.fixture
def on_the_wire(server, until):
    """Do something while the network is listened to; say whether there was traffic, and whether it could be read."""

    def on_the_wire(act):
        server.run("rm -f /run/sniffed /run/sniffer-stop")
        server.run_expect([0], f"systemd-run --quiet --collect --unit=sniffer python3 -c '{SNIFF}' {MARKER}")
        assert until(lambda: server.run("ss --no-header --packet | grep -q .").rc == 0)
        act()
        server.run("touch /run/sniffer-stop")
        assert until(lambda: server.file("/run/sniffed").exists)
        return server.file("/run/sniffed").content_string

    return on_the_wire


def test_an_expired_account_is_refused(person):
    assert "NT_STATUS_ACCOUNT_EXPIRED" in person("expired").does("ls")


def test_somebody_in_none_of_the_groups_is_refused_and_sees_no_share(client, person):
    assert "tree connect failed: NT_STATUS_ACCESS_DENIED" in person("stranger").does("ls")
    shares = "PASSWD=Secret-of-{0} smbclient --list=//omero1.cifs.test --user='CIFS\\{0}' --grepable"
    assert "Disk|dropbox|" in client.run(shares.format("alice")).stdout
    assert "Disk|" not in client.run(shares.format("stranger")).stdout


@pytest.mark.parametrize("login", ["", "guest", "root", "settle", "omero-server", "nobody"])
def test_neither_guests_nor_users_of_the_host_get_in(client, login):
    for password in ("", "guess"):
        tried = client.run(f"PASSWD='{password}' smbclient //omero1.cifs.test/dropbox --user='{login}' --command=ls")
        assert tried.rc == 1, login
        assert "NT_STATUS_" in tried.stdout


def test_a_wrong_password_is_refused_and_noted(client, server):
    tried = client.run("PASSWD=wrong smbclient //omero1.cifs.test/dropbox --user='CIFS\\bob' --command=ls")
    assert "NT_STATUS_LOGON_FAILURE" in tried.stdout
    assert r"user [CIFS]\[bob]" in server.run("journalctl --no-pager -u smbd --since=-1min").stdout


def test_a_ticket_is_as_good_as_a_password(client):
    client.run_expect([0], "echo Secret-of-alice | kinit alice")
    try:
        listed = client.run("smbclient //omero1.cifs.test/dropbox --use-kerberos=required --command=ls")
        assert " alice " in listed.stdout, listed.stdout
    finally:
        client.run("kdestroy")


@pytest.mark.parametrize("protocol", ["NT1", "SMB2_02", "SMB2_10"])
def test_old_protocols_are_refused(alice, protocol):
    said = alice.does("ls", f"--max-protocol={protocol}", "--option=client min protocol=NT1")
    assert "Protocol negotiation" in said
    assert "NT_STATUS_" in said


def test_newer_ones_are_admitted(alice):
    for protocol in ("SMB3_00", "SMB3_02", "SMB3_11"):
        assert " alice " in alice.does("ls", f"--max-protocol={protocol}"), protocol


def test_nobody_on_the_way_reads_along(alice, on_the_wire):
    assert on_the_wire(lambda: alice.puts(MARKER, "alice/read.txt")) == "True False"
    unwilling = ["--client-protection=off", "--option=client signing=off"]
    assert on_the_wire(lambda: alice.does("put /tmp/put alice/read2.txt", *unwilling)) == "True False"


def test_a_client_that_can_not_encrypt_is_refused(alice):
    none = "client smb3 encryption algorithms=-AES-128-GCM,-AES-128-CCM,-AES-256-GCM,-AES-256-CCM"
    assert "NT_STATUS_ACCESS_DENIED" in alice.does("ls", f"--option={none}")


def test_windows_7_is_admitted_by_a_switch_signed_and_others_stay_encrypted(server, alice, on_the_wire, converge):
    old = "--max-protocol=SMB2_10"
    try:
        run = converge(cifs_dropbox_windows_7=True)
        assert "failed=0" in run.stdout, run.stdout
        assert " alice " in alice.does("ls", old)

        for protocol in ("NT1", "SMB2_02"):
            assert "NT_STATUS_" in alice.does("ls", f"--max-protocol={protocol}", "--option=client min protocol=NT1")
        assert on_the_wire(lambda: alice.puts(MARKER, "alice/read4.txt")) == "True False"
        assert on_the_wire(lambda: alice.does("get alice/read4.txt /tmp/got", old)) == "True True"
        assert "server signing = required" in server.run("testparm -sv 2>/dev/null").stdout
    finally:
        assert "failed=0" in converge().stdout
    assert "NT_STATUS_" in alice.does("ls", old)


def test_a_client_that_was_switched_off_is_noticed(server, alice, until):
    """The kernel asks after a minute of silence, three times; that is seen on the connection, without waiting."""
    alice.begins("put - alice/held.part", before="(sleep 10; echo end) |")
    established = "ss --no-header --tcp --numeric --options state established 'sport = :445'"
    assert until(lambda: "timer:" in server.check_output(established))
    timers = [line for line in server.check_output(established).splitlines() if "timer:" in line]
    assert any(re.search(r"timer:\(keepalive,(1min|[0-9]+sec)", line) for line in timers), timers


def test_only_one_port_is_open_and_no_browsing(server):
    served = server.check_output("ss --no-header --listening --tcp --udp --numeric --processes | grep -E 'mbd'")
    assert {line.split()[4].rsplit(":", 1)[1] for line in served.splitlines()} == {"445"}
    assert not server.service("nmbd").is_running

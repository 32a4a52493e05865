# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets into OMERO, and over which way."""

import socket
import subprocess

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
NAME = "omero1.omero.test"


def test_a_person_of_the_directory_gets_in_and_works_in_their_research_group(omero):
    done = omero("login")
    assert done.rc == 0
    assert f"Created session for alice@{NAME}:4064" in done.stderr
    assert "Current group: rg-neuro" in done.stderr


def test_a_person_of_two_research_groups_is_in_both(omero, module):
    assert omero("login", "bob").rc == 0
    bob = module("omero_info")["users"]["bob"]
    assert bob["groups"] == ["rg-neuro", "rg-plant"]
    assert (bob["first_name"], bob["last_name"], bob["ldap"]) == ("Bob", "Bär", True)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice", "wrong"), ("expired", "Secret-of-expired"), ("stranger", "Secret-of-stranger"),
        ("nobody", "guess"), ("a*", "Secret-of-alice"), ("svc-omero", "guess"), ("root", "omero"),
    ],
)  # fmt: skip
def test_who_has_no_right_or_no_password_is_refused(client, login, password):
    assert "OMERO refuses the log-in" in client(login, password)


@pytest.mark.parametrize("login", ["alice", "root"])
def test_an_empty_password_is_refused_by_the_server_itself(client, login, secret):
    """OMERO's clients do not even send it; a directory takes a log-in without one for an anonymous one."""
    code = f"""router = session.ice_getCommunicator().getDefaultRouter()
        import Glacier2, Ice
        try:
            Glacier2.RouterPrx.uncheckedCast(router.ice_connectionId("another")).createSession("{login}", "")
            print("in")
        except Glacier2.PermissionDeniedException as error:
            print("refused:", error.reason)"""
    assert client("svc-dropbox-monitor", secret("dropbox-monitor"), code).startswith("refused: Password check failed")


def test_somebody_without_a_research_group_is_not_even_noted_down(omero, module):
    assert omero("login", "stranger").rc != 0
    assert not {"stranger", "expired", "nobody"} & set(module("omero_info")["users"])


def test_one_person_s_password_opens_no_other_account(omero):
    assert omero("login", "bob", "Secret-of-alice").rc != 0


def test_a_server_with_another_name_than_its_certificate_s_is_refused(host, omero):
    address = host.check_output("hostname -i").split()[0]
    for other in (address, "localhost"):
        done = omero("login", server=other)
        assert done.rc != 0, other
        assert "IceSSL" in done.stderr, done.stderr
        assert "hostname" in done.stderr.lower() or "name" in done.stderr.lower()


def test_a_server_of_an_authority_that_is_not_ours_is_refused(host, omero):
    host.run_expect([0], "sed 's|^IceSSL.CAs=.*|IceSSL.CAs=/root/other.crt|' /etc/omero/ice.config > /tmp/other.config")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other"
    host.run_expect([0], f"{make} -out /tmp/other.crt && sed -i s,/root/,/tmp/, /tmp/other.config")
    own = "sed 's|^export OMERODIR|export ICE_CONFIG=/tmp/other.config; export OMERODIR|' /usr/local/bin/omero"
    host.run_expect([0], f"{own} | sed 's| ICE_CONFIG=/etc/omero/ice.config||' > /tmp/omero-elsewhere")
    who = f"-C -s {NAME} -u alice -w Secret-of-alice"
    try:
        done = host.run(f"sh /tmp/omero-elsewhere login {who} </dev/null")
        assert done.rc != 0
        assert "certificate verification failed" in done.stderr
    finally:
        host.run_expect([0], "rm /tmp/other.config /tmp/other.crt /tmp/omero-elsewhere")


def test_from_outside_only_the_encrypted_port_is_open():
    with socket.create_connection((NAME, 4064), timeout=5):
        pass
    for port in (4061, 4063, 4065, 5432):
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((NAME, port), timeout=2).close()


def test_omero_s_inner_servers_are_reached_by_nobody_from_outside(host):
    """They listen on all interfaces, unencrypted, on ports that change with each start: only the firewall helps."""
    listening = host.check_output("ss --no-header --tcp --listening --numeric").splitlines()
    addresses = [line.split()[3].rpartition(":") for line in listening]
    inner = {int(port) for address, _, port in addresses if address in {"*", "0.0.0.0", "[::]"}} - {22, 80, 443, 4064}
    assert len(inner) >= 9
    for port in inner:
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((NAME, port), timeout=1).close()


def test_old_tls_and_ciphers_without_a_certificate_are_refused():
    command = ["openssl", "s_client", "-connect", f"{NAME}:4064", "-cipher"]
    for options, taken in ((("ALL:@SECLEVEL=0", "-tls1_1"), False), (("aNULL:@SECLEVEL=0", "-tls1_2"), False),
                           (("HIGH:!AESGCM:!CHACHA20:@SECLEVEL=0", "-tls1_2"), False),
                           (("ECDHE+AESGCM", "-tls1_2"), True)):  # fmt: skip
        done = subprocess.run([*command, *options], input="", capture_output=True, text=True, check=False)
        assert (done.returncode == 0 and "Cipher is (NONE)" not in done.stdout) == taken, options


def test_the_monitor_sees_everything_and_may_change_nothing(client, secret):
    word = secret("dropbox-monitor")
    seen = client("svc-dropbox-monitor", word, "print(session.getAdminService().getEventContext().isAdmin)")
    assert seen == "True"
    assert client("svc-dropbox-monitor", word, "print(session.getAdminService().getCurrentAdminPrivileges())") == "[]"
    rename = "from omero.rtypes import rstring; admin = session.getAdminService();"
    rename += " call('x', admin.changeUserPassword, 'root', rstring('taken-over'))"
    assert "SecurityViolation" in client("svc-dropbox-monitor", word, rename)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody without an account learns from the directory, and whom they stop from working."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import dns.resolver
import dns.update
import ldap
import pytest

from tests.attacks import kerberos
from tests.attacks.directory import connected
from tests.attacks.facility import BASE, CONTROLLER, DOMAIN, SERVICES

SAMR = [
    "querydispinfo",
    "enumdomusers",
    "enumdomgroups",
    "enumalsgroups builtin",
    "enumalsgroups domain",
    "getdompwinfo",
    "querygroupmem 0x200",
    "queryaliasmem builtin 0x220",
    "queryuser 0x1f4",
    "samlookupnames domain administrator",
]
OTHERS = [
    "lookupnames administrator",
    "lookupsids S-1-5-32-544",
    "lsaenumsid",
    "enumtrust",
    "getusername",
    "netshareenumall",
    "netsessenum",
    "srvinfo",
    "dsenumdomtrusts",
]
ASKED = [("ncacn_np:{}", question) for question in (*SAMR, *OTHERS)]
# SAMR listens on a port that the firewall shuts, so each question there takes its whole time: two will do.
# Over TCP, netlogon tells the domain's own name, as the root DSE does to any client that looks for a domain controller.
ASKED += [("ncacn_ip_tcp:{}", question) for question in (*SAMR[:2], *OTHERS) if question != "dsenumdomtrusts"]
URIS = [f"ldap://{CONTROLLER}", f"ldaps://{CONTROLLER}", f"ldap://{CONTROLLER}:3268", f"ldaps://{CONTROLLER}:3269"]


@pytest.mark.parametrize(("transport", "question"), ASKED)
def test_a_stranger_is_told_no_account_over_rpc(facility, ask, transport, question):
    told = ask("rpcclient", transport, question)
    assert told.returncode != 0 or "NT_STATUS_" in told.stdout, told.stdout
    known = {*facility.logins, *SERVICES, "krbtgt"}
    assert not [login for login in known if login in told.stdout.lower()]
    assert "rid:" not in told.stdout.lower()
    assert "s-1-5-21-" not in told.stdout.lower()


def test_a_user_is_told_what_a_stranger_is_not(ask):
    assert "aadler" in ask("rpcclient", "ncacn_np:{}[seal]", "lookupnames aadler", known=True).stdout


@pytest.mark.parametrize("share", ["sysvol", "netlogon", "IPC$"])
def test_a_stranger_opens_no_share(ask, share):
    told = ask("smbclient", f"//{{}}/{share}", "ls")
    assert told.returncode != 0
    assert "NT_STATUS_ACCESS_DENIED" in told.stdout, told.stdout


@pytest.mark.parametrize("uri", URIS)
@pytest.mark.parametrize("condition", ["(objectClass=*)", "(objectClass=user)", "(objectClass=dnsNode)", "(sn=*)"])
def test_a_stranger_reads_no_entry(facility, uri, condition):
    connection = connected(facility.authority, uri)
    for where in (BASE, f"CN=Configuration,{BASE}", f"DC=DomainDnsZones,{BASE}"):
        with pytest.raises((ldap.OPERATIONS_ERROR, ldap.INSUFFICIENT_ACCESS, ldap.STRONG_AUTH_REQUIRED)):
            connection.search_s(where, ldap.SCOPE_SUBTREE, condition, ["dn"])


def test_a_password_in_clear_is_refused_even_where_it_is_right(facility):
    connection = connected(facility.authority, URIS[0])
    with pytest.raises((ldap.STRONG_AUTH_REQUIRED, ldap.CONFIDENTIALITY_REQUIRED)):
        connection.simple_bind_s(f"aadler@{DOMAIN}", facility.password_of("aadler"))


@pytest.mark.parametrize("password", ["", " "])
def test_a_name_without_a_password_is_nobody(facility, password):
    connection = connected(facility.authority)
    with pytest.raises((ldap.UNWILLING_TO_PERFORM, ldap.INVALID_CREDENTIALS, ldap.OPERATIONS_ERROR)):
        connection.simple_bind_s(f"svc-register@{DOMAIN}", password)
        connection.search_s(BASE, ldap.SCOPE_SUBTREE, "(objectClass=user)", ["dn"])


def test_nobody_s_password_can_be_cracked_at_home_without_showing_it_first(facility):
    asked = [*facility.logins, *SERVICES, "administrator", "guest", "krbtgt", "dc1$", "omero1$"]
    assert [login for login in asked if kerberos.answered_without_password(login)] == []


@pytest.fixture
def unlocked(facility):
    """Whatever an attack has locked is open again afterwards."""
    yield
    for login in (*SERVICES, "administrator"):
        facility.inside(CONTROLLER, "samba-tool", "user", "unlock", login)


@pytest.mark.parametrize("login", [*SERVICES, "administrator"])
def test_fifteen_wrong_passwords_lock_no_service_out(facility, unlocked, login):
    for _ in range(15):
        with pytest.raises(ldap.INVALID_CREDENTIALS):
            connected(facility.authority).simple_bind_s(f"{login}@{DOMAIN}", "guess")
    connected(facility.authority).simple_bind_s(f"{login}@{DOMAIN}", facility.password_of(login))


def test_wrong_passwords_over_kerberos_and_smb_lock_no_service_out(facility, unlocked, ask, tmp_path):
    for _ in range(12):
        kerberos.wrong_password("svc-wiki")
        assert "LOGON_FAILURE" in ask("rpcclient", "ncacn_np:{}", "getusername", login="svc-omero").stderr
    for login in ("svc-wiki", "svc-omero"):
        connected(facility.authority).simple_bind_s(f"{login}@{DOMAIN}", facility.password_of(login))


@pytest.mark.parametrize("name", ["wpad", "*", "isatap", "mic1", "attacker"])
def test_a_stranger_adds_no_name_and_changes_none(facility, name):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [facility.addresses[CONTROLLER]]
    whole = f"{name}.{DOMAIN}"

    def known():
        try:
            return {entry.address for entry in resolver.resolve(whole, "A")}
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return set()

    before = known()
    change = dns.update.UpdateMessage(DOMAIN)
    change.add(name, 60, "A", "10.42.0.66")
    answer = dns.query.tcp(change, facility.addresses[CONTROLLER], timeout=10)
    assert answer.rcode() == dns.rcode.REFUSED
    assert known() == before


@pytest.mark.parametrize("zone", [DOMAIN, f"_msdcs.{DOMAIN}"])
def test_a_stranger_gets_no_copy_of_a_zone(facility, zone):
    with pytest.raises((dns.query.TransferError, dns.exception.FormError, EOFError)):
        list(dns.query.xfr(facility.addresses[CONTROLLER], zone, timeout=10))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody can do to the directory who has stolen a researcher's password."""

from __future__ import annotations

import contextlib
import struct

import ldap
import pytest

from tests.attacks import kerberos
from tests.attacks.facility import BASE, CONTROLLER, DOMAIN, SERVICES

OWN = f"CN=aadler,OU=Researchers,OU=People,{BASE}"
ZONE = f"DC={DOMAIN},CN=MicrosoftDNS,DC=DomainDnsZones,{BASE}"
FOREST = f"DC=_msdcs.{DOMAIN},CN=MicrosoftDNS,DC=ForestDnsZones,{BASE}"
NEVER = b"9223372036854775807"
ATTRIBUTES = {
    "displayName": b"Somebody Else",
    "description": b"staff",
    "givenName": b"Else",
    "sn": b"Somebody",
    "mail": b"attacker@elsewhere.example.com",
    "sAMAccountName": b"sstein2",
    "userPrincipalName": b"attacker@imaging.example.org",
    "servicePrincipalName": b"HTTP/attacker.imaging.example.org",
    "accountExpires": NEVER,
    "userAccountControl": b"66048",
    "adminCount": b"1",
    "scriptPath": b"attack.cmd",
    "homeDirectory": rb"\\attacker\home",
    "msDS-AllowedToDelegateTo": b"ldap/dc1.imaging.example.org",
    "altSecurityIdentities": b"X509:<S>CN=attacker",
    "uidNumber": b"0",
    "gidNumber": b"0",
    "unixHomeDirectory": b"/root",
    "loginShell": b"/bin/bash",
}
GROUPS = [
    "CN=Domain Admins,CN=Users",
    "CN=Administrators,CN=Builtin",
    "CN=DnsAdmins,CN=Users",
    "CN=Account Operators,CN=Builtin",
    "CN=facility-it,OU=Groups",
    "CN=facility-staff,OU=Groups",
    "CN=door-wiki,OU=Groups",
    "CN=rg-neuro,OU=Groups",
    "CN=instrument-sted,OU=Groups",
]
SECRET = [
    "unicodePwd",
    "ntPwdHistory",
    "dBCSPwd",
    "supplementalCredentials",
    "msDS-KeyCredentialLink",
    "currentValue",
    "trustAuthIncoming",
    "ms-Mcs-AdmPwd",
    "msDS-ManagedPassword",
    "lmPwdHistory",
]


def refused(change, undo):
    """Say whether a change was refused for want of rights; take back what was not."""
    try:
        change()
    except ldap.INSUFFICIENT_ACCESS:
        return True
    with contextlib.suppress(ldap.LDAPError):
        undo()
    return False


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_nobody_changes_what_the_register_says_of_them(thief, attribute):
    was = thief.read_s(OWN, attrlist=[attribute]).get(attribute)
    change = [(ldap.MOD_REPLACE, attribute, [ATTRIBUTES[attribute]])]
    assert refused(
        lambda: thief.modify_s(OWN, change),
        lambda: thief.modify_s(OWN, [(ldap.MOD_REPLACE, attribute, was)]),
    )


def test_nobody_takes_another_s_password_or_opens_another_s_account(thief):
    for other in ("bbergstroem", "ccosta"):
        dn = f"CN={other},OU=Researchers,OU=People,{BASE}"
        change = [(ldap.MOD_REPLACE, "unicodePwd", ['"Attack-Horse-77"'.encode("utf-16-le")])]
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            thief.modify_s(dn, change)
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            thief.modify_s(dn, [(ldap.MOD_REPLACE, "accountExpires", [NEVER])])


def test_nobody_moves_or_removes_an_account(thief):
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        thief.rename_s(OWN, "CN=aadler", f"OU=People,{BASE}")
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        thief.delete_s(f"CN=svc-wiki,OU=Service Accounts,{BASE}")


@pytest.mark.parametrize("group", GROUPS)
def test_nobody_enters_a_group(thief, group):
    dn = f"{group},{BASE}"
    other = f"CN=xxu,OU=Researchers,OU=People,{BASE}"
    for member in (OWN, other):
        add, remove = ([(kind, "member", [member.encode()])] for kind in (ldap.MOD_ADD, ldap.MOD_DELETE))
        try:
            assert refused(lambda: thief.modify_s(dn, add), lambda: thief.modify_s(dn, remove)), member  # noqa: B023
        except ldap.TYPE_OR_VALUE_EXISTS:
            # Already a member; then nobody but an administrator may leave it, either.
            with pytest.raises(ldap.INSUFFICIENT_ACCESS):
                thief.modify_s(dn, remove)


OBJECTS = {
    f"CN=attack,CN=Computers,{BASE}": {"objectClass": b"computer", "sAMAccountName": b"attack$"},
    f"CN=attack,OU=Servers,{BASE}": {"objectClass": b"computer", "sAMAccountName": b"attack$"},
    f"CN=attack,OU=Researchers,OU=People,{BASE}": {"objectClass": b"user", "sAMAccountName": b"attack"},
    f"CN=attack,OU=People,{BASE}": {"objectClass": b"contact"},
    f"CN=attack,OU=Groups,{BASE}": {"objectClass": b"group", "sAMAccountName": b"attack"},
    f"OU=attack,{BASE}": {"objectClass": b"organizationalUnit"},
    f"CN=attack,CN=System,{BASE}": {"objectClass": b"container"},
}


@pytest.mark.parametrize("dn", OBJECTS)
def test_nobody_adds_a_computer_or_anything_else(thief, dn):
    entry = [(name, [value]) for name, value in OBJECTS[dn].items()]
    if b"computer" in OBJECTS[dn].values():
        entry.append(("userAccountControl", [b"4096"]))
    assert refused(lambda: thief.add_s(dn, entry), lambda: thief.delete_s(dn))


@pytest.mark.parametrize("name", ["attack$", "attack"])
def test_nobody_adds_an_account_over_rpc(ask, facility, name):
    told = ask("rpcclient", "ncacn_np:{}[seal]", f"createdomuser {name}", known=True)
    try:
        assert "NT_STATUS_ACCESS_DENIED" in told.stdout, told.stdout
    finally:
        facility.inside(CONTROLLER, "samba-tool", "user", "delete", name)


@pytest.mark.parametrize("zone", [ZONE, FOREST])
@pytest.mark.parametrize("name", ["wpad", "\\2A", "isatap", "mic1", "attack"])
def test_nobody_adds_a_name(thief, zone, name):
    dn = f"DC={name},{zone}"
    try:
        refusal = refused(lambda: thief.add_s(dn, [("objectClass", [b"dnsNode"])]), lambda: thief.delete_s(dn))
    except ldap.ALREADY_EXISTS:
        pytest.fail(f"somebody has added {dn}")
    assert refusal


@pytest.mark.parametrize("name", ["dc1", "wiki1", "omero1", "@"])
def test_nobody_changes_a_name(thief, name):
    dn = f"DC={name},{ZONE}"
    as_it_is = thief.read_s(dn, attrlist=["dnsRecord"])["dnsRecord"]
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        thief.modify_s(dn, [(ldap.MOD_REPLACE, "dnsRecord", as_it_is)])
    # IPv4 10.42.0.66, as MS-DNSP has it.
    record = struct.pack("<HHBBHL", 4, 1, 5, 240, 0, 1) + struct.pack(">L", 60) + bytes(8) + bytes([10, 42, 0, 66])
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        thief.modify_s(dn, [(ldap.MOD_ADD, "dnsRecord", [record])])


def test_nobody_adds_a_name_over_rpc(facility, login_file):
    login = login_file.read_text()
    change = [DOMAIN, "attack", "A", "10.42.0.66", "--authentication-file=/dev/stdin"]
    told = facility.inside(CONTROLLER, "samba-tool", "dns", "add", CONTROLLER, *change, stdin=login)
    if told.returncode == 0:
        facility.inside(CONTROLLER, "samba-tool", "dns", "delete", CONTROLLER, *change, stdin=login)
    assert told.returncode != 0
    assert "ACCESS_DENIED" in told.stdout + told.stderr, told.stdout + told.stderr


def test_nobody_reads_what_opens_accounts(thief):
    found = thief.search_s(BASE, ldap.SCOPE_SUBTREE, "(|(objectClass=user)(objectClass=secret))", SECRET)
    entries = [(dn, sorted(entry)) for dn, entry in found if dn]
    assert len(entries) > 30
    assert [(dn, names) for dn, names in entries if names] == []


WRITTEN = {
    "sysvol": ["", DOMAIN, f"{DOMAIN}\\Policies", f"{DOMAIN}\\scripts"],
    "netlogon": [""],
}


@pytest.mark.parametrize("share", WRITTEN)
def test_nobody_writes_to_what_every_pc_reads(ask, share):
    for folder in WRITTEN[share]:
        inside = f'cd "\\{folder}"'
        assert ask("smbclient", f"//{{}}/{share}", f"{inside}; ls", known=True).returncode == 0, folder
        for act, undo in {"mkdir attack": "rmdir attack", "put /etc/hostname attack.cmd": "del attack.cmd"}.items():
            told = ask("smbclient", f"//{{}}/{share}", f"{inside}; {act}", known=True)
            if "NT_STATUS_" not in told.stdout:
                ask("smbclient", f"//{{}}/{share}", f"{inside}; {undo}", known=True)
            assert "NT_STATUS_ACCESS_DENIED" in told.stdout, (folder, act, told.stdout)


def test_no_ticket_can_be_cracked_at_home(facility, thief):
    session = kerberos.Session("aadler", facility.password_of("aadler"))
    assert session.ticket(f"host/{CONTROLLER}") is not None
    people = [login for login in facility.logins if login != "aadler"][:20]
    assert [name for name in (*SERVICES, "administrator", *people) if session.ticket(name) is not None] == []
    named = thief.search_s(BASE, ldap.SCOPE_SUBTREE, "(servicePrincipalName=*)", ["objectClass", "sAMAccountName"])
    accounts = [entry for dn, entry in named if dn and b"computer" not in entry["objectClass"]]
    # Its password nobody knows, and it never logs in.
    assert [entry["sAMAccountName"] for entry in accounts] == [[b"krbtgt"]]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody learns and breaks who reaches the directory and has no account, or only a user's."""

import pytest

testinfra_hosts = ["podman://dc1.directory.test"]
CONTROLLERS = {"dc1": "10.42.3.11", "dc2": "10.42.3.12"}
BASE = "DC=directory,DC=test"
PASSWORD = "Correct-Horse-7"
ASKED = [
    "querydispinfo",
    "enumdomusers",
    "enumdomgroups",
    "getdompwinfo",
    "querygroupmem 0x200",
    "enumalsgroups builtin",
]


@pytest.fixture
def person(host):
    host.run("samba-tool user delete person")
    host.run_expect([0], "samba-tool user create person --random-password")
    change = f"printf '%s\\n%s\\n' '{PASSWORD}' '{PASSWORD}' | samba-tool user setpassword person"
    host.run_expect([0], change)
    yield "person"
    host.run("samba-tool user delete person")


@pytest.mark.parametrize("transport", ["ncacn_ip_tcp", "ncacn_np"])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_anonymous_learns_of_no_account_over_any_transport(client, controller, transport):
    for question in ASKED:
        ask = ["timeout", 8, "rpcclient", "--no-pass", "--user=%", f"{transport}:{CONTROLLERS[controller]}"]
        told = client.run(*ask, "--command", question)
        assert told.returncode != 0, (question, told.stdout)
        assert "krbtgt" not in told.stdout.lower(), question
        assert "rid" not in told.stdout.lower(), question


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize(
    "uri", ["ldap://{}.directory.test", "ldaps://{}.directory.test", "ldaps://{}.directory.test:3269"]
)
def test_anonymous_reads_no_entry(client, controller, uri):
    where = uri.format(controller)
    for condition in ("objectClass=user", "objectClass=group", "sn=*"):
        answer = client.run("ldapsearch", "-x", "-LLL", "-H", where, "-b", BASE, condition, "dn")
        assert answer.returncode != 0
        assert "dn:" not in answer.stdout


def test_people_with_an_account_are_still_served_over_smb(client, person):
    ask = ["rpcclient", f"--user=DIRECTORY/{person}%{PASSWORD}", "ncacn_np:dc1.directory.test[seal]"]
    told = client.run(*ask, "--command", f"queryuser {person}")
    assert person in told.stdout, told.stdout + told.stderr


def test_a_stranger_locks_no_account_of_a_service(client, secret):
    for login in ("svc-controller", "administrator"):
        for _ in range(15):
            assert client.who("ldaps://dc1.directory.test", login, "guess").returncode == 49
        assert client.who("ldaps://dc1.directory.test", login, secret(login)).returncode == 0, login


NAMES = ["wpad", "\\2A", "isatap", "mic1", "somewhere"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "zone", ["DC=directory.test,{}DC=DomainDnsZones", "DC=_msdcs.directory.test,{}DC=ForestDnsZones"]
)
def test_a_user_adds_no_name_to_a_zone(client, person, name, zone, tmp_path):
    zone = f"{zone.format('CN=MicrosoftDNS,')},{BASE}"
    (tmp_path / "typed").write_text(PASSWORD)
    (tmp_path / "add").write_text(f"dn: DC={name},{zone}\nchangetype: add\nobjectClass: dnsNode\n")
    bind = ["-x", "-H", "ldaps://dc1.directory.test", "-D", f"{person}@directory.test", "-y", tmp_path / "typed"]
    done = client.run("ldapmodify", *bind, "-f", tmp_path / "add")
    assert done.returncode == 50, done.stderr


def test_the_role_s_own_names_and_those_of_controllers_are_there(host):
    for name, address in {"wiki1": "10.42.3.99", **CONTROLLERS}.items():
        assert address in host.check_output(f"dig +short {name}.directory.test @10.42.3.11").split()

# SPDX-License-Identifier: GPL-3.0-or-later
"""One account for everything, and one refusal for everything when it has expired or was guessed at."""

import pytest

testinfra_hosts = ["podman://dc1.directory.test"]
PASSWORD = "Correct-Horse-7"


def make_user(host, login):
    host.run(f"samba-tool user delete {login}")
    host.run_expect([0], f"samba-tool user create {login} --random-password")
    change = f"printf '%s\\n%s\\n' '{PASSWORD}' '{PASSWORD}' | samba-tool user setpassword {login}"
    host.run_expect([0], change)
    return login


def smb(host, login, password=PASSWORD, *options):
    words = " ".join(options)
    return host.run(f"PASSWD='{password}' smbclient -L //dc1.directory.test -U {login} {words}")


def kerberos(host, login, password=PASSWORD):
    return host.run(f"printf '%s\\n' '{password}' | KRB5CCNAME=/tmp/test-ticket kinit {login}")


@pytest.fixture
def person(host):
    yield make_user(host, "person")
    host.run("samba-tool user delete person")


def test_one_password_opens_ldap_kerberos_and_smb(host, client, person):
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD).returncode == 0
    assert client.who("ldap://dc1.directory.test", person, PASSWORD, "-ZZ").returncode == 0
    assert kerberos(host, person).rc == 0
    assert smb(host, person).rc == 0


def test_an_expired_account_is_refused_everywhere(host, client, person, eventually):
    host.run_expect([0], f"samba-tool user setexpiry {person} --days=-1")
    assert "data 701" in client.who("ldaps://dc1.directory.test", person, PASSWORD).stderr
    # A ticket may come from the other DC, which learns of it a little later.
    assert eventually(lambda: kerberos(host, person).rc != 0)
    assert eventually(lambda: "NT_STATUS_ACCOUNT_EXPIRED" in smb(host, person).stdout)


def test_ten_wrong_passwords_lock_an_account(host, client, person):
    for _ in range(10):
        assert client.who("ldaps://dc1.directory.test", person, "guess").returncode == 49
    # Locked: now even the right one is refused.
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD).returncode == 49
    host.run_expect([0], f"samba-tool user unlock {person}")
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD).returncode == 0


def test_a_short_password_is_refused(host, person):
    change = host.run(f"printf 'Short-7\\nShort-7\\n' | samba-tool user setpassword {person}")
    assert change.rc != 0
    assert "password is too short" in change.stderr + change.stdout


def test_a_password_that_was_changed_opens_nothing_from_then_on(host, client, person, eventually):
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD).returncode == 0
    change = f"printf 'Other-Horse-8\nOther-Horse-8\n' | samba-tool user setpassword {person}"
    host.run_expect([0], change)
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD).returncode == 49
    # A ticket may come from the other DC, which learns of it a little later.
    assert eventually(lambda: smb(host, person).rc != 0)
    assert client.who("ldaps://dc1.directory.test", person, "Other-Horse-8").returncode == 0


def test_a_password_in_clear_text_is_refused(client, person):
    answer = client.who("ldap://dc1.directory.test", person, PASSWORD)
    assert answer.returncode == 8
    assert "Transport encryption required" in answer.stderr


def test_nobody_reads_the_directory_without_an_account(client):
    answer = client.run("ldapsearch", "-x", "-H", "ldaps://dc1.directory.test", "-b", "DC=directory,DC=test", "sn=*")
    assert answer.returncode == 1
    assert "dn:" not in answer.stdout


def test_smb_version_1_is_refused(host, person):
    answer = smb(host, person, PASSWORD, "--option='client min protocol=NT1' -m NT1")
    assert answer.rc != 0


@pytest.mark.parametrize(("version", "accepted"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_only_current_tls_is_spoken(client, version, accepted):
    # Security level 0 lets our own side offer the old versions at all.
    answer = client.run(
        "openssl", "s_client", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", "dc1.directory.test:636"
    )
    assert (answer.returncode == 0) is accepted


@pytest.mark.parametrize("port", [636, 3269])
@pytest.mark.parametrize(
    ("ciphers", "accepted"),
    [("ECDHE+AESGCM", True), ("ECDHE+CHACHA20", True), ("ALL:!AESGCM:!CHACHA20", False), ("kRSA", False)],
)
def test_every_cipher_is_one_that_notices_changes(client, port, ciphers, accepted):
    command = ["openssl", "s_client", "-tls1_2", "-cipher", f"{ciphers}:@SECLEVEL=0", "-connect"]
    answer = client.run(*command, f"dc1.directory.test:{port}")
    assert (answer.returncode == 0) is accepted


def test_a_directory_with_another_authority_is_not_trusted(client, person, tmp_path):
    other = tmp_path / "other.crt"
    client.run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=other",
        "-keyout",
        tmp_path / "k",
        "-out",
        other,
    )
    assert client.who("ldaps://dc1.directory.test", person, PASSWORD, ca=other).returncode == 255


def test_the_administrators_password_lies_nowhere_on_the_host(host, secret):
    """Nor in its logs: neither clear nor in a file that a backup or a curious person could carry away."""
    found = host.run(
        f"grep -rlF -e '{secret('administrator')}' /etc /root /run /tmp /var/log /var/tmp /var/lib/samba/private"
    )
    assert found.stdout == ""
    assert host.run(f"journalctl --no-pager | grep -cF -e '{secret('administrator')}'").stdout.strip() == "0"


def test_the_controllers_account_makes_people_but_no_policy(client, secret):
    bind = [
        "-x",
        "-H",
        "ldaps://dc1.directory.test",
        "-D",
        "svc-controller@directory.test",
        "-w",
        secret("svc-controller"),
    ]
    modify = "dn: {}\nchangetype: modify\n{}: {}\n{}: {}\n"
    myself = "CN=svc-controller,OU=Service Accounts,DC=directory,DC=test"
    users = "CN=Users,DC=directory,DC=test"
    policy = modify.format("DC=directory,DC=test", "replace", "minPwdLength", "minPwdLength", 1)
    administrator = modify.format(f"CN=Administrator,{users}", "replace", "description", "description", "mine")
    admins = modify.format(f"CN=Domain Admins,{users}", "add", "member", "member", myself)
    for attempt in (policy, administrator, admins):
        assert client.run("sh", "-c", 'printf "%s" "$0" | ldapmodify "$@"', attempt, *bind).returncode == 50, attempt
    group = "dn: CN=probe,OU=Groups,DC=directory,DC=test\nchangetype: add\nobjectClass: group\nsAMAccountName: probe\n"
    assert client.run("sh", "-c", 'printf "%s" "$0" | ldapmodify "$@"', group, *bind).returncode == 0
    assert client.run("ldapdelete", *bind, "CN=probe,OU=Groups,DC=directory,DC=test").returncode == 0

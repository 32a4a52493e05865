# SPDX-License-Identifier: GPL-3.0-or-later
"""Two domain controllers that know the same, and a domain that survives clumsy hands."""

import json
import re

import pytest

from tests.refusals import refused_by

testinfra_hosts = ["podman://dc1.directory.test"]


@pytest.fixture
def second(host):
    return type(host).get_host("podman://dc2.directory.test")


def test_a_person_made_on_one_dc_may_log_on_at_the_other(host, second, client, eventually):
    host.run("samba-tool user delete traveller")
    host.run_expect([0], "samba-tool user create traveller --random-password")
    host.run_expect([0], "printf 'Correct-Horse-7\\nCorrect-Horse-7\\n' | samba-tool user setpassword traveller")
    uri = "ldaps://dc2.directory.test"
    assert eventually(lambda: client.who(uri, "traveller", "Correct-Horse-7").returncode == 0)
    second.run_expect([0], "samba-tool user delete traveller")
    assert eventually(lambda: "traveller" not in host.check_output("samba-tool user list").split())


def test_a_log_on_script_put_on_one_dc_is_on_the_other_after_the_next_copy(host, second):
    script = "/var/lib/samba/sysvol/directory.test/scripts/welcome.cmd"
    host.run_expect([0], f"echo '@echo welcome' > {script}")
    second.run_expect([0], "systemctl start facility-copy-sysvol.service")
    assert second.file(script).content_string == "@echo welcome\n"
    second.run_expect([0], "samba-tool ntacl sysvolcheck")
    host.run_expect([0], f"rm {script}")
    second.run_expect([0], "systemctl start facility-copy-sysvol.service")
    assert not second.file(script).exists


def test_the_copy_of_sysvol_comes_by_itself(second):
    assert second.service("facility-copy-sysvol.timer").is_running
    assert second.service("facility-copy-sysvol.timer").is_enabled


def test_names_of_hosts_and_services_resolve(host, second, eventually):
    for server in (host, second):
        assert server.addr("wiki1.directory.test").ipv4_addresses == ["10.42.3.99"]
    query = "samba-tool dns query 127.0.0.1 directory.test _ldap._tcp SRV --machine-pass"
    for name in ("dc1.directory.test", "dc2.directory.test"):
        # A DC enters itself a moment after its start.
        assert eventually(lambda name=name: name in host.check_output(query)), name


def test_a_new_certificate_is_served_without_a_restart(host, client, converge, eventually):
    def served():
        command = (
            "openssl s_client -connect dc1.directory.test:636 </dev/null 2>/dev/null | openssl x509 -noout -serial"
        )
        return client.run("sh", "-c", command).stdout

    began, before = host.check_output("systemctl show -p ActiveEnterTimestampMonotonic samba-ad-dc"), served()
    status, output = converge(
        "--limit", "dc1.directory.test", "-e", '{"certificates_renew_days": 397, "certificates_valid_days": 398, '
        '"certificates_reload_units": ["samba-ad-dc.service"]}', playbook="prepare.yml",
    )  # fmt: skip
    assert status == 0, output
    assert eventually(lambda: served() not in {before, ""})
    assert host.check_output("systemctl show -p ActiveEnterTimestampMonotonic samba-ad-dc") == began


def test_the_dc_is_sandboxed(host):
    shown = host.check_output(
        "systemctl show -p ProtectSystem -p PrivateTmp -p NoNewPrivileges samba-ad-dc"
    ).splitlines()
    assert set(shown) == {"ProtectSystem=strict", "PrivateTmp=yes", "NoNewPrivileges=yes"}


def test_the_dc_is_locked_in_as_far_as_it_works(host):
    exposure = host.check_output("systemd-analyze security --no-pager samba-ad-dc | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) <= 3.2, exposure
    refused = host.run(
        "journalctl -u samba-ad-dc --grep 'Operation not permitted|EPERM' --output=cat --no-pager"
    ).stdout
    assert refused == "", "its sandbox refuses what it needs"


def test_settings_of_a_killed_run_are_in_force_after_the_next(host, converge):
    began = host.check_output("systemctl show --value --property=ExecMainStartTimestampMonotonic samba-ad-dc")
    host.run_expect([0], "touch /etc/samba/smb.conf")
    status, output = converge("--limit", "dc1.directory.test")
    assert (status, "changed=0" in output) == (0, False), output
    assert host.check_output("systemctl show --value --property=ExecMainStartTimestampMonotonic samba-ad-dc") != began
    status, output = converge("--limit", "dc1.directory.test")
    assert (status, "changed=0" in output) == (0, True), output


def test_what_samba_had_before_is_kept_for_root_alone(host):
    archive = host.file("/var/backups/samba-before-facility.tar.gz")
    assert (archive.user, archive.mode) == ("root", 0o600)
    assert "etc/samba/smb.conf" in host.check_output(f"tar --list --file {archive.path}").splitlines()


def test_a_join_that_was_cut_off_is_begun_again(second, converge, eventually):
    """As the role finds it after a power cut: the mark is there and the database is half of one."""
    second.run_expect([0], "systemctl stop samba-ad-dc")
    second.run_expect(
        [0], "touch /var/lib/samba/private/.provisioning; truncate -s 100k /var/lib/samba/private/sam.ldb"
    )
    status, output = converge("--limit", "dc2.directory.test")
    assert status == 0, output
    assert second.service("samba-ad-dc").is_running
    assert not second.file("/var/lib/samba/private/.provisioning").exists
    assert eventually(lambda: "ALL GOOD" in second.run("samba-tool drs showrepl --summary").stdout)


REFUSED = [
    ({"ldap_directory_domain": "imaging"}, "DNS domain of at least two parts"),
    ({"ldap_directory_netbios_name": "far-too-long-a-name"}, "1 to 15 capitals"),
    ({"ldap_directory_administrator_password": "short"}, "set it in a vault.yml"),
    ({"ldap_directory_uri": "ldap://dc1.directory.test"}, "must start with ldaps://"),
    ({"ldap_directory_domain": "other.test"}, "rename the host in the inventory"),
    ({"ldap_directory_mode": "openldap"}, "value of ldap_directory_mode must be one of"),
]


refused = refused_by("ldap_directory", "dc1.directory.test", REFUSED)


@pytest.mark.parametrize(("settings", "cure"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, cure):
    assert cure in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout


@pytest.fixture
def external(converge, secret):
    """Return a function that runs the role against dc1 as if the university had given it."""

    def run(**variables):
        given = {
            "ldap_directory_mode": "external_ad",
            "ldap_directory_uri": "ldaps://dc1.directory.test",
            "ldap_directory_bind_dn": "CN=svc-controller,OU=Service Accounts,DC=directory,DC=test",
            "ldap_directory_bind_password": secret("svc-controller"),
            **variables,
        }
        return converge("--limit", "dc1.directory.test", "-e", json.dumps(given))

    return run


@pytest.mark.parametrize("mode", ["external_ad", "external_ldap"])
def test_a_given_directory_is_checked_and_left_alone(external, mode):
    status, output = external(ldap_directory_mode=mode)
    assert status == 0, output
    assert "changed=0" in output


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ldap_directory_bind_password": "wrong"}, "password"),
        ({"ldap_directory_uri": "ldaps://dc1.directory.test:6360"}, "6360"),
        ({"ldap_directory_ca_file": "/etc/ssl/certs/ca-certificates.crt"}, "certificate"),
    ],
)
def test_a_given_directory_that_does_not_answer_is_one_clear_line(external, variables, words):
    status, output = external(**variables)
    assert status != 0
    assert words in output
    assert "Traceback" not in output
    assert "changed=0" in output


def test_a_given_directory_without_the_needed_group_is_refused(external):
    status, output = external(ldap_directory_required_groups=["facility-users"])
    assert status != 0
    assert "facility-users" in output

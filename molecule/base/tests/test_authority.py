# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens with the authority and its certificates over the years, and to those who try to misuse it."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import testinfra

from tests.refusals import refused_by
from tests.scenario import played, wait_until

testinfra_hosts = ["podman://debian13.base.test"]
SCENARIO = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
AUTHORITY = SCENARIO / "authority"
RENEW = "- {name: Renew, hosts: debian13.base.test, gather_facts: false, roles: [certificates]}"


@pytest.fixture
def renew(tmp_path):
    """Run the role on one host again, with other variables; return what came of it."""
    (book := tmp_path / "renew.yml").write_text(RENEW)
    return lambda **variables: played(book, **variables)


def serial(host):
    return host.check_output("openssl x509 -noout -serial -in /etc/facility/tls/host.crt")


def test_the_authority_vouches_for_nobody_outside_its_domain():
    """A thief of the authority's key issues a certificate for another domain; a client must refuse it."""
    passphrase = (AUTHORITY.parent / "passphrase").read_text().strip()
    forged = AUTHORITY.parent / "forged.crt"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        "/dev/null", "-subj", "/CN=bank.example.com", "-addext", "subjectAltName=DNS:bank.example.com",
        "-CA", str(AUTHORITY / "ca.crt"), "-CAkey", str(AUTHORITY / "ca.key"), "-passin", "env:PASSPHRASE",
        "-out", str(forged),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PASSPHRASE": passphrase})
    verify = ["openssl", "verify", "-CAfile", str(AUTHORITY / "ca.crt"), str(forged)]
    assert "permitted subtree violation" in subprocess.run(verify, capture_output=True, text=True, check=False).stderr


def test_the_authoritys_key_is_encrypted_and_stays_on_the_controller(host):
    assert "ENCRYPTED" in (AUTHORITY / "ca.key").read_text()
    assert (AUTHORITY / "ca.key").stat().st_mode & 0o077 == 0
    assert host.run("find / -xdev -name ca.key").stdout == ""


def test_a_certificate_near_its_end_is_replaced_and_the_key_kept(host, renew):
    # Each host's own lives for a time of its own.
    assert renew(certificates_renew_days=396, certificates_valid_days=397).returncode == 0
    before, key = serial(host), host.file("/etc/facility/tls/host.key").sha256sum
    run = renew(certificates_renew_days=396, certificates_valid_days=398)
    assert run.returncode == 0, run.said
    assert serial(host) == before, "it had 397 days left, more than asked for"
    run = renew(certificates_renew_days=397, certificates_valid_days=398)
    assert run.returncode == 0, run.said
    assert serial(host) != before
    assert host.file("/etc/facility/tls/host.key").sha256sum == key


REFUSED = [
    ({"certificates_authority_passphrase": "short"}, "shorter than 12 characters"),
    ({"certificates_renew_days": 500}, "must be fewer than certificates_valid_days"),
    ({"certificates_source": "site"}, "names no file on the controller"),
]


refused = refused_by("certificates", "debian13.base.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout


@pytest.fixture
def tls_server(host):
    """A service that reads the certificate when it starts, as most do."""
    serve = "openssl s_server -accept 4433 -www -cert /etc/facility/tls/host.crt -key /etc/facility/tls/host.key"
    unit = f"[Service]\nExecStart={serve}\n"
    host.run_expect([0], f"printf '{unit}' > /etc/systemd/system/tls-server.service && systemctl daemon-reload")
    host.run_expect([0], "systemctl start tls-server")
    wait_until(lambda: "4433" in host.run("ss -ltn").stdout, "it listens")
    yield {"certificates_ports": [{"port": 4433}], "certificates_reload_units": ["tls-server.service"]}
    host.run("systemctl stop tls-server; rm /etc/systemd/system/tls-server.service; systemctl daemon-reload")


def served(host):
    shown = "echo | openssl s_client -connect 127.0.0.1:4433 2>/dev/null | openssl x509 -noout -serial"
    return host.run(shown).stdout.strip()


def test_a_renewal_that_was_cut_off_is_told_by_verify_and_mended_by_the_next_run(host, renew, tls_server, tmp_path):
    (book := tmp_path / "verify.yml").write_text(
        "- hosts: debian13.base.test\n  gather_facts: false\n  tasks:\n"
        "    - {include_role: {name: certificates, tasks_from: verify}}\n"
    )
    good = played(book, **tls_server)
    assert good.returncode == 0, good.said
    # The new file is there, and nobody was told of it: the run was killed.
    assert renew(certificates_renew_days=400, certificates_valid_days=401).returncode == 0
    assert served(host) != serial(host)
    told = played(book, **tls_server)
    assert told.returncode != 0
    assert "Port 4433 of debian13.base.test serves another certificate" in told.said
    assert re.search(r"which ends on 20\d\d-", told.said)
    assert "changed=0" not in renew(**tls_server).stdout
    wait_until(lambda: served(host) == serial(host), "the new one is served")
    assert "changed=0" in renew(**tls_server).stdout
    host.run_expect([0], "systemctl stop tls-server")
    assert "shows no certificate" in played(book, **tls_server).said


def test_the_certificates_of_several_hosts_do_not_end_on_one_day():
    ends = {
        testinfra.get_host(f"podman://{name}.base.test").check_output(
            "openssl x509 -noout -enddate -in /etc/facility/tls/host.crt | cut -d' ' -f1-2"
        )
        for name in ("debian12", "debian13")
    }
    assert len(ends) == 2


def key_of(certificate):
    command = ["openssl", "x509", "-noout", "-pubkey", "-in", str(certificate)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def holds(authority, *certificates):
    command = ["openssl", "verify", "-CAfile", str(authority), *map(str, certificates)]
    return subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


def test_the_authority_is_issued_anew_with_its_key_so_that_nobody_has_to_hurry(host, renew, tmp_path):
    issued = AUTHORITY / "issued" / "debian13.base.test.crt"
    (old := tmp_path / "old.crt").write_bytes((AUTHORITY / "ca.crt").read_bytes())
    (before := tmp_path / "before.crt").write_bytes(issued.read_bytes())
    years = {"certificates_authority_days": 3700, "certificates_authority_renew_days": 3660}
    assert renew(**years).returncode == 0
    new = AUTHORITY / "ca.crt"
    assert new.read_bytes() != old.read_bytes()
    assert key_of(new) == key_of(old)
    assert host.file("/etc/facility/tls/ca.crt").content_string == new.read_text()
    issued.unlink()
    assert renew(**years).returncode == 0
    assert issued.read_bytes() != before.read_bytes()
    # Who has only one of the two goes on with either host's certificate.
    assert holds(new, before, issued)
    assert holds(old, before, issued)
    host.run_expect([0], "openssl verify /etc/facility/tls/host.crt")
    assert "changed=0" in renew(**years).stdout
    # The other host trusts it from the next run on.
    (book := tmp_path / "all.yml").write_text("- {hosts: base, gather_facts: false, roles: [certificates]}")
    assert played(book).returncode == 0

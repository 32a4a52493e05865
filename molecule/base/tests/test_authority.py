# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens with the authority and its certificates over the years, and to those who try to misuse it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.refusals import refused_by
from tests.scenario import played

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

# SPDX-License-Identifier: GPL-3.0-or-later
"""What is encrypted is encrypted well, on each port that is open to the network."""

from __future__ import annotations

import socket
import ssl
import subprocess
from xml.etree import ElementTree

import pytest

from tests.attacks.facility import DOMAIN

# The stand-ins' ports are not looked at: a site's PPMS and PCs bring their own.
PORTS = [
    ("dc1", 636),
    ("dc1", 3269),
    ("wiki1", 443),
    ("register1", 443),
    ("omero1", 443),
    ("omero1", 4064),
]
OLD = ["-tls1", "-tls1_1"]
AUTHENTICATED = ("GCM", "CCM", "POLY1305")
# Everything that encrypts first and authenticates apart, CBC and RC4.
WEAK = "ALL:COMPLEMENTOFALL:!AESGCM:!AESCCM:!ARIAGCM:!CHACHA20@SECLEVEL=0"
# Where no key is sent encrypted with the certificate's, ROBOT has nothing to work on.
NO_FORWARD_SECRECY = "kRSA:aNULL:kPSK@SECLEVEL=0"


def client(where, *options):
    """Shake hands with OpenSSL's client; return what it said, and whether that came to an end."""
    command = ["openssl", "s_client", "-connect", where, "-servername", where.partition(":")[0], *options]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
    said = done.stdout + done.stderr
    return said, "Cipher is (NONE)" not in said and "Cipher is" in said


@pytest.fixture(scope="module", params=PORTS, ids=lambda port: f"{port[0]}:{port[1]}")
def port(request):
    host, number = request.param
    return f"{host}.{DOMAIN}:{number}"


@pytest.fixture(scope="module")
def scanned(port):
    done = subprocess.run(["sslscan", "--xml=-", port], capture_output=True, text=True, timeout=120, check=True)
    found = ElementTree.fromstring(done.stdout[done.stdout.index("<?xml") :]).find("ssltest")
    assert found is not None, done.stdout
    return found


def test_only_tls_1_2_and_1_3_are_spoken(scanned):
    spoken = {
        f"{one.get('type')} {one.get('version')}" for one in scanned.iter("protocol") if one.get("enabled") == "1"
    }
    assert spoken == {"tls 1.2", "tls 1.3"}


def test_only_authenticated_encryption_with_forward_secrecy_is_offered(scanned):
    ciphers = {one.get("cipher") for one in scanned.iter("cipher")}
    assert ciphers
    assert {one for one in ciphers if not any(kind in one for kind in AUTHENTICATED)} == set()
    assert {one for one in ciphers if not one.startswith(("ECDHE-", "TLS_"))} == set()


def test_nothing_is_compressed_or_bleeds_and_no_client_renegotiates(scanned):
    assert [one.get("sslversion") for one in scanned.iter("heartbleed") if one.get("vulnerable") != "0"] == []
    assert [one for one in scanned.iter("compression") if one.get("supported") != "0"] == []
    assert [one.get("supported") for one in scanned.iter("renegotiation")] == ["0"]


@pytest.mark.parametrize("cipher", [WEAK, NO_FORWARD_SECRECY])
def test_a_client_that_knows_weak_ciphers_only_is_refused(port, cipher):
    assert client(port, "-tls1_2", "-cipher", "ALL")[1]
    said, done = client(port, "-tls1_2", "-cipher", cipher)
    assert not done, said


def test_the_certificate_is_the_authority_s_and_bears_the_host_s_name(port, facility):
    host, _, number = port.partition(":")
    trusting = ssl.create_default_context(cafile=facility.authority)
    plain = socket.create_connection((host, int(number)), timeout=20)
    with plain, trusting.wrap_socket(plain, server_hostname=host) as wrapped:
        names = wrapped.getpeercert()["subjectAltName"]
    assert ("DNS", host) in names
    with socket.create_connection((host, int(number)), timeout=20) as plain, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(plain, server_hostname=host)


STARTED = f"dc1.{DOMAIN}:389"


def test_ldap_that_begins_in_clear_ends_as_well_encrypted():
    assert client(STARTED, "-starttls", "ldap", "-tls1_2")[1]
    assert client(STARTED, "-starttls", "ldap", "-tls1_3")[1]
    for old in OLD:
        assert not client(STARTED, "-starttls", "ldap", old, "-cipher", "ALL@SECLEVEL=0")[1], old
    for cipher in (WEAK, NO_FORWARD_SECRECY):
        assert not client(STARTED, "-starttls", "ldap", "-tls1_2", "-cipher", cipher)[1], cipher

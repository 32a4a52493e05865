# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificate a port serves: what people meet, whatever lies on the disk.

A service goes on with the certificate that it has read, also when a renewal was cut off before it was told to read the
new one. So each port is asked, and what it shows is compared with the file, byte by byte.
"""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 10
# ExtendedRequest with the OID of StartTLS [RFC 4511, 4.14], message 1; and SSLRequest of PostgreSQL's protocol.
_LDAP = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
_POSTGRESQL = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_LDAP_SUCCESS = b"\x0a\x01\x00"
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
STARTS = ("tls", "ldap", "postgresql")


class CertificateError(Exception):
    """A file holds no certificate, or none that can be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a port serves.

    Attributes:
        port: the port.
        same: whether it is the file's certificate; None if the port shows none.
        fault: why it shows none; "" if it does.
        begins: when what it serves begins, in seconds since 1970; None if it shows none.
        ends: when it ends.
    """

    port: int
    same: bool | None
    fault: str = ""
    begins: float | None = None
    ends: float | None = None


def on_disk(file: Path) -> bytes:
    """The first certificate of a PEM file, as DER.

    Raises:
        CertificateError: There is none.
    """
    return all_on_disk(file)[0]


def all_on_disk(file: Path) -> list[bytes]:
    """The certificates of a PEM file, as DER; one at least.

    Raises:
        CertificateError: There is none.
    """
    try:
        found = [ssl.PEM_cert_to_DER_cert(one) for one in _CERTIFICATE.findall(file.read_text(encoding="ascii"))]
    except (OSError, ValueError) as error:
        raise CertificateError(f"{file}: holds no certificate ({error}): run playbooks/base.yml") from None
    if not found:
        raise CertificateError(f"{file}: holds no certificate: run playbooks/base.yml")
    return found


def served(address: str, name: str, port: int, start: str, expected: bytes) -> Served:
    """Ask one port.

    Args:
        address: Where it listens.
        name: The name that a client would ask for.
        port: The port.
        start: How TLS begins there, one of STARTS.
        expected: The certificate that it should serve, as DER.
    """
    try:
        shown = _shown(address, name, port, start)
    except OSError as error:
        return Served(port, None, f"shows no certificate ({error})")
    begins, ends = validity(shown)
    return Served(port, shown == expected, "", begins, ends)


def stale(found: Sequence[Served]) -> list[int]:
    """The ports that serve another certificate than the file's."""
    return [one.port for one in found if one.same is False]


def _shown(address: str, name: str, port: int, start: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Not to be trusted, but to be compared.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((address, port), timeout=SECONDS) as connection:
        if start == "ldap":
            connection.sendall(_LDAP)
            if _LDAP_SUCCESS not in connection.recv(1024):
                raise OSError("refuses StartTLS")
        elif start == "postgresql":
            connection.sendall(_POSTGRESQL)
            if connection.recv(1) != b"S":
                raise OSError("offers no TLS")
        with context.wrap_socket(connection, server_hostname=name) as secured:
            return secured.getpeercert(binary_form=True) or b""


def validity(certificate: bytes) -> tuple[float, float]:
    """When a certificate begins and ends, in seconds since 1970.

    Args:
        certificate: It, as DER.

    Raises:
        CertificateError: openssl can't read it.
    """
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-startdate", "-enddate"]
    done = subprocess.run(command, input=certificate, capture_output=True, check=False)
    said = dict(line.split("=", 1) for line in done.stdout.decode(errors="replace").splitlines() if "=" in line)
    try:
        return ssl.cert_time_to_seconds(said["notBefore"]), ssl.cert_time_to_seconds(said["notAfter"])
    except (KeyError, ValueError):
        raise CertificateError(f"openssl can't read a certificate: {done.stderr.decode(errors='replace')}") from None

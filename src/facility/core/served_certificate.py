# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificate a port serves: what people meet, whatever lies on the disk.

A service goes on with the certificate that it has read, also when a renewal was cut off before it was told to read the
new one. So each port is asked, and what it shows is compared with the file, byte by byte.
"""

from __future__ import annotations

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
STARTS = ("tls", "ldap", "postgresql")


class CertificateError(Exception):
    """The file holds no certificate; the message names it."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a port serves.

    Attributes:
        port: the port.
        same: whether it is the file's certificate; None if the port shows none.
        ends: when what it serves ends, as openssl writes it; "" if it shows none.
        fault: why it shows none; "" if it does.
    """

    port: int
    same: bool | None
    ends: str
    fault: str


def on_disk(file: Path) -> bytes:
    """The first certificate of a PEM file, as DER.

    Raises:
        CertificateError: There is none.
    """
    try:
        text = file.read_text(encoding="ascii")
        first = text[: text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")]
        return ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :])
    except (OSError, ValueError) as error:
        raise CertificateError(f"{file}: holds no certificate ({error}): run playbooks/base.yml") from None


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
        return Served(port, None, "", f"shows no certificate ({error})")
    return Served(port, shown == expected, _end(shown), "")


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


def _end(certificate: bytes) -> str:
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-enddate"]
    done = subprocess.run(command, input=certificate, capture_output=True, check=False)
    return done.stdout.decode(errors="replace").strip().removeprefix("notAfter=")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which directory server to talk to, and why it can't be reached.

libldap says "Can't contact LDAP server" for a dead port, an unknown name and a wrong certificate alike. Only after it
has failed, the same connection is tried with Python's own TLS, which names the reason.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["unreachable", "certificate", "refused", "not_found", "rejected", "too_many"]

# ExtendedRequest with the OID of StartTLS [RFC 4511, 4.14], message 1.
_START_TLS_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
# libldap has waited for the whole time-out already; who doesn't answer now is not waited for that long once more.
_DIAGNOSIS_SECONDS = 5


class DirectoryError(Exception):
    """What went wrong with the directory, in one line that names the server and the cure.

    kind is unreachable (no answer), certificate (not to be trusted), refused (the bind), not_found (an object that
    is needed), rejected (a request that isn't possible as it is) or too_many (it would take from too many people).
    """

    def __init__(self, kind: Kind, message: str) -> None:
        self.kind: Kind = kind
        super().__init__(" ".join(message.split()))


@dataclass(frozen=True, slots=True)
class Server:
    """Where and as whom to connect; timeout in seconds, for connecting and for each request."""

    uri: str
    bind_dn: str
    bind_password: str = field(repr=False)
    ca_file: str | None = None
    start_tls: bool = False
    timeout: int = 30

    @property
    def host(self) -> str:
        """The name that the server's certificate must carry."""
        return urlsplit(self.uri).hostname or ""

    @property
    def port(self) -> int:
        """The port, by default that of the scheme."""
        return urlsplit(self.uri).port or (636 if self.uri.startswith("ldaps:") else 389)

    def refuse_unsafe(self) -> None:
        """Refuse what would send the password in clear text, to nobody in particular, or not at all.

        Raises:
            DirectoryError: refused, certificate.
        """
        scheme = urlsplit(self.uri).scheme
        if scheme not in {"ldap", "ldaps"} or not self.host:
            cure = "write server_uri like ldaps://dc1.example.org"
            raise DirectoryError("refused", f'"{self.uri}" names no directory server: {cure}')
        if scheme == "ldap" and not self.start_tls:
            cure = "use ldaps://, or set start_tls: true"
            raise DirectoryError("refused", f"{self.uri} would send the password in clear text: {cure}")
        if scheme == "ldaps" and self.start_tls:
            cure = "leave out start_tls, or use ldap://"
            raise DirectoryError("refused", f"{self.uri} is encrypted from the start: {cure}")
        if not self.bind_password:
            # A bind without a password succeeds on many servers, as nobody [RFC 4513, 5.1.2].
            raise DirectoryError("refused", f"{self.uri}: the password of {self.bind_dn} is empty: set bind_password")
        if self.ca_file and not Path(self.ca_file).is_file():
            cure = "set ca_file to the certificate of the CA that signed the server's certificate"
            raise DirectoryError("certificate", f"{self.uri}: there is no CA file {self.ca_file}: {cure}")


def connection_problem(server: Server) -> DirectoryError | None:
    """Why no verified connection is possible; None if one is."""
    where = f"{server.host} port {server.port}"
    try:
        seconds = min(_DIAGNOSIS_SECONDS, server.timeout)
        with socket.create_connection((server.host, server.port), timeout=seconds) as plain:
            if server.start_tls:
                plain.sendall(_START_TLS_REQUEST)
                plain.recv(4096)
            with ssl.create_default_context(cafile=server.ca_file).wrap_socket(plain, server_hostname=server.host):
                return None
    except ssl.SSLCertVerificationError as error:
        ca = f"CA file {server.ca_file}" if server.ca_file else "the system's CAs"
        cure = "check the name in server_uri, the server's certificate, and ca_file"
        return DirectoryError(
            "certificate", f"{where} shows a certificate that {ca} doesn't vouch for ({error.verify_message}): {cure}"
        )
    except ssl.SSLError as error:
        cure = "check that this port speaks TLS, and that ca_file is a PEM certificate"
        return DirectoryError("certificate", f"{where} can't agree on TLS ({error.reason or error}): {cure}")
    except TimeoutError:
        cure = "check that the server runs and that no firewall is in between"
        return DirectoryError("unreachable", f"{where} doesn't answer within {server.timeout} s: {cure}")
    except OSError as error:
        cure = "check server_uri, that the server runs, and the resolver"
        return DirectoryError("unreachable", f"{where} can't be reached ({error.strerror or error}): {cure}")

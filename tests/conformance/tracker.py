# SPDX-License-Identifier: GPL-3.0-or-later
"""A PPMS tracker that answers what a test tells it to, over HTTPS, and remembers every request; and a proxy to it."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "tracker.conformance.example.org"
# The PC's clock is anywhere in a test.
VALID = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Answer:
    """What the tracker says: a status and a body, ``delay`` seconds late, the body's end ``trickle`` seconds later.

    A status of 0 says nothing: it hangs up.
    """

    status: int = 200
    body: str = "OK"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    trickle: float = 0


OK = Answer()


@dataclass(frozen=True)
class Request:
    """One request as it came; ``raw_query`` is still encoded."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: str

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True, strict_parsing=bool(self.raw_query)))


class Tracker:
    """One tracker on one port; ``answers`` are given in turn, then ``OK`` for ever."""

    def __init__(self, address: str, certificate: Path) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self._closing = threading.Event()
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode()
                parts = urlsplit(self.path)
                tracker.requests.append(
                    Request(self.command, parts.path, parts.query, dict(self.headers.items()), body)
                )
                tracker.give(self, tracker.answers.pop(0) if tracker.answers else OK)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A PC that hangs up, or refuses the certificate, is part of the play."""

            def finish_request(self, request: socket.socket, client: object) -> None:
                # Here, not in the accepting thread: a PC that breaks off must not stop the others.
                request.settimeout(20)
                with context.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, client)  # type: ignore[arg-type]

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = Server((address, 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def give(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        """Send the answer as slowly as it wants."""
        self._closing.wait(answer.delay)
        if not answer.status:
            handler.close_connection = True
            return
        body = answer.body.encode()
        handler.log_request = lambda *_: None  # type: ignore[method-assign]
        handler.send_response_only(answer.status)
        headers = {"Date": format_datetime(dt.datetime.now(dt.UTC), usegmt=True), **answer.headers}
        for name, value in {"Content-Type": "text/plain; charset=utf-8", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) + bool(answer.trickle)))
        handler.end_headers()
        handler.wfile.write(body)
        if answer.trickle:
            handler.wfile.flush()
            self._closing.wait(answer.trickle)
            handler.wfile.write(b".")

    def forget(self) -> None:
        """Begin the next test."""
        self.requests.clear()
        self.answers.clear()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


class Proxy:
    """An HTTP proxy that joins whoever asks with whom they want, and remembers with whom."""

    def __init__(self, address: str) -> None:
        self.wanted: list[str] = []
        self._listener = socket.create_server((address, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            method, target = head.decode().split()[:2]
            self.wanted.append(f"{method} {target}")
            host, port = target.split(":")
            # The proxy's own resolver would not know the test's name.
            address = self._listener.getsockname()[0] if host == NAME else host
            with socket.create_connection((address, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._pump(client, server)

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            for source in select.select([one, other], [], [], 1)[0]:
                data = source.recv(65536)
                if not data:
                    return
                (other if source is one else one).sendall(data)


@dataclass(frozen=True)
class Network:
    """What the PC can reach, all at the machine's ``address`` on its network."""

    address: str
    tracker: Tracker
    stranger: Tracker
    proxy: Proxy


def authority(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the file of a new authority's certificate, and of a tracker's with its key; valid at any time."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _name(f"Conformance {name}")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _builder(own, own, key).add_extension(constraints, critical=True).sign(key, hashes.SHA256())

    leaf_key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = _builder(_name(NAME), own, leaf_key).add_extension(names, critical=False).sign(key, hashes.SHA256())
    return _store(folder / f"{name}.crt", certificate), _store(folder / f"{name}-tracker.pem", leaf, leaf_key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID[0])
        .not_valid_after(VALID[1])
    )


def _store(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None = None) -> Path:
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        text += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    path.write_bytes(text)
    return path

# SPDX-License-Identifier: GPL-3.0-or-later
"""A port is known by the certificate it shows, whatever lies on the disk."""

import socket
import ssl
import threading
import time

import pytest

from facility.core.served_certificate import CertificateError, on_disk, served, stale
from tests.certificates import certificate


class Server:
    """One connection after the other: an answer to what comes first, if any, then TLS."""

    def __init__(self, pem, question=0, answer=b""):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._question, self._answer = question, answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                if self._question:
                    connection.recv(self._question)
                    connection.sendall(self._answer)
                try:
                    self._context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    def stop(self):
        self._socket.close()


@pytest.fixture
def serving():
    servers = []

    def serving(*arguments):
        servers.append(Server(*arguments))
        return servers[-1].port

    yield serving
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("start", "question", "answer"),
    [
        ("tls", 0, b""),
        ("ldap", 31, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
        ("postgresql", 8, b"S"),
    ],
)
def test_the_file_s_certificate_is_told_from_another(tmp_path, serving, start, question, answer):
    new, old = certificate(tmp_path, "new", "localhost"), certificate(tmp_path, "old", "localhost")
    same = served("127.0.0.1", "localhost", serving(new, question, answer), start, on_disk(new))
    other = served("127.0.0.1", "localhost", serving(old, question, answer), start, on_disk(new))
    assert (same.same, other.same) == (True, False)
    assert other.begins < time.time() < other.ends
    assert stale([same, other]) == [other.port]


@pytest.mark.parametrize(("start", "question", "answer"), [("ldap", 31, b"no"), ("postgresql", 8, b"N")])
def test_a_port_without_tls_shows_none_and_is_not_stale(tmp_path, serving, start, question, answer):
    pem = certificate(tmp_path, "new", "localhost")
    found = served("127.0.0.1", "localhost", serving(pem, question, answer), start, on_disk(pem))
    assert found.same is None
    assert "shows no certificate" in found.fault
    assert stale([found]) == []


def test_a_port_where_nobody_listens_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = served("127.0.0.1", "localhost", port, "tls", on_disk(certificate(tmp_path, "new", "localhost")))
    assert "refused" in found.fault


@pytest.mark.parametrize("text", [None, "", "-----BEGIN CERTIFICATE-----\nno"])
def test_a_file_without_a_certificate_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "host.crt").write_text(text)
    with pytest.raises(CertificateError, match=r"host\.crt: holds no certificate"):
        on_disk(tmp_path / "host.crt")

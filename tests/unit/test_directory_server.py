# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that isn't there, or isn't to be trusted, is told in one line. The servers here are sockets of the test."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

import pytest

from facility.directory.port import open_directory
from facility.directory.server import DirectoryError, Server, connection_problem
from tests.certificates import certificate


@pytest.fixture
def tls_port(tmp_path):
    """A port that shakes hands with a certificate for "localhost" and says nothing more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, "server", "localhost"))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def failure(uri, **more):
    with pytest.raises(DirectoryError) as raised, open_directory(Server(uri, "CN=a,DC=b", "secret", timeout=3, **more)):
        pytest.fail("the connection should have been refused")
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)
    return raised.value


def test_a_dead_port_is_unreachable_and_named():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"ldaps://localhost:{port}")
    assert error.kind == "unreachable"
    assert str(error).startswith(f"localhost port {port} can't be reached (Connection refused): check server_uri")


def test_who_does_not_answer_is_not_waited_for_as_long_once_more(monkeypatch):
    """The whole time-out went by in libldap already."""
    waited = []

    def silent(_, timeout):
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    problem = connection_problem(Server("ldaps://dc1.example.org", "CN=a,DC=b", "secret", timeout=30))
    assert waited == [5]
    assert "dc1.example.org port 636 doesn't answer within 30 s" in str(problem)


def test_a_certificate_of_another_ca_is_refused(tls_port, tmp_path):
    error = failure(f"ldaps://localhost:{tls_port}", ca_file=str(certificate(tmp_path, "other", "other")))
    assert error.kind == "certificate"
    assert f"localhost port {tls_port} shows a certificate that CA file" in str(error)
    assert "check the name in server_uri, the server's certificate, and ca_file" in str(error)


def test_a_certificate_for_another_name_is_refused(tls_port, tmp_path):
    error = failure(f"ldaps://127.0.0.1:{tls_port}", ca_file=str(tmp_path / "server.pem"))
    assert error.kind == "certificate"
    assert "127.0.0.1" in str(error)


@pytest.mark.parametrize(
    ("uri", "more", "cure"),
    [
        ("ldap://dc1.example.org", {}, "use ldaps://, or set start_tls: true"),
        ("ldaps://dc1.example.org", {"start_tls": True}, "leave out start_tls, or use ldap://"),
        ("dc1.example.org", {}, "write server_uri like ldaps://dc1.example.org"),
        ("ldapi:///", {}, "write server_uri like ldaps://dc1.example.org"),
        ("ldaps://dc1.example.org", {"ca_file": "/no/such.pem"}, "there is no CA file /no/such.pem"),
    ],
)
def test_what_is_unsafe_is_refused_before_anything_is_sent(uri, more, cure):
    assert cure in str(failure(uri, **more))


def test_an_empty_password_is_refused_because_servers_take_it_for_nobody():
    with pytest.raises(DirectoryError, match="is empty: set bind_password"):
        Server("ldaps://dc1.example.org", "CN=a,DC=b", "").refuse_unsafe()
    assert "hidden" not in repr(Server("ldaps://dc1.example.org", "CN=a,DC=b", "hidden"))

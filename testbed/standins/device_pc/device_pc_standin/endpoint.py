# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management endpoint: HTTPS on 5986; HTTP on 5985, which takes encrypted messages only, as Windows does."""

import base64
import os
import socket
import ssl
import threading
import time
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import spnego
from spnego.exceptions import SpnegoError

from . import accounts, clock, commands, messages, soap, wine
from .drive import STATE
from .faults import WSManFaultError
from .shells import Shells

CERTIFICATE = STATE / "winrm.crt"
KEY = STATE / "winrm.key"
# Whose client certificates count; a PC without it asks for none.
CLIENTS = STATE / "clients.crt"
BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
LARGEST_BODY = 1_000_000


class Handler(BaseHTTPRequestHandler):
    """One connection. NTLM logs a connection on, not a request, so what it knows lives as long as that."""

    protocol_version = "HTTP/1.1"
    server: "Endpoint"
    timeout = 300

    def setup(self) -> None:
        """Begin TLS here, in the connection's own thread."""
        if self.server.tls:
            self.request = self.server.tls_context().wrap_socket(self.request, server_side=True)
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._user: str | None = None
        self._context: spnego.ContextProxy | None = None

    def do_POST(self) -> None:
        """Answer one request."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._answer(413, b"")
            return
        body = self.rfile.read(length)
        if self.path.split("?", 1)[0].rstrip("/") != "/wsman":
            self._answer(404, b"")
        elif not self._logged_on():
            return
        elif not body:
            self._answer(200, b"")
        else:
            self._message(body)

    def _message(self, body: bytes) -> None:
        sealed = messages.is_encrypted(self.headers.get("Content-Type", ""))
        if not sealed and not self.server.tls:
            # AllowUnencrypted is false on a Windows PC.
            self._refuse()
            return
        if sealed:
            if self._context is None:
                self._refuse()
                return
            try:
                body = messages.decrypted(body, self._context)
            except (messages.BadMessageError, SpnegoError):
                self._answer(400, b"")
                return
        status, answer = self._dispatch(body)
        if sealed and self._context is not None:
            self._answer(status, messages.encrypted(answer, self._context), messages.CONTENT_TYPE)
        else:
            self._answer(status, answer, SOAP_TYPE)

    def _dispatch(self, body: bytes) -> tuple[int, bytes]:
        message_id = ""
        try:
            request = soap.read(body)
            message_id = request.message_id
            return 200, messages.handle(request, self._user or "", self.server.shells)
        except WSManFaultError as error:
            return 500, soap.refused(error.fault, message_id, self.server.machine)

    def _logged_on(self) -> bool:
        """Return whether the connection's user is known; else the answer was sent."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme == BY_CERTIFICATE and self.server.tls:
            self._user = accounts.of_certificate(self.request.getpeercert())
        elif scheme == "Basic" and self.server.tls:
            self._user = accounts.basic(value)
        elif scheme in {"Negotiate", "NTLM"}:
            return self._negotiate(scheme, value)
        elif scheme:
            self._user = None
        if self._user is None:
            self._refuse()
            return False
        return True

    def _negotiate(self, scheme: str, value: str) -> bool:
        token = base64.b64decode(value)
        if self._context is None or self._context.complete:
            bare = token.startswith(b"NTLMSSP\0")
            self._context = (
                spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
                if bare
                else spnego.server(protocol="negotiate")
            )
        try:
            answer = self._context.step(token)
        except Exception:  # whatever a token does to the library, Windows refuses it
            self._context = None
            self._user = None
            self._refuse()
            return False
        if not self._context.complete:
            challenge = base64.b64encode(answer or b"").decode()
            self._answer(401, b"", headers=[("WWW-Authenticate", f"{scheme} {challenge}")])
            return False
        self._user = str(self._context.client_principal).rpartition("\\")[2].casefold()
        return True

    def _refuse(self) -> None:
        offers = [("WWW-Authenticate", "Negotiate")]
        if self.server.tls:
            offers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        self._answer(401, b"", headers=offers)

    def _answer(
        self, status: int, body: bytes, content_type: str = "", headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Call itself what Windows calls itself."""
        return "Microsoft-HTTPAPI/2.0"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Show the PC's clock, whatever it says."""
        return format_datetime(clock.now(), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - http.server's types
        """Say one line in the journal for each request."""
        print(f"{self.client_address[0]} {self._user or '-'} {format % args}", flush=True)


class Endpoint(ThreadingHTTPServer):
    """One port of the endpoint; both serve the same shells."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, shells: Shells, *, tls: bool) -> None:
        self.tls = tls
        self.shells = shells
        self.machine = socket.gethostname()
        self._context: tuple[int, ssl.SSLContext] | None = None
        super().__init__(("", port), Handler)

    def tls_context(self) -> ssl.SSLContext:
        """Return what serves the certificate that is there now; a renewed one needs no restart."""
        stamp = max(path.stat().st_mtime_ns for path in (CERTIFICATE, KEY, CLIENTS) if path.exists())
        if self._context is None or self._context[0] != stamp:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, KEY)
            if CLIENTS.exists():
                context.load_verify_locations(CLIENTS)
                context.verify_mode = ssl.CERT_OPTIONAL
            self._context = (stamp, context)
        return self._context[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's types
        """Say in a line who went away in the middle."""
        print(f"{client_address[0]} went away", flush=True)


def serve() -> None:
    """Serve both ports until the process ends."""
    os.environ["NTLM_USER_FILE"] = str(accounts.FILE)
    os.environ["NETBIOS_COMPUTER_NAME"] = wine.computer_name()
    shells = Shells(commands.start, version=wine.version)
    threading.Thread(target=Endpoint(5985, shells, tls=False).serve_forever).start()
    # A PC that has no certificate yet serves HTTP alone.
    while not (CERTIFICATE.exists() and KEY.exists()):
        time.sleep(0.5)
        shells.expire()
    threading.Thread(target=Endpoint(5986, shells, tls=True).serve_forever).start()
    while True:
        time.sleep(5)
        shells.expire()

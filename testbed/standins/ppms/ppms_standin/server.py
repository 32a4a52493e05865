# SPDX-License-Identifier: GPL-3.0-or-later
"""PPMS's two doors over HTTPS, and a switch for what goes wrong in real life."""

from __future__ import annotations

import ssl
import sys
import time
import urllib.parse
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .facility import Facility
from .pumapi import Reply, answer

FAULTS = ("none", "slow", "500", "error", "off")
SLOW_SECONDS = 20
_LONGEST_BODY = 100_000


class Server(ThreadingHTTPServer):
    """Serves one facility.

    Attributes:
        facility: what is known.
        api_key: PUMAPI's key.
        tracker_path: where reports go.
        api_path: where PUMAPI is.
        fault_file: holds one of FAULTS; no file means none. "off" closes connections unanswered.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], facility: Facility, api_key: str, fault_file: Path) -> None:
        super().__init__(address, _Handler)
        self.facility = facility
        self.api_key = api_key
        self.tracker_path = "/rt.asp"
        self.api_path = "/example/pumapi/"
        self.fault_file = fault_file

    def with_tls(self, certificate: Path, key: Path) -> Server:
        """Serve HTTPS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        return self

    @property
    def fault(self) -> str:
        """What goes wrong now."""
        return self.fault_file.read_text().strip() if self.fault_file.exists() else "none"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LONGEST_BODY)
        body = self.rfile.read(length).decode(errors="replace")
        if self.server.fault == "off":
            self.close_connection = True
            return
        self._send(self._troubled() or self._answered(body))

    def do_GET(self) -> None:
        if self.server.fault == "off":
            self.close_connection = True
            return
        known = urllib.parse.urlsplit(self.path).path in {self.server.tracker_path, self.server.api_path, "/"}
        self._send(self._troubled() or (Reply("") if known else Reply("not found", 404)))

    def _troubled(self) -> Reply | None:
        fault = self.server.fault
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        return {"500": Reply("Error 500", 500), "error": Reply("error: database is locked")}.get(fault)

    def _answered(self, body: str) -> Reply:
        address = urllib.parse.urlsplit(self.path)
        now = datetime.now(UTC)
        if address.path == self.server.tracker_path:
            query = dict(urllib.parse.parse_qsl(address.query))
            return self._reported(query, body, now)
        if address.path == self.server.api_path:
            form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
            return answer(self.server.facility, form, self.server.api_key, now)
        return Reply("not found", 404)

    def _reported(self, query: dict[str, str], body: str, now: datetime) -> Reply:
        minutes = query.get("f", "")
        if not minutes.isdigit() or not int(minutes):
            return Reply("error: invalid f")
        # The body is the bare code, without a name.
        if not self.server.facility.report(query.get("i", ""), body.strip(), query.get("u", ""), int(minutes), now):
            return Reply("error: invalid system or user")
        return Reply("OK")

    def _send(self, reply: Reply) -> None:
        content = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if reply.status != 204:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401
        # Query strings hold logins but no secret; bodies are never written.
        print(f"{self.client_address[0]} {format % args}", file=sys.stderr, flush=True)

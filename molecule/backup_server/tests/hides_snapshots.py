# SPDX-License-Identifier: GPL-3.0-or-later
"""A thief's way round restic's care: between restic and the server, it says that there are no snapshots.

So prune finds that nothing is in use, and deletes everything. Arguments: the server's URL, the client's name.
"""

import base64
import ssl
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVER, CLIENT = sys.argv[1:]
TLS = ssl.create_default_context(cafile="/etc/facility/tls/ca.crt")
PASSWORD = Path("/etc/facility-backup/server-password").read_text().strip()
LOGIN = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT}:{PASSWORD}".encode()).decode()}


class Between(BaseHTTPRequestHandler):
    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        headers = LOGIN | {name: self.headers[name] for name in ("Accept", "Range") if name in self.headers}
        request = urllib.request.Request(SERVER + self.path, body, headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, context=TLS)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        if self.command == "GET" and self.path.endswith("/snapshots/"):
            content = b"[]"
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        length = answer.headers["Content-Length"] if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815 - so http.server calls them


ThreadingHTTPServer(("127.0.0.1", 9000), Between).serve_forever()

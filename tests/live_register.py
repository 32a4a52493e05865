# SPDX-License-Identifier: GPL-3.0-or-later
"""The register as a web server on loopback, for a browser that draws its pages; without TLS and directory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SESSION_COOKIE = "__Host-register"


@contextmanager
def served() -> Iterator[str]:
    """Serve the application that tests.register_site has set up; give its address without a slash at the end."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from facility.register.wsgi import application

    class Quiet(WSGIRequestHandler):  # type: ignore[misc]
        """Says nothing of requests."""

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    # The browser's last, idle connections must not keep the test.
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(application))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        # Browsers take cookies that are only for HTTPS from this name as well.
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

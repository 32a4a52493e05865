# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's PostgreSQL: one connection a thread, one transaction a call."""

import ssl
import threading
from contextlib import contextmanager
from typing import Any

import pg8000.native

from omero_standin.configuration import Configuration


class Database:
    """Runs SQL with :name parameters."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.local = threading.local()

    def _connect(self) -> pg8000.native.Connection:
        get = self.configuration.__getitem__
        # As Java's driver by default: encrypted where the server wants it, to the address that was configured.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return pg8000.native.Connection(
            user=get("omero.db.user"),
            password=get("omero.db.pass"),
            host=get("omero.db.host"),
            port=int(get("omero.db.port")),
            database=get("omero.db.name"),
            ssl_context=context,
        )

    def run(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """Return all rows; a connection that was lost is made again, once, outside a transaction."""
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = self._connect()
            return connection.run(sql, **parameters) or []
        try:
            return connection.run(sql, **parameters) or []
        except (pg8000.native.InterfaceError, OSError):
            if getattr(self.local, "inside", False):
                raise
            connection = self.local.connection = self._connect()
            return connection.run(sql, **parameters) or []

    def one(self, sql: str, **parameters: Any) -> Any:
        """Return the first column of the first row, or None."""
        rows = self.run(sql, **parameters)
        return rows[0][0] if rows else None

    @contextmanager
    def transaction(self):
        """Do all or nothing; nested uses belong to the outermost."""
        if getattr(self.local, "inside", False):
            yield
            return
        self.run("BEGIN")
        self.local.inside = True
        try:
            yield
        except BaseException:
            self.local.inside = False
            try:
                self.run("ROLLBACK")
            except (pg8000.native.InterfaceError, OSError):
                self.local.connection = None
            raise
        self.local.inside = False
        self.run("COMMIT")

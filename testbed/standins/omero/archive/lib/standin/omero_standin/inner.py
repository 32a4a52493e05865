# SPDX-License-Identifier: GPL-3.0-or-later
"""A server inside the grid that nobody here asks anything: it starts as the real one does, listens, and waits.

``python -m omero_standin.inner ADAPTER [MODULE]``; of a module only that it is there.
"""

import importlib
import sys

import Ice


class Inner(Ice.Application):
    """Listens on one adapter."""

    def run(self, arguments: list[str]) -> int:
        """Serve until IceGrid says stop."""
        adapter, *modules = arguments[1:]
        for module in modules:
            importlib.import_module(module)
        self.communicator().createObjectAdapter(adapter).activate()
        self.communicator().waitForShutdown()
        return 0


sys.exit(Inner().main(sys.argv))

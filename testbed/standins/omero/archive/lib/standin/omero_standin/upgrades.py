# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO's question for newer releases, which its server asks at each start and its importer at each import."""

import socket
from urllib.parse import urlsplit

DEFAULT = "http://upgrade.openmicroscopy.org.uk"


def complaint(url: str) -> str:
    """Return what OMERO writes into its log when it asks this address in a network without a way out.

    Only this host's own addresses are really asked.
    """
    found = urlsplit(url)
    if found.hostname in {"127.0.0.1", "localhost"}:
        try:
            socket.create_connection((found.hostname, found.port or 80), timeout=5).close()
        except OSError as error:
            return f"ERROR [ome.system.UpgradeCheck] Error reading from url: {url} ({error.strerror})"
        return ""
    return f"ERROR [ome.system.UpgradeCheck] Unknown host:{url}"

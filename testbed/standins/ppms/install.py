# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the stand-in of PPMS onto a host of the test bed and give it what it knows."""

import json
from pathlib import Path
from typing import Any

from testbed.podman import podman

FOLDER = Path(__file__).parent
_UNITS = ("ppms.service", "ppms.path")


def install(host: str, knowledge: dict[str, Any]) -> None:
    """Install, fill and start it; it serves as soon as the host has its certificate.

    Args:
        host: the container's name.
        knowledge: api_key, and users, groups, systems and rights as ppms_standin.facility keeps them.
    """
    podman("exec", host, "mkdir", "-p", "/usr/local/lib/ppms-standin")
    podman("cp", str(FOLDER / "ppms_standin"), f"{host}:/usr/local/lib/ppms-standin/")
    podman("cp", str(FOLDER / "ppms"), f"{host}:/usr/local/bin/ppms")
    for unit in _UNITS:
        podman("cp", str(FOLDER / unit), f"{host}:/etc/systemd/system/{unit}")
    podman("exec", "--interactive", host, "ppms", "fill", stdin=json.dumps(knowledge))
    podman("exec", host, "systemctl", "daemon-reload")
    podman("exec", host, "systemctl", "enable", "--quiet", "--now", "ppms.path")
    podman("exec", host, "systemctl", "try-restart", "ppms.service")


def sessions(host: str) -> list[dict[str, Any]]:
    """Return the sessions that the stand-in counted: system, login, first, last, minutes, open."""
    found: list[dict[str, Any]] = json.loads(podman("exec", host, "ppms", "sessions"))
    return found

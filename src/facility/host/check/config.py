# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...core import settings
from ...core.served_certificate import STARTS
from ...core.settings import ConfigError

__all__ = ["Config", "ConfigError", "Port", "load"]


@dataclass(frozen=True, slots=True)
class Port:
    """A port that serves the host's certificate; "" is the host's own name as the address."""

    port: int
    start: str = "tls"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of host-check.toml."""

    # The host's name, as clients ask for it and as a playbook's --limit takes it.
    name: str
    state: Path
    ports: tuple[Port, ...] = field(default=(), metadata={"key": "port", "table": Port})
    certificate: Path = Path("/etc/facility/tls/host.crt")
    authority: Path = Path("/etc/facility/tls/ca.crt")
    os_release: Path = Path("/etc/os-release")
    releases: Path = Path("/usr/share/distro-info/debian.csv")
    reboot_required: Path = Path("/run/reboot-required")
    # How long before an end somebody is told, and how long security updates may wait.
    certificate_days: int = 21
    authority_days: int = 180
    release_days: int = 180
    updates_days: int = 7
    # Less than both is told: a tenth of a disk for images is much.
    disk_percent: int = 10
    disk_bytes: int = 20_000_000_000
    mounts: Path = Path("/proc/self/mounts")


def load(path: Path) -> Config:
    """The settings in a TOML file.

    Raises:
        ConfigError: One line a problem: file, key, what is wrong, the cure.
    """
    return settings.load(path, Config, _contradictions)


def _contradictions(config: Config) -> list[str]:
    return [
        f"port {one.port}: start is {one.start!r}: write one of {', '.join(STARTS)}"
        for one in config.ports
        if one.start not in STARTS
    ]

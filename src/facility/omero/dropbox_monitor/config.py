# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file: read strictly, every problem at once, each with its cure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core import settings
from ...core.settings import ConfigError

__all__ = ["Config", "ConfigError", "load"]


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of dropbox-monitor.toml.

    Attributes:
        host: OMERO's name, as in its certificate.
        user: the account that asks; its password is systemd's credential "password".
        ca_file: PEM file with the authority that signed the certificate.
        dropbox: the folder that OMERO.dropbox watches.
        canary_folder: where OMERO.dropbox has to prove that it hears; see canary.py.
        asked_file, report_file: see the package's docstring.
        seconds: between two reports.
        omero: OMERO's command line, for switching on what IceGrid has switched off.
    """

    host: str
    user: str
    ca_file: Path
    dropbox: Path
    canary_folder: Path
    asked_file: Path
    report_file: Path
    port: int = 4064
    seconds: float = 3
    omero: Path = Path("/usr/local/bin/omero")


def load(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        ConfigError: One line a problem: file, key, what is wrong, the cure.
    """
    return settings.load(path, Config, _contradictions)


def _contradictions(config: Config) -> list[str]:
    problems = []
    if not config.canary_folder.is_relative_to(config.dropbox) or config.canary_folder == config.dropbox:
        problems.append(f"canary_folder: {config.canary_folder} isn't below dropbox, so that it would prove nothing")
    if config.report_file == config.asked_file:
        problems.append("report_file: is asked_file, too: give it a name of its own")
    if config.seconds <= 0:
        problems.append("seconds: is 0, which would keep OMERO busy: write 3")
    return problems

# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's settings: the archive's defaults, then etc/grid/config.xml."""

import re
from pathlib import Path

from omero.config import ConfigXml


class Configuration:
    """Properties by name; ${other.name} inside a value is replaced."""

    def __init__(self, home: Path) -> None:
        self.defaults = dict(_properties((home / "etc" / "omero.properties").read_text()))
        config = ConfigXml(str(home / "etc" / "grid" / "config.xml"), read_only=True)
        try:
            # Ice takes an empty value for none, so that the default holds.
            self.values = {**self.defaults, **{name: value for name, value in config.as_map().items() if value}}
        finally:
            config.close()

    def __getitem__(self, name: str) -> str:
        """Return a property's value, "" for one that nobody knows."""
        value = self.values.get(name, "")
        return (
            re.sub(r"\$\{([\w.]+)\}", lambda match: self[match.group(1)], value).replace("//", "/")
            if "${" in value
            else value
        )


def _properties(text: str):
    for line in text.splitlines():
        if line and not line.startswith("#") and "=" in line:
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()

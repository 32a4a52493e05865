# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m facility.host.check``: look at this host, write the figures, and tell what needs somebody."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import fields
from pathlib import Path

from ...core.replace_file import replace_file
from ...core.served_certificate import CertificateError
from ...core.textfile_metrics import write
from .config import Config, ConfigError, load
from .ends import Limits, Observed, problems
from .metrics import METRICS, values
from .observe import observed

FIGURES = "host_check.prom"
_MEMORY = "seen.json"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status: 0, 1 (something needs somebody, or can't be seen), 78 (settings)."""
    parser = argparse.ArgumentParser(prog="facility-host-check", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/facility/host-check.toml"), help="the TOML file")
    options = parser.parse_args(arguments)
    try:
        config = load(options.config)
        told = look(config, time.time())
    except ConfigError as error:
        _say(error)
        return os.EX_CONFIG
    except (CertificateError, OSError) as error:
        _say(f"this host can't be looked at: {error}")
        return 1
    for line in told:
        _say(line)
    return 1 if told else 0


def look(config: Config, now: float) -> list[str]:
    """Look at the host at this moment, and write its figures; give what needs somebody.

    Raises:
        CertificateError, OSError: as observe.observed.
    """
    found = observed(config, now, _since(config))
    limits = Limits(**{field.name: getattr(config, field.name) for field in fields(Limits)})
    told = problems(found, limits, config.name)
    _remember(config, found)
    write(config.state / FIGURES, METRICS, values(found, len(told)))
    return told


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")


def _since(config: Config) -> float | None:
    try:
        seen = json.loads((config.state / _MEMORY).read_text(encoding="utf-8"))["security_updates_since"]
        return None if seen is None else float(seen)
    except (OSError, ValueError, KeyError, TypeError):
        # Never looked, or nothing that a look has written: the days are counted anew.
        return None


def _remember(config: Config, found: Observed) -> None:
    replace_file(config.state / _MEMORY, json.dumps({"security_updates_since": found.updates.since}))


if __name__ == "__main__":
    sys.exit(main())

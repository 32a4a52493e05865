# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m facility.drive.settle --config FILE``: run.

``--check``: validate the configuration; ``--status``: the sets as JSON. ``--give-back LOGIN NAME``: move what was put
aside into its person's folder; ``--forget LOGIN NAME``: import data of this set again, although OMERO had it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sqlite3
import sys
from pathlib import Path

from . import metrics, orders
from .clock import Clock
from .config import Config, ConfigError, load
from .service import Service


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    parser = argparse.ArgumentParser(prog="settle", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the TOML file")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--check", action="store_true", help="only validate the configuration")
    act.add_argument("--status", action="store_true", help="only print all sets as JSON")
    for name, what in (
        ("--give-back", "move a set that was put aside into its person's folder, where it is tried anew"),
        ("--forget", "no longer know that OMERO had the data of this set, or with '*' of any"),
    ):
        act.add_argument(name, nargs=2, metavar=("LOGIN", "NAME"), help=what)
    options = parser.parse_args(arguments)
    try:
        config = load(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's message
        return os.EX_CONFIG
    if options.check:
        return 0
    if options.status:
        return _status(config)
    if options.give_back or options.forget:
        return _order(config, options.give_back, options.forget)
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        service = Service(config, Clock())
    except (OSError, sqlite3.Error) as error:
        print(f"settle can't start: {error}: mend {options.config} or what it names", file=sys.stderr)  # noqa: T201
        return os.EX_CONFIG if isinstance(error, FileNotFoundError | NotADirectoryError) else os.EX_TEMPFAIL
    service.run()
    return 0


def _order(config: Config, give_back: list[str] | None, forget: list[str] | None) -> int:
    try:
        if give_back:
            print(f"lies in {orders.give_back(config, *give_back)} now")  # noqa: T201 - a command's answer
        if forget:
            orders.ask_to_forget(config, *forget)
            print("settle forgets it within some seconds; see journalctl -u settle")  # noqa: T201
    except (OSError, orders.OrderError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _status(config: Config) -> int:
    try:
        document = metrics.status(config.state_dir)
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"the state in {config.state_dir} can't be read: {error}", file=sys.stderr)  # noqa: T201
        return os.EX_NOINPUT
    json.dump(document, sys.stdout)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

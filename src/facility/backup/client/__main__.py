# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m facility.backup.client``: the night's run of this host, or the dump of one database."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from .config import ConfigError, load
from .database import DumpError, Place, dump
from .run import BusyError, EndedError, run


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status: 0, 1 (failed), 75 (another run is under way), 78 (settings)."""
    options = _parsed(arguments)
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    if options.command == "dump-database":
        return _dump(options)
    try:
        config = load(options.config)
        if options.command == "check":
            return 0
        signal.signal(signal.SIGTERM, _ended)
        return run(config)
    except ConfigError as error:
        _say(error)
        return os.EX_CONFIG
    except BusyError as error:
        _say(error)
        return os.EX_TEMPFAIL
    except (EndedError, KeyboardInterrupt):
        return 1


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="facility-backup", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/facility-backup/backup.toml"), help="the TOML file")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="back this host up")
    commands.add_parser("check", help="only validate the configuration")
    database = commands.add_parser("dump-database", help="dump a PostgreSQL database, with the number of its rows")
    database.add_argument("name", help="the database")
    database.add_argument("--to", type=Path, required=True, help="a new or empty folder")
    database.add_argument("--host", default="", help="a host, or the folder of a socket")
    database.add_argument("--port", default="", help="the port")
    database.add_argument("--user", default="", help="the user of the database")
    return parser.parse_args(arguments)


def _dump(options: argparse.Namespace) -> int:
    place = Place(options.name, options.host, options.port, options.user)
    try:
        tables = dump(place, options.to)
    except DumpError as error:
        _say(error)
        return 1
    except OSError as error:
        _say(f"{error.filename or options.to}: {error.strerror}")
        return 1
    logging.info("database %s: %d tables, %d rows", options.name, len(tables), sum(tables.values()))
    return 0


def _ended(*_: object) -> None:
    # A second one must not cut off the ending.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise EndedError


def _say(message: object) -> None:
    print(message, file=sys.stderr)  # noqa: T201 - a command's message


if __name__ == "__main__":
    sys.exit(main())

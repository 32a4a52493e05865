# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m facility.backup.server --config FILE COMMAND``; see --help.

Exit status: 0 done; 1 inspect found something new, or something of the others failed; 2 wrong arguments;
75 another run is at it; 78 the configuration is wrong; 143 ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ..restic import ResticError
from . import ask, check, copy_pgbackrest, drill, drill_database, erase, full_restore, host_drill, inspection, retain
from .config import Config, ConfigError, load
from .erase import EraseError
from .host_drill import HostDrillError
from .scratch_postgres import DatabaseError
from .state import StateError

_COMMANDS: dict[str, tuple[str, Callable[[Config], list[str]]]] = {
    "inspect": ("look at all backups, judge and report; 1 when something is new", inspection.run),
    "retain": ("forget what is older than it must be kept", retain.run),
    "check": ("read the next part of all repositories' data", check.run),
    "drill": ("restore some files of each client and compare them", drill.run),
    "drill-database": ("restore the databases aside and count their rows (as user pgbackrest)", drill_database.run),
    "drill-whole-list": ("ask databases for the files that they know (as user pgbackrest)", full_restore.ask),
    "drill-whole": ("restore all of these files, part after part, and compare them", full_restore.run),
    "protect-pgbackrest": ("back up pgBackRest's repository", copy_pgbackrest.run),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    options = _parser().parse_args(arguments)
    # As an exception, so that everything is cleaned up on the way out.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _act(load(options.config), options)
    except ConfigError as error:
        _complain(str(error))
        return os.EX_CONFIG
    except StateError as error:
        _complain(str(error))
        return os.EX_TEMPFAIL
    except (DatabaseError, EraseError, HostDrillError, ResticError) as error:
        _complain(str(error))
        return 1


def _act(config: Config, options: argparse.Namespace) -> int:
    if options.command == "ask":
        _tell(ask.run(config, options.stanza, options.time, options.sql, options.database))
        return 0
    if options.command == "erase":
        _tell(erase.run(config, options.repository, options.path, options.at_most, dry_run=options.dry_run))
        return 0
    if options.command == "note-host-drill":
        if options.what == "begin":
            host_drill.begin(config, options.name)
        else:
            host_drill.end(config, options.name, sys.stdin.read())
        return 0
    complaints = _COMMANDS[options.command][1](config)
    for complaint in complaints:
        _complain(complaint)
    return 1 if complaints else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="facility-backup-server", description="Judge, retain, check, drill backups.")
    parser.add_argument("--config", type=Path, required=True, help="backup-server.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (text, _) in _COMMANDS.items():
        commands.add_parser(name, help=text)
    asking = commands.add_parser("ask", help="a database as it was at some time (as user pgbackrest)")
    asking.add_argument("--stanza", required=True)
    asking.add_argument("--time", required=True, help="ISO 8601 with its zone, or latest")
    asking.add_argument("--sql", type=Path, required=True, help="a file with one SELECT; - for standard input")
    asking.add_argument("--database", default="", help="needed when the cluster has several")
    erasing = commands.add_parser("erase", help="take files out of all snapshots of a repository")
    erasing.add_argument("--repository", required=True)
    erasing.add_argument("--path", action="append", required=True, help="absolute; again for more")
    erasing.add_argument("--at-most", type=int, required=True, help="refuse when more files would go")
    erasing.add_argument("--dry-run", action="store_true", help="only show what would go")
    noting = commands.add_parser("note-host-drill", help="note that a service is restored onto a host of its own")
    noting.add_argument("--name", required=True)
    noting.add_argument("what", choices=["begin", "end"], help="end reads how it went from standard input, as JSON")
    return parser


def _terminated(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _complain(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a command's message


def _tell(document: dict[str, Any] | list[dict[str, Any]]) -> None:
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())

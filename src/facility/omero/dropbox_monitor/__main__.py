# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m facility.omero.dropbox_monitor --config FILE``: report every few seconds; ``--check``: validate FILE."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...core.replace_file import replace_file
from ..connection import OmeroError, Server, call, open_session
from ..imports import imported_files
from .canary import Canary
from .config import Config, ConfigError, load
from .processes import dropbox_state, own_processes
from .revival import Revival

log = logging.getLogger("dropbox_monitor")
_RETRY_SECONDS = 5.0
# Readers believe no old report, so the sets that were asked for are looked up in turn, for so long in each report.
_LOOK_SECONDS = 4.0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="omero-dropbox-monitor", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the TOML file")
    parser.add_argument("--check", action="store_true", help="only validate the configuration")
    options = parser.parse_args(arguments)
    try:
        config = load(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's message
        return os.EX_CONFIG
    return 0 if options.check else run(config)


def run(config: Config) -> int:
    """Report until SIGTERM; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    password = Path(os.environ["CREDENTIALS_DIRECTORY"], "password").read_text()
    server = Server(config.host, config.port, config.user, password, str(config.ca_file))
    canary, revival = Canary(config.canary_folder), Revival(str(config.omero))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with open_session(server) as session:
                log.info("%s: OMERO answers", server.host)
                _monitor(session, config, stop, canary, revival)
        except OmeroError as error:
            log.warning("%s", error)
            stop.wait(_RETRY_SECONDS)
    return 0


def _monitor(
    session: Any,
    config: Config,
    stop: threading.Event,
    canary: Canary,
    revival: Revival,
) -> None:
    last = ""
    while not stop.is_set():
        answer = report(session, config, canary, revival, last)
        last = next(reversed(answer["imported"]), "")
        # The next report comes in seconds, and readers look at its age.
        replace_file(config.report_file, json.dumps(answer) + "\n", sync=False)
        stop.wait(config.seconds)


def report(session: Any, config: Config, canary: Canary, revival: Revival, last: str = "") -> dict[str, Any]:
    """Return a report on this moment.

    Args:
        session: OMERO's ServiceFactory.
        config: the DropBox monitor's.
        canary: what OMERO.dropbox has to prove itself with.
        revival: what switches it on again.
        last: the set that the report before this one has looked up last; this one begins with the next.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    dropbox = str(config.dropbox)
    begun = time.time()
    state = dropbox_state(own_processes())
    # Here OMERO answers, so that OMERO.dropbox has nothing more to wait for.
    revival.look(time.monotonic(), state.missing)
    hears = state.alive and canary.hears(time.monotonic(), state.since, state.watched, state.monitors, state.numbers)
    known = {person.omeName.val for person in call("people", session.getAdminService().lookupExperimenters)}
    return {
        "time": begun,
        "alive": hears,
        "since": state.since,
        "watching": sorted(name for name, inode in _folders(dropbox) if inode in state.watched and name in known),
        "importing": sorted(_relative(path, dropbox) for path in state.importing if path.startswith(dropbox + "/")),
        "imported": _imported(session, dropbox, _asked(config.asked_file), last),
    }


def _imported(session: Any, dropbox: str, asked: Iterable[str], last: str) -> dict[str, list[str]]:
    """Look up the asked sets that come after the last one, for as long as there is time; a set at least."""
    ends = time.monotonic() + _LOOK_SECONDS
    found: dict[str, list[str]] = {}
    for name in sorted(set(asked), key=lambda name: (name <= last, name)):
        found |= imported_files(session, dropbox, [name])
        if time.monotonic() > ends:
            break
    return found


def _asked(path: Path) -> list[str]:
    try:
        return [name for name in json.loads(path.read_text())["sets"] if isinstance(name, str)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s can't be used: %s", path, error)
        return []


def _folders(dropbox: str) -> list[tuple[str, int]]:
    with os.scandir(dropbox) as entries:
        return [(entry.name, entry.inode()) for entry in entries if entry.is_dir(follow_symlinks=False)]


def _relative(path: str, dropbox: str) -> str:
    return path[len(dropbox) + 1 :]


if __name__ == "__main__":
    sys.exit(main())

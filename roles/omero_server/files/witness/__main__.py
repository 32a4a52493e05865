# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask and tell, every few seconds; started as python -m witness SETTINGS.json."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facility.omero_imports import imported_files
from facility.omero_server import OmeroError, Server, call, opened

from witness.canary import Canary
from witness.processes import dropbox_state, own_processes

log = logging.getLogger("witness")
_RETRY_SECONDS = 5.0


def main() -> int:
    """Run until told to stop; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    settings = json.loads(Path(sys.argv[1]).read_text())
    password = Path(os.environ["CREDENTIALS_DIRECTORY"], "password").read_text()
    server = Server(settings["host"], settings["port"], settings["user"], password, settings["ca_file"])
    canary = Canary(Path(settings["canary_folder"]))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with opened(server) as session:
                log.info("%s: OMERO answers", server.host)
                _witness(session, settings, stop, canary)
        except OmeroError as error:
            log.warning("%s", error)
            stop.wait(_RETRY_SECONDS)
    return 0


def _witness(
    session: Any,  # noqa: ANN401 - Ice's object
    settings: Mapping[str, Any],
    stop: threading.Event,
    canary: Canary,
) -> None:
    while not stop.is_set():
        write(Path(settings["report_file"]), report(session, settings, canary))
        stop.wait(settings["seconds"])


def report(session: Any, settings: Mapping[str, Any], canary: Canary) -> dict[str, Any]:  # noqa: ANN401
    """Return a report on this moment.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    dropbox = settings["dropbox"]
    begun = time.time()
    state = dropbox_state(own_processes())
    hears = state.alive and canary.hears(time.monotonic(), state.since, state.watched, state.numbers)
    known = {person.omeName.val for person in call("people", session.getAdminService().lookupExperimenters)}
    return {
        "time": begun,
        "alive": hears,
        "since": state.since,
        "watching": sorted(name for name, inode in _folders(dropbox) if inode in state.watched and name in known),
        "importing": sorted(_relative(path, dropbox) for path in state.importing if path.startswith(dropbox + "/")),
        "imported": imported_files(session, dropbox, _asked(Path(settings["asked_file"]))),
    }


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a JSON file as a whole."""
    beside = path.with_suffix(".new")
    # The folder is this service's alone; whoever feeds the DropBox reads the file.
    beside.write_text(json.dumps(document) + "\n")
    beside.chmod(0o644)
    beside.replace(path)


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

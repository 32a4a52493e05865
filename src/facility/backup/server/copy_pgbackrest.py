# SPDX-License-Identifier: GPL-3.0-or-later
"""Backs up pgBackRest's repository, into which a broken-into database host could write, into a local one of restic."""

from __future__ import annotations

import time

from ..restic import ResticError
from . import state
from .config import Config
from .repositories import WAIT, open_repository


def run(config: Config) -> list[str]:
    """Back it up into every repository of kind local; give the complaints, one line each."""
    complaints = []
    for repository in config.repositories:
        if repository.kind != "pgbackrest_copy":
            continue
        outcome = {"time": time.time(), "ok": True, "message": ""}
        try:
            port = open_repository(repository)
            port.unlock()
            port.backup(str(config.pgbackrest_folder), wait=WAIT)
        except ResticError as error:
            outcome |= {"ok": False, "message": str(error)}
            complaints.append(f"protect-pgbackrest: {error}")
        state.note(config.state, repository.name, "pgbackrest_copy", outcome)
    return complaints

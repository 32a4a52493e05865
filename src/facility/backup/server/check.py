# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a part of each repository's data every night, so that all of it was read after cycle_days."""

from __future__ import annotations

import time
from typing import Any

from ..health import Outcome, next_subset, remembered
from ..restic import ResticError
from . import state
from .config import Config
from .repositories import WAIT, open_repository


def run(config: Config) -> list[str]:
    """Check the next part of every repository; give the complaints, one line each."""
    known = state.read(config.state / state.STATE_FILE).get("repositories", {})
    complaints = []
    for repository in config.repositories:
        checks = checks_of(known.get(repository.name, {}))
        subset = f"{next_subset(checks, config.cycle_days)}/{config.cycle_days}"
        outcome = Outcome(time.time())
        try:
            port = open_repository(repository)
            port.unlock()
            port.check(subset, wait=WAIT)
        except ResticError as error:
            outcome = Outcome(outcome.time, ok=False, message=str(error))
            complaints.append(f"check {subset} of {repository.name}: {error}")
        checks[subset] = outcome
        kept = {key: document_of(value) for key, value in remembered(checks, config.cycle_days).items()}
        state.note(config.state, repository.name, "checks", kept)
    return complaints


def checks_of(entry: dict[str, Any]) -> dict[str, Outcome]:
    """The outcomes of a repository's checks, by "n/t", out of its part of state.json."""
    return {key: state.outcome_of(value) for key, value in entry.get("checks", {}).items()}


def document_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as state.json has it."""
    return {"time": outcome.time, "ok": outcome.ok, "message": outcome.message}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Forgets what is older than it must be kept; never in a repository that somebody may have lied in."""

from __future__ import annotations

import time
from typing import Any

from ..health import may_forget, untrusted
from ..restic import Repository, ResticError, arrivals
from . import erase, state
from .config import Config, ConfigError, RepositoryConfig
from .repositories import WAIT, open_repository

_TRIES = 3


class Refused(Exception):  # noqa: N818 - nothing went wrong, it was seen in time
    """Nothing may be forgotten in this repository; the message says why."""


def run(config: Config) -> list[str]:
    """Forget and prune in every repository that can be trusted; give the complaints, one line each."""
    complaints = []
    try:
        erase.finish(config)
    except (ConfigError, ResticError) as error:
        complaints.append(f"what an erasure left undone: {error}")
    for repository in config.repositories:
        started = time.time()
        outcome: dict[str, Any] = {"time": started, "ok": True, "message": ""}
        try:
            outcome["removed"] = _retain(repository)
        except (Refused, ResticError) as error:
            outcome |= {"ok": False, "message": str(error)}
            complaints.append(f"retain of {repository.name}: {error}")
        outcome["seconds"] = time.time() - started
        state.note(config.state, repository.name, "retain", outcome)
    return complaints


def _retain(repository: RepositoryConfig) -> int:
    """Do it in one repository; give how many snapshots were forgotten."""
    port = open_repository(repository)
    port.unlock()
    # Also of what isn't true about an index prune would believe every word.
    port.check(wait=WAIT)
    remove = _planned(repository, port)
    # By their ids: what came in since the plan was judged can't change it.
    if remove:
        port.forget(remove, wait=WAIT)
    port.prune(wait=WAIT)
    return len(remove)


def _planned(repository: RepositoryConfig, port: Repository) -> tuple[str, ...]:
    why = ""
    for _ in range(_TRIES):
        # First the arrivals: a snapshot that comes in between is listed without one, and not judged.
        arrived = arrivals(repository.path)
        snapshots = port.snapshots()
        bad = untrusted(snapshots, arrived)
        if bad:
            key, reason = next(iter(bad.items()))
            raise Refused(
                f"snapshot {key[:8]} is {reason}, so that nothing is forgotten: see docs/runbooks/backup-attack.md"
            )
        if not snapshots:
            return ()
        plan = port.retention(repository.keep, wait=WAIT)
        why = may_forget(plan, {snapshot.id for snapshot in snapshots if snapshot.id in arrived})
        if not why:
            return plan.remove
    raise Refused(f"{why}: it is tried again in the next night")

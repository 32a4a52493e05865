# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from its lock to its figures.

last-run.json is {"ok", "time": end, epoch seconds, "good_time": end of the last good run or 0, "seconds", "files",
"added_bytes", "snapshot": id or "", "too_large": [path that was left out], "problems": [sentence]}.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...core import textfile_metrics
from ...core.lock import LockedError, locked
from ...core.replace_file import replace_file
from . import giants, identities, metrics, repository, sample, steps
from .config import Config
from .exclusion import Exclusions

log = logging.getLogger("backup_client")
LAST_RUN = "last-run.json"
_NAMED = 10


class BusyError(Exception):
    """Another run is under way."""


class EndedError(BaseException):
    """Somebody told this run to end."""


def run(config: Config) -> int:
    """Make a run; return the exit status: 0, or 1 when anything was left out.

    Raises:
        BusyError: when another run has the lock for longer than this one may wait.
        ConfigError: when the passwords can't be read.
    """
    config.state.mkdir(mode=0o711, parents=True, exist_ok=True)
    with _alone(config):
        begun = time.monotonic()
        figures: dict[str, Any] = {"files": 0, "added_bytes": 0, "snapshot": "", "too_large": []}
        problems: list[str] = []
        try:
            _work(config, figures, problems)
        except EndedError:
            problems.append("the run was ended from outside before it was through; the next one goes on from there")
            _close(config, figures, problems, begun)
            raise
        return _close(config, figures, problems, begun)


def _work(config: Config, figures: dict[str, Any], problems: list[str]) -> None:
    # Before the dumps, which may take an hour, and would be for nothing.
    repository.port(config)
    problems += repository.missing(config.paths)
    files = 0
    most = giants.limit(config.roots())
    try:
        files, figures["too_large"] = _prepared(config, most, problems)
    except OSError as error:
        problems.append(f"{error.filename or config.state}: {error.strerror}: see its disk and rights")
    except Exception as error:
        # A defect here must not keep the files from being backed up: half a backup is better than none.
        log.exception("what comes before the files")
        problems.append(f"what comes before the files was not done: {error!r}")
    try:
        outcome = repository.stored(config, files, most)
    except repository.BackupError as error:
        problems.append(str(error))
        return
    figures["files"] = outcome.summary.get("total_files_processed", 0)
    figures["added_bytes"] = outcome.summary.get("data_added_packed", outcome.summary.get("data_added", 0))
    figures["snapshot"] = outcome.summary["snapshot_id"]
    if outcome.unread:
        named = [f"{path} ({reason})" for path, reason in sorted(outcome.unread.items())[:_NAMED]]
        more = len(outcome.unread) - len(named)
        problems.append(
            f"{len(outcome.unread)} not read: {', '.join(named)}{f' and {more} more' if more else ''}: see the disk, "
            "then start facility-backup.service again"
        )


def _prepared(config: Config, most: int, problems: list[str]) -> tuple[int, list[str]]:
    """Bring the state folder up to this run, and add what went wrong.

    Returns:
        How many files there are, and which are left out because they are of more than so many bytes.
    """
    steps.tidied(config.dumps, config.steps)
    for step in config.steps:
        try:
            steps.run(step, config.dumps)
        except steps.StepError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            problems.append(f"{error}. The files are backed up without it")
    noted, unknown = identities.noted(config.identities)
    problems += [f"this host knows no user or group {name}: take it out of the identities" for name in unknown]
    _replace(config.state / "identities.json", noted)
    files, number, too_large = sample.taken(
        # Beside the dumps nothing of the state: this run writes it anew.
        (*config.paths, config.dumps),
        Exclusions(config.left_out()),
        config.dumps,
        one_file_system=config.one_file_system,
        most=most,
    )
    for path in too_large:
        log.warning("%s claims more bytes than any disk here has: it is not backed up; delete it", path)
    _replace(
        config.state / "sample.json",
        {
            "version": 1,
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "host": config.client,
            "files": files,
            "databases": sample.databases(config.dumps),
        },
    )
    return number, too_large


def _close(config: Config, figures: dict[str, Any], problems: list[str], begun: float) -> int:
    seconds = time.monotonic() - begun
    now = time.time()
    good = now if not problems else _last(config).get("good_time", 0)
    figures |= {"ok": not problems, "time": now, "good_time": good, "seconds": seconds, "problems": problems}
    _replace(config.state / LAST_RUN, figures)
    if config.metrics:
        values = {
            "backup_run_ok": float(not problems),
            "backup_run_timestamp_seconds": good,
            "backup_run_seconds": seconds,
            "backup_run_files": figures["files"],
            "backup_run_added_bytes": figures["added_bytes"],
        }
        try:
            textfile_metrics.write(config.metrics, metrics.METRICS, values)
        except OSError as error:
            log.warning("%s: no figures were written: %s", config.metrics, error.strerror)
    for problem in problems:
        log.error("failed: %s", problem)
    log.info(
        "%s: %s files, %.1f MB new, %.0f s",
        f"snapshot {figures['snapshot'][:8]}" if figures["snapshot"] else "no snapshot",
        f"{figures['files']:,}",
        figures["added_bytes"] / 1e6,
        seconds,
    )
    return 1 if problems else 0


def _last(config: Config) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads((config.state / LAST_RUN).read_text())
    except (OSError, ValueError):
        return {}
    return document


def _replace(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a JSON file as a whole; root's alone."""
    replace_file(path, json.dumps(document) + "\n", mode=0o600)


@contextlib.contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Hold the lock for this run."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(config.state / "lock", config.wait_minutes * 60))
        except LockedError:
            waited = f" for more than {config.wait_minutes:g} min" if config.wait_minutes else ""
            raise BusyError(
                f"another run of the backup is under way{waited} and this one leaves; see journalctl -u facility-backup"
            ) from None
        yield

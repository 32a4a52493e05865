# SPDX-License-Identifier: GPL-3.0-or-later
"""The process: the loop, its end, and what it tells people, Prometheus and systemd."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import sqlite3
import time
from typing import Any

from ...core import textfile_metrics
from ...core.replace_file import replace_file
from . import leases, metrics, orders, quotas
from .clock import Clock
from .config import Config
from .engine import Engine
from .names import printable
from .notices import Notices
from .overview import Overview, overviews
from .reasons import Reason
from .state import Store

log = logging.getLogger("settle")
_TELL_SECONDS = 5.0
# Events of this time are taken together, so that a burst of small files doesn't cost a turn each.
_GATHER_SECONDS = 0.03
_DAY = 86400


class Service:
    """The engine, and everything that reports on it: systemd, the log, notices, metrics."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.store = Store(config.state_dir / metrics.STATE_FILE)
        self.engine = Engine(config, self.store, clock)
        self._notices = Notices(self.engine.roots.incoming)
        self._rooms: dict[str, quotas.Room] = {}
        self._overdrawn = quotas.Overdrawn()
        self._tell_at = 0.0
        self._waiting: bytes | None = None
        self._prune_at = 0.0
        self._errors = 0

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        leases.prepare()
        stop_read, stop_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.write(stop_write, b"."))
        self.engine.start()
        poll = select.poll()
        poll.register(stop_read, select.POLLIN)
        poll.register(self.engine.incoming.inotify.descriptor, select.POLLIN)
        notify("READY=1")
        log.info("ready")
        while True:
            seconds = self.turn()
            notify("WATCHDOG=1")
            happened = poll.poll(seconds * 1000)
            if any(descriptor == stop_read for descriptor, _ in happened):
                break
            if happened:
                time.sleep(_GATHER_SECONDS)
        notify("STOPPING=1")
        log.info("stopped")
        self.store.close()

    def turn(self) -> float:
        """One turn; whatever fails is logged, counted and tried again. Give the seconds until the next."""
        try:
            seconds = self.engine.turn()
        except (OSError, sqlite3.Error) as error:
            # A full disk, above all: nothing was half done, since each act begins with what it finds.
            self._errors += 1
            log.error("%s; tried again", error)  # noqa: TRY400 - the trace would hide the line
            seconds = 1.0
        now = self.clock.steady()
        if now >= self._tell_at:
            self._tell()
            self._tell_at = self.clock.steady() + _TELL_SECONDS
        return seconds

    def _tell(self) -> None:
        for tell in (
            self._obey,
            self._prune,
            self._write_rooms,
            self._write_waiting,
            self._write_notices,
            self._write_metrics,
        ):
            try:
                tell()
            except (OSError, sqlite3.Error) as error:
                self._errors += 1
                log.error("%s: %s; tried again", tell.__name__.strip("_"), error)  # noqa: TRY400

    def _obey(self) -> None:
        """Do what the administrator has ordered."""
        orders.carry_out(self.config, self.store)

    def _prune(self) -> None:
        """Forget what the history no longer needs, and quarantined sets that somebody has taken away."""
        now = self.clock.steady()
        if now < self._prune_at:
            return
        oldest = self.clock.wall() - self.config.history_days * _DAY
        dropped = [record.id for record in self.store.where("done", "quarantined") if record.since < oldest]
        aside = self.engine.transitions.put_aside
        gone = [r for r in self.store.where("quarantined") if not aside.place(r.login, r.target)]
        self.store.put([], [*dropped, *(record.id for record in gone)])
        for record in gone:
            aside.forget(record.login, record.target)
        self.store.forget_before(self.clock.wall() - self.config.remember_days * _DAY)
        self._prune_at = now + 60

    def _write_rooms(self) -> None:
        """Tell smbd how much room is left to each person."""
        if not self.config.quota_gib and not self.config.groups:
            return
        bytes_of = quotas.taken(self.engine.incoming.sets.values(), self.store.all())
        found = quotas.rooms(self.config, self.engine.incoming.logins, bytes_of)
        if self.config.room_folder is not None:
            for login in self._rooms.keys() - found.keys():
                (self.config.room_folder / login).unlink(missing_ok=True)
            for login, room in found.items():
                if self._rooms.get(login) != room:
                    line = f"{room.limit >> 10} {room.free >> 10}\n"
                    replace_file(self.config.room_folder / login, line, mode=0o644, sync=False)
        self._rooms = found

    def _write_waiting(self) -> None:
        places = self.engine.incoming.turns.places()
        sets: list[dict[str, Any]] = [
            {
                "login": w.key.login, "name": printable(w.title), "state": "waiting", "since": round(w.first_seen, 3),
                "reason": w.cause.reason, "detail": str(places.get(w, printable(w.cause.detail))),
                "place": w.key.shelf, "files": w.seen.files, "bytes": w.seen.bytes, "attempts": 0,
            }
            for w in self.engine.incoming.sets.values()
        ]  # fmt: skip
        sets += [
            {
                "login": printable(login), "name": "", "state": "refused", "since": 0, "reason": problem, "detail": "",
                "place": "", "files": 0, "bytes": 0, "attempts": 0,
            }
            for login, problem in self.engine.incoming.refused.items()
        ]  # fmt: skip
        content = json.dumps(sets).encode()
        if content == self._waiting:
            return
        document = b'{"updated": %.3f, "sets": %s}\n' % (self.clock.wall(), content)
        replace_file(self.config.state_dir / metrics.WAITING_FILE, document, mode=0o640, sync=False)
        self._waiting = content

    def _write_notices(self) -> None:
        report = self.engine.monitor.report
        told = overviews(
            self.config,
            self.engine.incoming.sets.values(),
            self.store.where("staged", "offered", "recalling", "recalled", "quarantined"),
            {key: len(files) for key, files in report.imported.items()},
            wall=self.clock.wall(),
            seconds_per_file=self.engine.workload.pace,
        )
        for login, entry in self._overdrawn.entries(self._rooms, self.clock.wall()).items():
            told.setdefault(login, Overview()).problems.append(entry)
        self._errors += self._notices.write(self.engine.incoming.logins, told)

    def _write_metrics(self) -> None:
        if self.config.metrics_file is None:
            return
        wall = self.clock.wall()
        disk = os.fstatvfs(self.engine.roots.dropbox)
        sets = [w for w in self.engine.incoming.sets.values() if w.cause.reason is not Reason.NOTHING]
        totals = {name: self.store.totals.get(name, 0) for name in ("offered", "imported", "reoffered", "quarantined")}
        textfile_metrics.write(
            self.config.metrics_file,
            metrics.METRICS,
            {
                "settle_sets": {"waiting": len(self.engine.incoming.sets), **self.store.counts()},
                "settle_oldest_waiting_seconds": max((wall - w.first_seen for w in sets), default=0),
                "settle_waiting_bytes": sum(w.seen.bytes for w in sets),
                "settle_queued_files": sum(self.engine.incoming.turns.files().values()),
                "settle_oldest_queued_seconds": max(
                    (wall - w.cause_since for w in sets if w.cause.reason is Reason.QUEUED), default=0
                ),
                "settle_seconds_per_file": self.engine.workload.pace,
                "settle_free_bytes": disk.f_bavail * disk.f_frsize,
                "settle_size_bytes": disk.f_blocks * disk.f_frsize,
                "settle_sets_total": totals,
                "settle_errors_total": self._errors + self.engine.errors,
                "settle_last_scan_seconds": self.engine.scan_seconds,
                "settle_last_loop_timestamp_seconds": wall,
                "settle_omero_ready": self.engine.monitor.report.fresh(wall, self.config.monitor_max_age),
                "settle_refused_logins": len(self.engine.incoming.refused),
                "settle_people_over_quota": sum(room.over for room in self._rooms.values()),
            },
        )


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); without systemd, nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        try:
            connection.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError as error:
            log.warning("systemd can't be told: %s", error)

# SPDX-License-Identifier: GPL-3.0-or-later
"""One turn of the work: events, the DropBox monitor's report, sets whose time has come, acts."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from . import content, folders
from .clearing import Clearing
from .clock import Clock
from .config import Config, Matchers
from .decisions import Report
from .entries import NOTICE, OLD_NOTICE
from .families import gathering, stem
from .incoming import Incoming
from .monitor_report import MonitorFiles
from .names import LOGIN, printable
from .reasons import Reason
from .review import Review, new_id
from .state import ACTING, Record, Store, replace
from .transitions import Roots, Transitions
from .waiting import Cause, Judged, Waiting
from .workload import Workload

log = logging.getLogger("settle")
# At once, so that a burst costs few commits; not more, so that nobody waits long for the others.
_BATCH = 200
_RETRY_SECONDS = 5.0
_ASK_SECONDS = 60.0
_STAGING_NAME = re.compile(rf"({LOGIN.pattern})~[0-9a-f]{{16}}")


class Engine:
    """All of settle but its process."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        """Open the configured folders.

        Raises:
            OSError: If one can't be used.
        """
        matchers = Matchers.of(config, (NOTICE, f".{NOTICE}.new", OLD_NOTICE))
        self.config = config
        self.store = store
        self.clock = clock
        self.roots = Roots.of(config)
        self.incoming = Incoming(config, matchers, self.roots.incoming, clock)
        self.transitions = Transitions(
            config, self.roots, store, clock, lambda owner: self.incoming.walk(owner, probe=True)
        )
        self.workload = Workload(config)
        self.clearing = Clearing(config, self.roots, store)
        self.review = Review(config, self.roots, matchers.not_expected, self.workload)
        self.monitor = MonitorFiles(config.monitor_file, config.asked_file)
        self.errors = 0
        self.scan_seconds = 0.0
        self._scan_at = 0.0
        self._retry: dict[str, float] = {}
        self._staged_at = 0.0
        self._boxes: set[str] = set()
        self._asked_version = -1
        self._ask_at = self._ask_again_at = 0.0

    def start(self) -> None:
        """Take up what an earlier process left, and see what is there."""
        self.monitor.read()
        staging = self.roots.staging
        lost = []
        for name in folders.names(staging):
            match = _STAGING_NAME.fullmatch(name)
            if match and name not in {record.id for record in self.store.where(*ACTING, "staged", "recalled")}:
                offered = [record for record in self.store.where("offered") if record.id == name]
                if offered and offered[0].piecewise:
                    continue
                if offered:
                    # The power went: the offer is written down, but the rename was not.
                    lost.append(replace(offered[0], state="staged", asked=""))
                    continue
                orphan = Record(id=name, login=match[1], name="unknown", state="staged", aside=True)
                lost.append(replace(orphan, reason=Reason.ORPHAN))
                log.error("staging/%s: nothing is known of it; it goes to quarantine", name)
        self.store.put(lost)
        self._pump(self.store.where(*ACTING, "staged"))
        self._scan(start=True)

    def turn(self) -> float:
        """Do what there is to do now; give the seconds after which to come again at the latest."""
        self.incoming.take_events()
        if self.monitor.read():
            self._reported()
        now = self.clock.steady()
        if now >= self._scan_at:
            self._scan(start=False)
        self._make_boxes()
        self._look_at_due()
        self.incoming.call(self._hands())
        self._act_again()
        self._ask(now)
        next_at = self.incoming.next_at()
        return 1.0 if next_at is None else min(1.0, max(0.0, next_at - self.clock.steady()))

    def ready(self, login: str) -> Reason | None:
        """Why nothing can be offered for this person now, or None."""
        report = self.monitor.report
        if not report.fresh(self.clock.wall(), self.config.monitor_max_age):
            return Reason.OMERO_DOWN
        return None if login in report.watching else Reason.NOT_WATCHED

    def _ask(self, now: float) -> None:
        """Tell the DropBox monitor which sets to look up: at most each second, or in a twentieth of the time."""
        if now < self._ask_at or (self._asked_version == self.store.version and now < self._ask_again_at):
            return
        version = self.store.version
        records = [*self.store.where("offered", "recalling", "recalled"), *self.clearing.due(self.clock.wall())]
        self.monitor.ask(record.key for record in records)
        self._asked_version = version
        ended = self.clock.steady()
        self._ask_at = ended + max(1.0, 20 * (ended - now))
        # Sets are to be cleared without a change of the store.
        self._ask_again_at = ended + _ASK_SECONDS

    def _scan(self, *, start: bool) -> None:
        began = self.clock.steady()
        self.incoming.scan(start=start)
        if start:
            # Everything is looked at once, which also watches it, before the first event is awaited.
            for waiting in list(self.incoming.sets.values()):
                try:
                    self.incoming.first_look(waiting)
                except OSError as error:
                    self._failed(waiting.label, error)
        ended = self.clock.steady()
        self.scan_seconds = ended - began
        self._scan_at = ended + self.config.rescan_seconds
        self._boxes.clear()
        log.info("scanned: %d sets in %.2f s", len(self.incoming.sets), self.scan_seconds)

    def _make_boxes(self) -> None:
        """Have a folder in DropBox for everybody, early, so that OMERO watches it when the first set is complete."""
        for login in self.incoming.logins - self._boxes:
            try:
                if folders.make(self.roots.dropbox, login):
                    log.info("DropBox/%s: made", login)
                self._boxes.add(login)
            except OSError as error:
                self._failed(f"DropBox/{login}", error)

    # Sets in people's folders.

    def _look_at_due(self) -> None:
        intents: dict[str, Waiting] = {}
        records = []
        hands = self._hands()
        for waiting in self.incoming.due(_BATCH):
            unready = self.ready(waiting.key.login)
            if unready:
                self.incoming.hold(waiting, unready)
                continue
            try:
                judged = self.incoming.examine(waiting)
            except OSError as error:
                self._failed(waiting.label, error)
                self.incoming.put_off(waiting, _RETRY_SECONDS)
                continue
            if judged is None:
                continue
            digest = ""
            if judged.verdict.action == "move":
                login, files = waiting.key.login, self._at_once(judged)
                digest, stays = self._stays(waiting, judged)
                if stays:
                    self.incoming.keep(waiting, stays)
                    continue
                if not self.incoming.turns.may_go(login, files, hands):
                    self.incoming.queue(waiting, judged.found.files)
                    continue
                hands[login] = hands.get(login, 0) + files
            record = replace(self._intent(judged), content=digest)
            records.append(record)
            intents[record.id] = waiting
        try:
            self.store.put(records)
        except sqlite3.Error:
            for key, waiting in intents.items():
                self.transitions.signatures.pop(key, None)
                self.incoming.put_off(waiting, _RETRY_SECONDS)
            raise
        for key, waiting in intents.items():
            self.incoming.claimed(waiting, key)
        self._pump(records)

    def _stays(self, waiting: Waiting, judged: Judged) -> tuple[str, Cause | None]:
        """By what a complete set's data is known again, and why the set stays all the same, if it does."""
        disk = os.fstatvfs(self.roots.dropbox)
        free = disk.f_bavail * disk.f_frsize
        reserve = disk.f_blocks * disk.f_frsize * self.config.reserve_percent / 100
        if free - judged.found.bytes < reserve:
            return "", Cause(Reason.FULL, f"{free / 1e9:.1f} GB free, {judged.found.bytes / 1e9:.1f} GB wanted")
        if not self.config.remember_days:
            return "", None
        login, shelf, _ = waiting.key
        digest = content.digest(self.roots.incoming, [login, *filter(None, (shelf,))], waiting.names)
        known = self.store.known(login, digest) if digest else None
        if known:
            day = datetime.fromtimestamp(known[1]).astimezone().strftime("%Y-%m-%d")
            return digest, Cause(Reason.AGAIN, f'"{printable(known[0])}" of {day}')
        return digest, None

    def _hands(self) -> dict[str, int]:
        """How many files of each person OMERO has in its hands, or is about to get."""
        hands: dict[str, int] = {}
        for record in self.store.where("claiming", "staged", "offering", "offered"):
            resting = record.state == "offered" and self.workload.resting(record)
            if not record.aside and not resting:
                hands[record.login] = hands.get(record.login, 0) + max(1, record.files - record.progress)
        return hands

    def _at_once(self, judged: Judged) -> int:
        """How many files of the set OMERO is given at once."""
        files = judged.found.files
        return min(files, self.transitions.at_once) if judged.found.apart else files

    def _intent(self, judged: Judged) -> Record:
        """The record of the intent to take a set."""
        (login, shelf, _), names = judged.key, tuple(sorted(judged.items))
        found, verdict = judged.found, judged.verdict
        single = len(names) == 1
        kind = "folder" if single and judged.items[names[0]] else "bundle"
        head = next((name for name in names if gathering([name])), names[0])
        key = new_id(login)
        self.transitions.signatures[key] = found.signature
        return Record(
            id=key, login=login, name=names[0] if single else stem(head, folder=judged.items[head]), shelf=shelf,
            kind=kind, items=names, owner=judged.owner, since=judged.wall, aside=verdict.action == "quarantine",
            reason=verdict.reason or "", detail=printable(verdict.detail), files=self._at_once(judged),
            bytes=found.bytes, piecewise=found.apart and found.files > self.transitions.at_once,
        )  # fmt: skip

    # Records.

    def _pump(self, records: Sequence[Record]) -> None:
        """Act on records, commit what came of it, and go on until all of them wait for something."""
        while records:
            changed: list[Record] = []
            dropped: list[str] = []
            for record in records:
                try:
                    step = self.transitions.act(record, self.monitor.report)
                except OSError as error:
                    self._failed(record.id, error)
                    self._retry[record.id] = self.clock.steady() + _RETRY_SECONDS
                    self._boxes.discard(record.login)
                    continue
                self.incoming.claim_ended(record.id, step.stuck)
                if step.record is None:
                    dropped.append(record.id)
                elif step.record is not record:
                    changed.append(step.record)
            self._commit(records, changed, dropped)
            before = {record.id: record.state for record in records}
            records = [
                record
                for record in changed
                if record.state in ACTING or (record.state == "staged" and before[record.id] != "staged")
            ]

    def _commit(self, records: Sequence[Record], changed: list[Record], dropped: list[str]) -> None:
        states = {record.id: record.state for record in records}
        counted = Counter(
            name
            for record in changed
            if states[record.id] != record.state
            and (name := _COUNTED.get((states[record.id], record.state)))
            # Only the first piece of a set is an offer.
            and not (name == "offered" and record.progress)
        )
        try:
            self.store.put(changed, dropped, counted)
        except sqlite3.Error:
            # What was done to the disk is found there by the same acts.
            now = self.clock.steady()
            self._retry.update({record.id: now + _RETRY_SECONDS for record in records})
            raise
        for record in changed:
            if states[record.id] != record.state:
                place = f" as {record.target}" if record.state in {"offered", "quarantined"} else ""
                why = f": {record.reason} {record.detail}" if record.reason else ""
                log.info("%s/%s: %s%s%s", record.login, printable(record.name), record.state, place, why)
            if record.state in {"offered", "quarantined"}:
                self.transitions.signatures.pop(record.id, None)
        for key in dropped:
            self._retry.pop(key, None)
            self.transitions.signatures.pop(key, None)
            log.info("%s: %s, no longer in staging", key, states[key])

    def _act_again(self) -> None:
        """Try again what failed, and what waits in staging."""
        now = self.clock.steady()
        again = {key for key, at in self._retry.items() if at <= now}
        states = ["staged"] if now >= self._staged_at else []
        if not again and not states:
            return
        if states:
            self._staged_at = now + _RETRY_SECONDS
        for key in again:
            del self._retry[key]
        records = {record.id: record for record in self.store.where(*ACTING) if record.id in again}
        records |= {record.id: record for record in self.store.where(*states) if record.id not in self._retry}
        self._pump(list(records.values()))

    def _reported(self) -> None:
        """The DropBox monitor has something new to say."""
        report = self.monitor.report
        wall = self.clock.wall()
        if not report.fresh(wall, self.config.monitor_max_age):
            return
        self.incoming.release(report.watching)
        offered = self.store.where("offered")
        self.workload.heard(report, sum(_gained(record, report) for record in offered))
        self.transitions.at_once = self.incoming.turns.at_once = self.workload.at_once
        changed: list[Record] = []
        dropped = []
        for record in offered:
            try:
                reviewed = self.review.outcome(record, report, wall)
            except OSError as error:
                self._failed(record.id, error)
                continue
            if reviewed is None:
                log.warning("%s: gone from DropBox before OMERO had all of it", printable(record.key))
                dropped.append(record.id)
            else:
                changed += reviewed
        self.store.put(changed, dropped, Counter("imported" for record in changed if record.state == "done"))
        for record in changed:
            if record.state in {"done", "recalling"}:
                log.info("%s/%s: %s", record.login, printable(record.name), record.state)
                self.workload.ended(record)
        self._pump([record for record in changed if record.state in {"recalling", "offering"}])
        self._clear(report)
        self._pump(self.store.where("recalled", "staged"))

    def _clear(self, report: Report) -> None:
        """Delete from DropBox what OMERO still has of sets whose time there is over."""
        cleared = []
        for record in self.clearing.due(self.clock.wall()):
            if record.key in report.imported:
                try:
                    cleared.append(self.clearing.clear(record, report))
                except OSError as error:
                    self._failed(record.id, error)
        self.store.put(cleared)
        if cleared:
            log.info("DropBox: %d sets cleared, which OMERO has", len(cleared))

    def _failed(self, what: str, error: OSError) -> None:
        self.errors += 1
        log.error("%s: %s; tried again later", what, error)


def _gained(record: Record, report: Report) -> int:
    """How many more of the set's files OMERO has than it had."""
    return max(0, len(report.imported.get(record.key, ())) - record.progress)


_COUNTED = {
    ("offering", "offered"): "offered",
    ("recalled", "staged"): "reoffered",
    ("quarantining", "quarantined"): "quarantined",
}

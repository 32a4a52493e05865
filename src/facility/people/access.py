# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what on a day, why not, since when, and when that changes next: one pure function for everything.

Days only, first and last day included. A briefing of 3 May that counts twelve months counts up to 3 May of the next
year; where a month has no such day, up to its last one. Standard library only, so that it can be shipped to any host.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from .demand import FOREVER, Demand, Part, Reason, Spans, both, day_after, demand_part, ends_of, merged
from .facts import IT_ADMIN, Block, Known, Person, Record
from .policy import Instrument, Policy, Requirement

LOG_ON = "log-on:"
PPMS = "ppms:"
_STATES = ("allowed", "grace", "denied")
_DENIED = 2
_STAFF = ("staff",)
# What a block without door and instrument shuts.
_ACCOUNT = (None, None)
_OPEN = Part(0, FOREVER, FOREVER, FOREVER, ())


class Outcome(NamedTuple):
    """What holds for an account, a door or a demand on the day.

    Attributes:
        state: allowed, grace (open, but something has run out) or denied.
        until: The last day of allowed, before a time of grace or the end; in a time of grace the last open day. None if
            denied, or without end.
        closes: The last open day if nothing is added, grace included; None likewise.
        reasons: Why it is not simply allowed.
    """

    state: str
    until: date | None
    closes: date | None
    reasons: tuple[Reason, ...]

    @property
    def open(self) -> bool:
        """Whether one may go through."""
        return self.state != "denied"


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that holds for one person on one day.

    Attributes:
        login: Whose it is.
        untouched: An IT administrator: nothing is decided, and no system may be changed by it. doors is empty.
        account: By its own first and last day and blocks.
        log_in: The account and what every door demands; when this ends, all doors do.
        doors: wiki, share, omero; log-on:<instrument>; ppms:<instrument> where PPMS knows the instrument.
        standing: Each demand on its own, for reminders: by requirement, and training:<instrument> where something is
            known of it.
        next_change: The first later day on which anything above differs; None: never, if nothing is added.
    """

    login: str
    untouched: bool
    account: Outcome
    log_in: Outcome
    doors: Mapping[str, Outcome]
    standing: Mapping[str, Outcome]
    next_change: date | None


class _Instrument(NamedTuple):
    """What doesn't depend on the person."""

    log_on: str
    ppms: str
    instrument: Instrument
    demand: Demand
    untrained: Part
    bundle: int


class _Prepared(NamedTuple):
    """What follows from the policy alone; a bundle is the number of requirements that are demanded together."""

    demands: list[Demand]
    bundles: list[tuple[str, ...]]
    common: int
    doors: list[tuple[str, int]]
    instruments: list[_Instrument]


def decide(person: Person, facts: Known, policy: Policy, day: date) -> Decision:
    """Decide about one person.

    Args:
        person: As known, usually from facts.people.
        facts: What is known; see Facts.known.
        policy: The policy.
        day: The day in question, in the facility's time zone; it may be long ago or to come.
    """
    if person.kind == IT_ADMIN:
        return _untouched(person)
    prepared, record = _prepared(policy), facts.of(person.login)
    blocks = _blocks(record)
    account = _account(person, blocks.get(_ACCOUNT, ()), day)
    parts = {
        demand.name: demand_part(
            demand, _validity(policy.requirements[demand.name], record), merged(record.waived.get(demand.name, ())), day
        )
        for demand in prepared.demands
    }
    bundles = [_together(account, names, parts) for names in prepared.bundles]
    outcomes = [_outcome(part) for part in bundles]
    standing = {name: _outcome(part) for name, part in parts.items()}
    doors = {}
    changes = min([account.changes, *(part.changes for part in parts.values())])
    for door, bundle in prepared.doors:
        shut = blocks.get((door, None))
        doors[door] = outcomes[bundle]
        if shut:
            part = _with_blocks(bundles[bundle], shut, day)
            changes = min(changes, part.changes)
            doors[door] = _outcome(part)
    touched = _touched(record, policy)
    for one in prepared.instruments:
        name, base = one.instrument.name, bundles[one.bundle]
        shut = blocks.get((None, name)) if blocks else None
        if not one.instrument.training or _may_train(person, one.instrument):
            part, outcome = base, outcomes[one.bundle]
        elif name not in touched:
            # Most people are trained on few instruments, so that this is where the time goes.
            reasons = base.reasons + one.untrained.reasons if base.reasons else one.untrained.reasons
            part, outcome = base, Outcome("denied", None, None, reasons)
            if shut:
                part = both(base, one.untrained)
        else:
            training = _training(one, record, day)
            standing[f"training:{name}"] = _outcome(training)
            part = both(base, training)
            outcome = _outcome(part)
            changes = min(changes, part.changes)
        if shut:
            part = _with_blocks(part, shut, day)
            outcome = _outcome(part)
            changes = min(changes, part.changes)
        doors[one.log_on] = outcome
        if one.ppms:
            doors[one.ppms] = outcome
    log_in = outcomes[prepared.common]
    return Decision(person.login, False, _outcome(account), log_in, doors, standing, _day_or_none(changes))


def decide_all(facts: Known, policy: Policy, day: date) -> dict[str, Decision]:
    """Decide about everybody who is known, by login.

    The collector is paused meanwhile: decisions are a million small objects without a cycle, and its walks over them
    took as long as deciding.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return {login: decide(person, facts, policy, day) for login, person in facts.people.items()}
    finally:
        if collecting:
            gc.enable()


def _untouched(person: Person) -> Decision:
    reason = Reason(IT_ADMIN, "account", None, None, "nothing to do: IT administrators are never changed", ())
    outcome = Outcome("allowed", None, None, (reason,))
    return Decision(person.login, True, outcome, outcome, {}, {}, None)


def _outcome(part: Part) -> Outcome:
    if part.rank == _DENIED:
        return Outcome("denied", None, None, part.reasons)
    until = part.closes if part.rank else part.until
    return Outcome(_STATES[part.rank], _day_or_none(until), _day_or_none(part.closes), part.reasons)


def _day_or_none(day: date) -> date | None:
    return None if day == FOREVER else day


def _together(account: Part, names: tuple[str, ...], parts: Mapping[str, Part]) -> Part:
    whole = account
    for name in names:
        whole = both(whole, parts[name])
    return whole


def _may_train(person: Person, instrument: Instrument) -> bool:
    return person.login in instrument.trainers if instrument.trainers else person.kind == "staff"


# --- The account and blocks -------------------------------------------------------------------------------------------


def _account(person: Person, blocks: Sequence[Block], day: date) -> Part:
    first, last = person.valid_from or date.min, _last_day(person)
    part = _OPEN._replace(until=last, closes=last, changes=day_after(last))
    if day < first:
        cure = "waits for its first day; staff can have it begin earlier"
        reason = Reason("not_begun", "account", None, first, cure, _STAFF)
        part = Part(_DENIED, FOREVER, FOREVER, first, (reason,))
    elif day > last:
        since = day_after(last)
        part = Part(_DENIED, FOREVER, FOREVER, FOREVER, (Reason("ended", "account", since, None, "extend it", _STAFF),))
    return _with_blocks(part, blocks, day)


def _last_day(person: Person) -> date:
    # The calendar's last two days mean for ever: there must be a day after the last one.
    last = person.valid_until
    return FOREVER if last is None or last >= FOREVER - timedelta(days=1) else last


def _blocks(record: Record) -> Mapping[tuple[str | None, str | None], Sequence[Block]]:
    """By what they shut, door or instrument or neither; always in the same order."""
    found: dict[tuple[str | None, str | None], list[Block]] = {}
    for block in sorted(record.blocks, key=lambda block: (block.begins, block.ends or FOREVER, block.reason)):
        found.setdefault((block.door, block.instrument), []).append(block)
    return found


def _with_blocks(part: Part, blocks: Sequence[Block], day: date) -> Part:
    if not blocks:
        return part
    rank, until, closes, changes, reasons = part
    for block in blocks:
        last = block.ends or FOREVER
        if day < block.begins:
            eve = block.begins - timedelta(days=1)
            until, closes, changes = min(until, eve), min(closes, eve), min(changes, block.begins)
        elif day <= last:
            cure = "wait for its end, or have it revoked" if block.ends else "have it revoked"
            rank, changes = _DENIED, min(changes, day_after(last))
            reasons = (*reasons, Reason("blocked", block.reason, block.begins, block.ends, cure, _STAFF))
    return Part(rank, until, closes, changes, reasons)


# --- Demands ----------------------------------------------------------------------------------------------------------


def _validity(requirement: Requirement, record: Record) -> Spans:
    spans = []
    for day, proven in record.briefed.get(requirement.name, ()):
        if proven or requirement.proof != "required":
            spans.append((day, ends_of(day, requirement.months)))
    for issued, until in record.papers.get(requirement.name, ()):
        spans.append((issued, min(ends_of(issued, requirement.months), until or FOREVER)))
    return merged(spans)


def _training(one: _Instrument, record: Record, day: date) -> Part:
    instrument = one.instrument
    sessions = [attended for name in instrument.counts for attended in record.trained.get(name, ())]
    waived = record.waived_training.get(instrument.name, ())
    used = sorted(used_on for name in instrument.counts for used_on in record.used.get(name, ()))
    spans, disused = [], set()
    for first, _ in sessions:
        last = ends_of(first, instrument.training_months)
        if used and instrument.idle_days:
            idle = _idle_after(first, used, instrument.idle_days)
            if idle < last:
                last = idle
                disused.add(last)
        spans.append((first, last))
    valid = merged(spans)
    before = [last for first, last in valid if last < day]
    demand = one.demand._replace(ended="disused") if before and before[-1] in disused else one.demand
    return demand_part(demand, valid, merged(waived), day)


def _touched(record: Record, policy: Policy) -> set[str]:
    """Instruments for which some training or exception is known."""
    named = [policy.instruments[name] for name in record.trained if name in policy.instruments]
    return {*record.waived_training, *(name for instrument in named for name in instrument.counts)}


def _idle_after(first: date, used: list[date], idle_days: int) -> date:
    """The last day of a training that lapses by disuse; use after that doesn't bring it back."""
    idle = timedelta(days=idle_days)
    last = first + idle
    for day in used:
        if day > last:
            break
        last = max(last, day + idle)
    return last


# --- What follows from the policy alone -------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _prepared(policy: Policy) -> _Prepared:
    demands = []
    for requirement in (policy.requirements[name] for name in policy.used):
        who = requirement.recorded_by or _STAFF
        demands.append(Demand(requirement.name, _cure(requirement), who, requirement.grace_days))
    demanded = [policy.common, *policy.doors.values(), *(one.demands for one in policy.instruments.values())]
    bundles = list(dict.fromkeys(demanded))
    instruments = []
    for name, instrument in policy.instruments.items():
        who, cure = instrument.trainers or _STAFF, f"be trained on {instrument.title}"
        demand = Demand(name, cure, who, never="never_trained", ended="training_expired")
        untrained, ppms = demand_part(demand, [], [], FOREVER), f"{PPMS}{name}" if instrument.ppms_system_id else ""
        bundle = bundles.index(instrument.demands)
        instruments.append(_Instrument(f"{LOG_ON}{name}", ppms, instrument, demand, untrained, bundle))
    doors = [(door, bundles.index(names)) for door, names in policy.doors.items()]
    return _Prepared(demands, bundles, bundles.index(policy.common), doors, instruments)


def _cure(requirement: Requirement) -> str:
    ways = {
        "any": "take part in",
        "oral": "take part, in person, in",
        "electronic": "pass the test of",
        "document": "bring the document for",
    }
    return f"{ways[requirement.form]} {requirement.title}"

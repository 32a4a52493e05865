# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an agent, in lines that name the cure. Knows no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ...core.plan import Plan
from .agent import CODE, PROGRAMS, SETTINGS, TASK, Observed, Wanted

CLOCK_SECONDS = 60
"""Minutes are what is billed; a clock that is off by one is wrong in the journal."""
_LATE_RUNS = 5
_SILENT = "is the PC's disk full? The task's last result in Task Scheduler says more"
_WHOSE = "the PC's journal says whose they are"
_AGAIN = "run playbooks/devices.yml for this PC"
# What the agent says about the last minute, by the beginning of its detail.
_SENDING = {
    "dns": "the PC doesn't find the tracker's name: mend its DNS, or the tracker_url",
    "refused-connection": "nobody answers at the tracker's address: is PPMS off, or a firewall in between?",
    "tls": "the tracker's certificate isn't trusted by the PC: install its authority, or an update of Windows",
    "timeout": "the tracker doesn't answer in time: is PPMS overloaded, or a firewall in between?",
    "http 4": "PPMS refuses: is the tracker_url right?",
    "http 5": "PPMS is out of order",
}


def problems(got: Observed, wanted: Wanted | None, steps: Plan, clock: float | None, now: datetime) -> list[str]:
    """Return what is wrong with an agent that could be asked.

    Args:
        got: how it is.
        wanted: how it should be; None where none should be.
        steps: what lies between.
        clock: the PC's clock minus the controller's in seconds, None if unknown.
        now: the controller's time, with a zone.

    Returns:
        One line each with its cure; empty when all is well.
    """
    if wanted is None:
        return [f"an agent is there and should not be: {_AGAIN}"] if steps.changed else []
    return [*_deployment(got, wanted, steps), *_running(got, wanted, now), *_reporting(got), *_clock(clock)]


def _deployment(got: Observed, wanted: Wanted, steps: Plan) -> Iterator[str]:
    keys = {change.key for change in steps.changes}
    program = PROGRAMS[wanted.engine]
    if not got.engine:
        yield f"the agent isn't there: {_AGAIN}"
        return
    if got.engine not in got.engines:
        yield f"{got.engine} is off or was removed, so the agent can't run: {_AGAIN} with engine: auto"
    if f"file {program}" in keys:
        yield f"{program} isn't the facility's: changed by hand, or an older version: {_AGAIN}"
    if {"settings", f"file {SETTINGS}"} & keys:
        yield f"{SETTINGS} isn't as the inventory says: {_AGAIN}"
    if f"file {CODE}" in keys:
        yield f"the tracker code isn't the vault's: {_AGAIN}"
    if any(key.startswith("access ") for key in keys):
        yield f"others than the facility may read or change the agent's files: {_AGAIN}"
    yield from _task(got, keys)


def _task(got: Observed, keys: set[str]) -> Iterator[str]:
    if got.task is None:
        yield f"the task {TASK} isn't there, so nothing is reported: {_AGAIN}"
    elif got.task.get("enabled") != "true":
        yield f"the task {TASK} was switched off by hand, so nothing is reported: {_AGAIN}"
    elif f"task {TASK}" in keys:
        yield f"the task {TASK} isn't as it was made: {_AGAIN}"


def _running(got: Observed, wanted: Wanted, now: datetime) -> Iterator[str]:
    if not got.engine:
        return
    if got.state.get("config_error"):
        yield f"the agent refuses its settings ({got.state['config_error']}): mend the inventory, then {_AGAIN}"
    if got.state.get("journal_error"):
        yield f"the agent reports but can't keep its journal ({got.state['journal_error']}): is the PC's disk full?"
    last = when(got.state.get("last_run", ""))
    if last is None:
        yield f"the agent has never run: {_SILENT}"
    elif now - last > _LATE_RUNS * timedelta(minutes=int(wanted.settings.get("interval_minutes", "1"))):
        yield f"the agent last ran at {last:%Y-%m-%d %H:%M} UTC: {_SILENT}"


def _reporting(got: Observed) -> Iterator[str]:
    result, detail = got.state.get("last_result", ""), got.state.get("last_detail", "")
    if result == "unsent":
        cure = next(
            (cure for sign, cure in _SENDING.items() if detail.startswith(sign)), "see docs/services/device-pcs.md"
        )
        yield f"the last minute was not sent ({detail}): {cure}"
    if result == "refused":
        yield f'PPMS answered the last minute with "{detail}": are system id and tracker code this instrument\'s?'
    if result == "unsure":
        yield (
            f'PPMS answered the last minute with "{detail}", which is not what it is known to say: if PPMS shows the '
            "session, add that text to tracker_answers; else look what stands at tracker_url"
        )
    if result == "elsewhere":
        yield (
            f"somebody has a desktop there and nobody is at the console ({detail}), so nothing is reported: Remote "
            "Desktop, or a session that was left by switching users: end it, or book it by hand"
        )
    if result == "unknown":
        yield f"the agent doesn't know who is at the PC ({detail}): is WMI out of order there?"
    if got.number("unsent_minutes"):
        yield f"{got.number('unsent_minutes')} minutes could not be sent to PPMS; {_WHOSE}"
    if got.number("refused_minutes"):
        yield f"{got.number('refused_minutes')} minutes were sent but refused by PPMS; {_WHOSE}"
    if got.number("unsure_minutes"):
        yield (
            f"{got.number('unsure_minutes')} minutes were sent, and PPMS's answer does not say that they count; "
            f"{_WHOSE}, and PPMS which of them it has"
        )


def blind(probe: Mapping[str, str], state: Mapping[str, str]) -> list[str]:
    """Return whether the account that runs the agent is told less than an administrator.

    Args:
        probe: what the agent says when an administrator runs it.
        state: what it wrote when LOCAL SERVICE ran it, a minute ago at most.
    """
    if not probe.get("console") or state.get("last_result") not in {"nobody", "elsewhere"}:
        return []
    return [
        f"Windows tells an administrator who sits there, and LOCAL SERVICE, as which the agent runs, that nobody does: "
        f"if {probe['console']} sat there for two minutes, let LOCAL SERVICE ask (wmimgmt.msc, Security, Root\\CIMV2: "
        "Enable Account), for nothing is reported"
    ]


def _clock(clock: float | None) -> Iterator[str]:
    if clock is not None and abs(clock) > CLOCK_SECONDS:
        where = "ahead" if clock > 0 else "behind"
        yield f"the PC's clock is {abs(clock):.0f} s {where}: let Windows set it by the network"


def lost_minutes(state: Mapping[str, str]) -> int:
    """Return the minutes that PPMS never learned of, as the agent counts them."""
    values = (state.get(name, "0") for name in ("unsent_minutes", "refused_minutes"))
    return sum(int(value) for value in values if value.isdigit())


def when(text: str) -> datetime | None:
    """Return the time of the agent's "2026-11-23T18:22:00Z"; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None

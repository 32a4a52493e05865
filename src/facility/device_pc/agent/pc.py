# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a PC's agent to where it should be, so that an interrupted run leaves the old agent working.

New files arrive in a folder of the run's own, are checked and get their access lists there; then all of them are put in
place by renames in one command, and only then the task changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.plan import Plan
from ..command import Scratch, Upload
from ..winrm import DevicePc
from .agent import (
    CODE,
    FOLDER,
    PROGRAMS,
    SETTINGS,
    TASK,
    AgentError,
    Observed,
    Wanted,
    chosen_engine,
    difference,
    observed,
    protect,
    question,
)


@dataclass(frozen=True)
class Wish:
    """What a person asks for; which engine it comes to is known only once the PC was asked.

    Attributes:
        present: whether an agent should be there.
        engine: auto, vbscript or jscript.
        program: gives the agent for an engine.
        settings: keys of ppms-agent.ini.
        code: the instrument's tracker code.
        purge_journal: with present False, take the journal away too.
    """

    present: bool
    engine: str
    program: Callable[[str], bytes]
    settings: dict[str, str]
    code: str = field(repr=False)
    purge_journal: bool = False

    def wanted(self, got: Observed, host: str) -> Wanted | None:
        """What it comes to on a PC.

        Raises:
            AgentError: when no engine works there.
        """
        if not self.present:
            return None
        engine = chosen_engine(self.engine, got.engines, host)
        return Wanted(engine, self.program(engine), self.settings, self.code)


def ask(pc: DevicePc) -> str:
    """Return a PC's answer about its agent: one shell and one command.

    Raises:
        WinrmError: when it can't be asked.
    """
    return pc.must(question(Scratch.new()), "the agent is looked at").output


def planned(answer: str, wish: Wish, host: str) -> tuple[Observed, Wanted | None, Plan]:
    """Return how an agent is, how it should be, and what lies between."""
    got = observed(answer)
    wanted = wish.wanted(got, host)
    return got, wanted, difference(got, wanted)


def converge(pc: DevicePc, wish: Wish, *, check_mode: bool) -> dict[str, Any]:
    """Bring a PC's agent to where it should be.

    Returns:
        changed, diff, engine, and state: what the agent says of its last run.

    Raises:
        WinrmError: the PC can't be reached, refuses, or a command fails.
        AgentError: no engine works, or the agent is not as wanted afterwards.
    """
    host = pc.endpoint.host
    got, wanted, steps = planned(ask(pc), wish, host)
    if steps.changed and not check_mode:
        if wanted is None:
            _remove(pc, purge_journal=wish.purge_journal)
        else:
            with pc.scratch() as scratch:
                _install(pc, wanted, steps, scratch)
        left = difference(observed(ask(pc)), wanted)
        if left.changed:
            names = ", ".join(change.key for change in left.changes)
            raise AgentError(
                f"{host}: done, but not as wanted afterwards: {names}: does a policy or a scanner change it back?"
            )
    return module_result(got, wanted, steps)


def module_result(got: Observed, wanted: Wanted | None, steps: Plan) -> dict[str, Any]:
    """Return the result of a run in Ansible's terms."""
    return {
        "changed": steps.changed,
        "diff": steps.diff(),
        "engine": wanted.engine if wanted else "",
        "state": dict(got.state),
    }


def _install(pc: DevicePc, wanted: Wanted, steps: Plan, scratch: Scratch) -> None:
    keys = {change.key for change in steps.changes}
    if "access folder" in keys:
        folder = f'(if not exist "{FOLDER}\\" mkdir "{FOLDER}") && {protect("folder", FOLDER)}'
        pc.must(folder, "the agent's folder is there, closed to users")
    uploads = {
        name: Upload(f"{FOLDER}\\{name}", content, scratch, secret=name == CODE)
        for name, content in wanted.files().items()
        if keys & {f"file {name}", f"access {name}"} or (name == SETTINGS and "settings" in keys)
    }
    for upload in uploads.values():
        pc.upload(upload)
    if uploads:
        lines = [protect(name, upload.arrived) for name, upload in uploads.items()]
        lines += [upload.place() for upload in uploads.values()]
        pc.must(" && ".join(lines), "the agent's files are in place")
    if f"task {TASK}" in keys:
        _schedule(pc, wanted, scratch)
    unwanted = [name for name in PROGRAMS.values() if name != PROGRAMS[wanted.engine]]
    gone = [f'del /q "{FOLDER}\\{name}"' for name in unwanted if f"file {name}" in keys]
    if gone:
        pc.must(" & ".join(gone), "the other engine's agent is gone")


def _schedule(pc: DevicePc, wanted: Wanted, scratch: Scratch) -> None:
    upload = Upload(f"{FOLDER}\\task.xml", wanted.task().xml(), scratch)
    pc.upload(upload)
    pc.must(f'schtasks /create /tn "{TASK}" /xml "{upload.arrived}" /f >nul', "the task is registered")


def _remove(pc: DevicePc, *, purge_journal: bool) -> None:
    # The task first: an agent without its files would only complain once a minute.
    pc.must(
        f'(schtasks /query /tn "{TASK}" >nul 2>nul || exit /b 0) & schtasks /end /tn "{TASK}" >nul 2>nul'
        f' & schtasks /delete /tn "{TASK}" /f >nul',
        "the task is gone",
    )
    if purge_journal:
        line = f'(if exist "{FOLDER}\\" rmdir /s /q "{FOLDER}")'
    else:
        names = [*PROGRAMS.values(), SETTINGS, CODE, "state.ini", "state.new", "agent.lock"]
        line = " & ".join(f'(if exist "{FOLDER}\\{name}" del /f /q "{FOLDER}\\{name}")' for name in names)
    pc.must(line, "the agent's files are gone")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the steps of a long command: say what runs and how long it took, stop at the first fault and name the cure."""

import dataclasses
import itertools
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from testbed import phases
from testbed.passes import HOURS, Pass, Passes
from testbed.paths import BUILD, REPOSITORY

LOGS = BUILD / "logs"
LANES = 2
"""How many steps run beside each other: on two cores a third makes all of them slower, and their tests time out."""

SAID = 1500
"""So many characters of a fault's end are repeated below the table, for whoever sees only the end of a log."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: what the person reads.
        command: program and arguments, run from the repository's root.
        again: how to repeat just this step by hand.
        junit: a JUnit file that the command writes; its tests are counted, otherwise the step counts as one.
        shown: let the command's output through instead of only keeping it in build/logs/.
        phases: a file in which a scenario notes the seconds of its phases.
        beside: a word; it may run beside neighbours with the same: it shares no hosts with them. "" for alone.
        rooms: what it depended on, asked after it went well; without it, a pass is never taken over.
        together: a word; neighbours with the same run one after the other, and are taken over all or none: one works on
            what the other left.
    """

    name: str
    command: Sequence[str]
    again: str
    junit: Path | None = None
    shown: bool = False
    phases: Path | None = None
    beside: str = ""
    rooms: Callable[[], Collection[str]] | None = None
    together: str = ""


@dataclass
class Outcome:
    """What came of a step.

    Attributes:
        name: the step's.
        seconds: elapsed.
        passed: how many tests; failed and skipped likewise.
        faults: a text for each test that failed.
        phases: seconds of each phase, of a scenario.
        since: when an earlier run found it good, seconds since the epoch; None where this run did.
    """

    name: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    faults: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    since: float | None = None


@dataclass
class Run:
    """Steps in their order; after the first that fails no other begins.

    Attributes:
        total: how many there are.
        passes: where good steps are noted for later runs.
        earlier: steps that need not run, and why: by name.
    """

    total: int
    passes: Passes | None = None
    earlier: dict[str, Pass] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    _numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def do(self, step: Step) -> bool:
        """Run a step and print its line; on a fault print its log and the command that repeats it."""
        with self._lock:
            if any(outcome.failed for outcome in self.outcomes):
                return False
            number = next(iter(self._numbers))
            if step.name in self.earlier:
                since = self._take_over(step, self.earlier[step.name])
                print(f"[{number}/{self.total}] {step.name}: good since {since}, and nothing changed", flush=True)
                return True
            print(f"[{number}/{self.total}] {step.name} …", flush=True)
        return self._finished(step, number)

    def _take_over(self, step: Step, earlier: Pass) -> str:
        self.outcomes.append(Outcome(step.name, 0, earlier.passed, skipped=earlier.skipped, since=earlier.at))
        return _clock_time(earlier.at)

    def _finished(self, step: Step, number: int) -> bool:
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"{step.name.replace(' ', '-').replace(':', '')}.log"
        began = time.monotonic()
        with log.open("w") as output:
            kept = {} if step.shown else {"stdout": output, "stderr": subprocess.STDOUT}
            done = subprocess.run(step.command, cwd=REPOSITORY, check=False, **kept)  # type: ignore[call-overload]
        seconds = time.monotonic() - began
        outcome = _count(step, seconds, done.returncode)
        outcome.phases = phases.read(step.phases) if step.phases else {}
        with self._lock:
            self.outcomes.append(outcome)
            if done.returncode == 0:
                if self.passes and step.rooms:
                    self.passes.note(step.name, step.rooms(), passed=outcome.passed, skipped=outcome.skipped)
                print(f"[{number}/{self.total}] {step.name}: done in {seconds:.1f} s", flush=True)
                return True
            if not step.shown:
                print(text := log.read_text(errors="replace"))
                outcome.faults = outcome.faults or ["\n" + _end(text)]
            print(f"[{number}/{self.total}] {step.name}: FAILED after {seconds:.1f} s (status {done.returncode})")
            print(f"To repeat just this step: {step.again}", flush=True)
        return False

    def summary(self) -> str:
        """Return a table of all steps, one of scenarios, what failed and why, and last the line of totals."""
        rows = [("step", "seconds", "passed", "failed", "skipped")]
        rows += [(o.name, f"{o.seconds:.1f}", str(o.passed), str(o.failed), str(o.skipped)) for o in self.outcomes]
        passed, failed, skipped = (
            sum(getattr(o, what) for o in self.outcomes) for what in ("passed", "failed", "skipped")
        )
        last = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
        faults = [f"{o.name}: {fault}" for o in self.outcomes for fault in o.faults]
        return "\n\n".join([table(rows), *self._phases(), *self._taken_over(), *faults, last])

    def _taken_over(self) -> list[str]:
        """Return one text about the steps that an earlier run found good, where there are some."""
        rows = [(o.name, _clock_time(o.since)) for o in self.outcomes if o.since is not None]
        head = (
            f"Not run again, for nothing that they depend on changed within {HOURS} hours (make test ALL=1 runs all):"
        )
        return ["\n".join([head, table([("step", "good since"), *rows])])] if rows else []

    def _phases(self) -> list[str]:
        """Return a table with the seconds of each phase of each scenario, where there was one."""
        scenarios = [outcome for outcome in self.outcomes if outcome.phases]
        rows = [[o.name, *(f"{o.phases.get(name, 0):.1f}" for name in phases.PHASES)] for o in scenarios]
        return [table([["seconds of", *phases.PHASES], *rows])] if rows else []

    def note(self, file: Path) -> None:
        """Write what came of each step to a file, as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([dataclasses.asdict(outcome) for outcome in self.outcomes], indent=1) + "\n")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, the first row underlined; columns of numbers lean right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [all(row[column].replace(".", "").isdigit() for row in rows[1:]) for column in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])])


def run_all(steps: Sequence[Step], passes: Passes | None = None, *, again: bool = True) -> tuple[Run, bool]:
    """Run steps until one fails, neighbours that may so side by side; return the run and whether all went well.

    Args:
        steps: in their order.
        passes: where good steps are noted.
        again: also those that an earlier run found good, and that depend on nothing that changed.
    """
    run = Run(len(steps), passes, {} if again or passes is None else _earlier(steps, passes))
    for beside, group in itertools.groupby(steps, key=lambda step: step.beside):
        with ThreadPoolExecutor(LANES if beside else 1) as lanes:
            if not all(list(lanes.map(lambda chain: all(run.do(step) for step in chain), _chains(group)))):
                return run, False
    return run, True


def _chains(neighbours: Iterable[Step]) -> list[list[Step]]:
    """Return steps that may run beside each other, those that work on what the other left as one chain."""
    chains: list[list[Step]] = []
    for step in neighbours:
        if step.together and chains and chains[-1][-1].together == step.together:
            chains[-1].append(step)
        else:
            chains.append([step])
    return chains


def _earlier(steps: Sequence[Step], passes: Passes) -> dict[str, Pass]:
    """Return the passes that are taken over, by the steps' names."""
    found = {step.name: earlier for step in steps if step.rooms and (earlier := passes.known(step.name))}
    broken = {step.together for step in steps if step.together and step.name not in found}
    return {step.name: found[step.name] for step in steps if step.name in found and step.together not in broken}


def _clock_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _count(step: Step, seconds: float, status: int) -> Outcome:
    outcome = Outcome(step.name, seconds)
    if step.junit is not None and step.junit.exists():
        for suite in ElementTree.parse(step.junit).iter("testsuite"):  # noqa: S314  (our own file)
            tests, bad = int(suite.get("tests", 0)), int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            outcome.skipped += int(suite.get("skipped", 0))
            outcome.failed += bad
            outcome.passed += tests - bad - int(suite.get("skipped", 0))
            outcome.faults += _faults(suite)
        if status and not outcome.failed:
            outcome.failed = 1
    elif status:
        outcome.failed = 1
    else:
        outcome.passed = 1
    return outcome


def _faults(suite: ElementTree.Element) -> list[str]:
    """Return the tests of a suite that failed, each with the end of its reason: there a playbook says what is wrong."""
    found = []
    for case in suite.iter("testcase"):
        for reason in (child for child in case if child.tag in {"failure", "error"}):
            text = (reason.text or reason.get("message") or "").strip()
            found.append(f"{case.get('name')}\n{_end(text)}")
    return found


def _end(text: str) -> str:
    kept = text if len(text) <= SAID else "… " + text[-SAID:]
    return textwrap.indent(kept.strip(), "    ")


def finish(run: Run, good: bool) -> int:
    """Print the summary and return the exit status."""
    print(f"\n{run.summary()}", flush=True)
    sys.stdout.flush()
    return 0 if good else 1

# SPDX-License-Identifier: GPL-3.0-or-later
"""``make test``: everything that is not known to be good, two steps at a time, with one table at the end."""

import argparse
import dataclasses
import functools
import shutil
import sys

from testbed import phases, rooms
from testbed.passes import Passes
from testbed.paths import BUILD, REPOSITORY
from testbed.steps import Step, finish, run_all

RESULTS = BUILD / "results"
LONG = ("omero_server", "backup", "backup_server", "backup_client", "backup_directory")
"""These scenarios begin first, so that no lane waits for one of them at the end."""


def lint_steps() -> list[Step]:
    """Return the linters: Ansible, which takes longest, Python, types, YAML."""
    linters = [
        ("ansible-lint", ["ansible-lint", "--offline", "--strict"], ""),
        ("ruff", ["ruff", "check", "."], ""),
        ("format", ["ruff", "format", "--check", "."], "   (cure: ruff format .)"),
        ("mypy", ["mypy"], ""),
        ("yamllint", ["yamllint", "--strict", "."], ""),
    ]
    return [
        Step(f"lint: {name}", command, f"make lint{cure}", beside="checks", rooms=everything)
        for name, command, cure in linters
    ]


def everything() -> set[str]:
    """Return the whole checkout: what linters, unit and contract tests look at."""
    return {rooms.ALL}


def site() -> set[str]:
    """Return what a facility is made of."""
    return {rooms.SITE}


def pytest_step(name: str, folder: str, again: str) -> Step:
    """Return a step that runs one folder of tests."""
    junit = RESULTS / f"{name}.xml"
    return Step(name, [sys.executable, "-m", "pytest", "-q", folder, f"--junit-xml={junit}"], again, junit)


def scenario_steps() -> list[Step]:
    """Return a step for each molecule scenario."""
    names = sorted(path.parent.name for path in (REPOSITORY / "molecule").glob("*/molecule.yml"))
    return [
        scenario_step(name) for name in sorted(names, key=lambda name: LONG.index(name) if name in LONG else len(LONG))
    ]


def scenario_step(name: str) -> Step:
    """Return the step that runs one scenario: converge, idempotence, verify."""
    return Step(
        f"scenario: {name}",
        [sys.executable, "-m", "testbed.scenario", name],
        f"make scenario NAME={name}",
        RESULTS / f"scenario-{name}.xml",
        phases=phases.notes(name),
        beside="scenarios",
        rooms=functools.partial(scenario_rooms, name),
    )


def scenario_rooms(name: str) -> set[str]:
    """Return what a scenario depended on: rooms that its files name, and roles that Ansible really ran.

    Nothing, which no later run takes for a pass, where Ansible noted nothing.
    """
    used = phases.used(name)
    paths = used.read_text().splitlines() if used.exists() else []
    known = set(rooms.digests()) - {rooms.ALL, rooms.SITE, rooms.REST}
    return rooms.of_paths(paths) | rooms.mentioned(f"molecule/{name}", known) | {rooms.REST} if paths else set()


def beds_step() -> Step:
    """Return the step that kills, loses and restarts hosts of beds of its own."""
    step = pytest_step("beds", "tests/beds", "make acceptance")
    return dataclasses.replace(step, beside="scenarios", rooms=beds_rooms)


def beds_rooms() -> set[str]:
    """Return what the test bed's own tests depend on: no role."""
    return {"tests", "tests/beds", rooms.REST}


def conformance_step() -> Step:
    """Return the step that runs both twins of the PPMS agent, and the script of log-on, under Wine."""
    step = pytest_step("conformance", "tests/conformance", "make conformance")
    return dataclasses.replace(step, beside="scenarios", rooms=conformance_rooms)


def conformance_rooms() -> set[str]:
    """Return what the conformance tests depend on."""
    known = set(rooms.digests()) - {rooms.ALL, rooms.SITE, rooms.REST}
    return rooms.mentioned("tests/conformance", known) | {rooms.REST, "roles/device_pc"}


def acceptance_steps() -> list[Step]:
    """Return the example facility, the same once more, and what people do with it."""
    steps = [
        Step("facility", [sys.executable, "-m", "testbed", "facility"], "make facility"),
        Step("facility again", [sys.executable, "-m", "testbed.unchanged"], "make facility, then look for changed="),
        pytest_step("acceptance", "tests/acceptance", "make acceptance"),
    ]
    return [dataclasses.replace(step, rooms=site, together="facility", beside="scenarios") for step in steps]


def earlier_passes() -> Passes | None:
    """Return what is known of earlier runs; None, and one line, for a checkout of which git knows no files."""
    try:
        return Passes()
    except rooms.RoomsError as error:
        print(f"All steps run, and none is noted as good: {error}", flush=True)
        return None


def main() -> int:
    """Run the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m testbed.suite", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=["all", "lint", "unit", "conformance", "acceptance"])
    parser.add_argument("--again", action="store_true", help="run also what an earlier run found good")
    given = parser.parse_args()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    unit = [
        dataclasses.replace(pytest_step(name, f"tests/{name}", "make unit"), beside="checks", rooms=everything)
        for name in ("unit", "contract")
    ]
    steps = {
        "lint": lint_steps(),
        "unit": unit,
        "conformance": [conformance_step()],
        "acceptance": [*acceptance_steps(), beds_step()],
        # The facility first, for it takes longest.
        "all": [*lint_steps(), *unit, *acceptance_steps(), *scenario_steps(), conformance_step(), beds_step()],
    }[given.part]
    # Who asks for a part wants to see it run.
    run, good = run_all(steps, earlier_passes(), again=given.again or given.part != "all")
    run.note(RESULTS / "steps.json")
    return finish(run, good)


if __name__ == "__main__":
    sys.exit(main())

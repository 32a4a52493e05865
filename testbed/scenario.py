# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one molecule scenario, and leave none of its hosts behind when it succeeds."""

import os
import subprocess
import sys

from testbed import fast, phases
from testbed.paths import BUILD, REPOSITORY


def main() -> int:
    """Run the scenario that is named; return molecule's exit status."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    known = sorted(path.parent.name for path in (REPOSITORY / "molecule").glob("*/molecule.yml"))
    if name not in known:
        print(f"no scenario {name!r}; known are {', '.join(known)}: make scenario NAME={known[0]}", file=sys.stderr)
        return 2
    results = BUILD / "results"
    results.mkdir(parents=True, exist_ok=True)
    junit = f"--junit-xml={results}/scenario-{name}.xml"
    # The beds may be another checkout's, or half there: molecule must not believe its own notes about them.
    subprocess.run(["molecule", "reset", "--scenario-name", name], cwd=REPOSITORY, check=False, capture_output=True)
    strategy, why = fast.strategy(name, os.environ)
    if why:
        print(why, flush=True)
    (used := phases.used(name)).unlink(missing_ok=True)
    environment = {
        **os.environ,
        **strategy,
        "ANSIBLE_CALLBACK_PLUGINS": str(REPOSITORY / "testbed" / "callback"),
        "FACILITY_USED": str(used),
        "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} {junit}",
    }
    command = ["molecule", "test", "--scenario-name", name]
    return phases.run(command, environment, phases.notes(name), strategy=strategy.get("ANSIBLE_STRATEGY", "linear"))


if __name__ == "__main__":
    sys.exit(main())

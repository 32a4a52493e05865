# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one molecule scenario, and leave none of its hosts behind when it succeeds."""

import os
import subprocess
import sys

from testbed import fast, phases, prepared
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
    began = prepared.start(name)
    for line in filter(None, (why, began.line)):
        print(line, flush=True)
    # What a prepared state used counts as used by this run, too.
    (used := phases.used(name)).write_text("".join(f"{path}\n" for path in began.state.used) if began.state else "")
    environment = {
        **os.environ,
        **strategy,
        **began.settings,
        "ANSIBLE_CALLBACK_PLUGINS": str(REPOSITORY / "testbed" / "callback"),
        "FACILITY_USED": str(used),
        "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} {junit}",
    }
    command = ["molecule", "test", "--scenario-name", name]
    more = {"strategy": strategy.get("ANSIBLE_STRATEGY", "linear"), "hosts": "prepared" if began.state else "new"}
    status = phases.run(command, environment, phases.notes(name), **more)
    if line := prepared.end(name, began, status):
        print(line, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())

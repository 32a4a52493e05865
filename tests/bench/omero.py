# SPDX-License-Identifier: GPL-3.0-or-later
"""The module omero_config with 60 properties on the example facility's OMERO host, against `omero config set`.

Alone: ``PYTHONPATH=src python -m tests.bench.omero``. Both write files of their own in a folder of the
bench; OMERO's stays as it is.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from testbed.paths import BUILD, REPOSITORY
from testbed.podman import PodmanError, podman
from tests.bench.figures import Figure, figures_table

HERE = Path(__file__).parent
HOST = "omero1.imaging.example.org"
HOME = "/opt/omero/server"
FOLDER = "/run/omero-bench"
USER = "omero-server"
PROPERTIES = 60
SECONDS = 2
BARE_CALLS = 3
NAME = f"omero_config: {PROPERTIES} properties"
Say = Callable[[str], None]


def figures(say: Say, obstacle: str = "") -> list[Figure]:
    """The module's figure; an obstacle says why the host can't be used.

    Raises:
        PodmanError: when something fails on the host.
    """
    if obstacle:
        return [Figure(NAME, "s", SECONDS, remark=obstacle)]
    podman("exec", HOST, "install", "-d", "-m", "0700", "-o", USER, FOLDER)
    try:
        names = _names()
        podman("exec", HOST, "install", "-m", "0600", "-o", USER, "/dev/null", f"{FOLDER}/bare.xml")
        say(f"baseline: omero config set, {BARE_CALLS} of {PROPERTIES} calls")
        bare = [_config_set(name) for name in names[:BARE_CALLS]]
        say(f"omero_config sets {PROPERTIES} properties")
        runs = _module_runs(names)
        written = podman("exec", HOST, "cat", f"{FOLDER}/config.xml")
    finally:
        podman("exec", HOST, "rm", "-rf", FOLDER)
    seconds = [taken for taken, _ in runs]
    faults = []
    if [changed for _, changed in runs] != [True, True, True, False]:
        faults.append("a run changed nothing, or the last one something")
    # The file holds each of them twice: for the active profile and for the default one, which are the same.
    there = set(re.findall(r'name="([^"]+)" value="three"', written))
    if there != set(names) or len(names) != PROPERTIES:
        faults.append(f"{len(there)} of {PROPERTIES} properties are there")
    value, baseline = statistics.median(seconds[:-1]), statistics.mean(bare) * PROPERTIES
    return [
        Figure(
            NAME, "s", SECONDS, value, baseline, f"omero config set, each of them, extrapolated from {BARE_CALLS}",
            value / baseline, seconds, "; ".join(faults), "runs: three that change all, one that finds nothing to do",
        )
    ]  # fmt: skip


def _names() -> list[str]:
    """The first properties of OMERO's own list that are no passwords, which the module wants apart."""
    listed = podman("exec", HOST, "cat", f"{HOME}/OMERO.server/etc/omero.properties")
    found = re.findall(r"^(omero\.[\w.]+)=", listed, re.MULTILINE)
    return [name for name in found if not re.search("pass|secret|version", name)][:PROPERTIES]


def _config_set(name: str) -> float:
    """Seconds of one call, on the host itself."""
    surroundings = [f"OMERODIR={HOME}/OMERO.server", f"OMERO_USERDIR={FOLDER}", f"OMERO_TMPDIR={FOLDER}"]
    command = [f"{HOME}/venv/bin/omero", "config", "--source", f"{FOLDER}/bare.xml", "set", name, "three"]
    began = time.monotonic()
    podman("exec", HOST, "runuser", "-u", USER, "--", "env", *surroundings, *command)
    return time.monotonic() - began


def _module_runs(names: list[str]) -> list[tuple[float, bool]]:
    """For each run of the module its task's seconds, and whether it changed something."""
    result = BUILD / "bench-omero.json"
    variables = {"bench_folder": FOLDER, "bench_names": names, "bench_result": str(result)}
    done = subprocess.run(
        ["ansible-playbook", "-e", json.dumps(variables), str(HERE / "omero.yml")],
        cwd=REPOSITORY, env={**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}, capture_output=True,
        text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PodmanError(f"ansible-playbook omero.yml:\n{done.stdout}{done.stderr}")
    runs = json.loads(result.read_text())
    result.unlink()
    return [(float(seconds), bool(changed)) for seconds, changed in runs]


def main() -> int:
    """Measure the module alone; print the table."""
    found = figures(print)
    print(figures_table(found))
    print(*([round(run, 2) for run in figure.runs] for figure in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.bench.trees COMMIT``: the second converge of the example, of another commit and of this checkout.

Each tree in turn makes the example facility (that of either is lost) and converges it again; wall clock and CPU of both
are taken within an hour on the same machine. Half an hour; nothing else should run meanwhile. The facility of this
checkout is left running.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from testbed.hosts.bed import bed_of_inventory
from testbed.paths import BUILD, REPOSITORY
from testbed.podman import inspect
from tests.bench.figures import Figure, figures_table

WORKTREE = BUILD / "bench" / "before"
MOST_OF_BASELINE = 0.4
REST_SECONDS = 60
"""For so long the hosts are left alone and their CPU counted: what they use of themselves is no converge's."""


class TreesError(Exception):
    """A tree can't be measured; the message says which, and shows the end of its output."""


@dataclass(frozen=True)
class Converge:
    """A second converge.

    Attributes:
        wall: seconds, Ansible's own start included.
        cpu: seconds of the controller and the hosts, without what hosts at rest use in that time.
        facility: seconds of ``make facility`` before it.
    """

    wall: float
    cpu: float
    facility: float


def measure(tree: Path) -> Converge:
    """Make a tree's facility, then converge it again.

    Raises:
        TreesError: when one of both fails, or the second converge changes something.
    """
    made = _run(tree, ["make", "facility"])
    names = [host.name for host in bed_of_inventory("facility", tree / "inventories/example/hosts.yml").hosts]
    began, used = time.monotonic(), _cpu_of(names)
    time.sleep(REST_SECONDS)
    at_rest = (_cpu_of(names) - used) / (time.monotonic() - began)
    used, controller = _cpu_of(names), _cpu_of_children()
    # With the tree's own tools, which make says.
    again = _run(tree, ["bash", "-c", 'source "$(make -s env)" && ansible-playbook playbooks/site.yml'])
    if changed := re.findall(r"^(\S+)\s*:.*\bchanged=[1-9]", again.output, re.MULTILINE):
        raise TreesError(f"the second converge of {tree} changed something on {', '.join(changed)}")
    hosts = _cpu_of(names) - used - at_rest * again.seconds
    return Converge(again.seconds, _cpu_of_children() - controller + hosts, made.seconds)


@dataclass(frozen=True)
class _Ran:
    seconds: float
    output: str


def _run(tree: Path, command: list[str]) -> _Ran:
    began = time.monotonic()
    # Nothing of the environment that this very program runs in.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(command, cwd=tree, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise TreesError(f"{' '.join(command)} failed in {tree}:\n{(done.stdout + done.stderr)[-3000:]}")
    return _Ran(time.monotonic() - began, done.stdout)


def _cpu_of(hosts: list[str]) -> float:
    """CPU seconds that hosts of the test bed have used since they were started."""
    return sum(_cpu_of_group(int(one["State"]["Pid"])) for one in inspect("container", hosts).values())


def _cpu_of_group(process: int) -> float:
    groups = (line.split(":", 2) for line in Path(f"/proc/{process}/cgroup").read_text().splitlines())
    for number, controllers, path in groups:
        # The container's own group, above what systemd makes in it.
        folder = re.sub(r"/(init\.scope|system\.slice).*$", "", path)
        if "cpuacct" in controllers.split(","):
            return int(Path(f"/sys/fs/cgroup/{controllers}{folder}/cpuacct.usage").read_text()) / 1e9
        if number == "0" and (stat := Path(f"/sys/fs/cgroup{folder}/cpu.stat")).exists():
            return int(re.findall(r"usage_usec (\d+)", stat.read_text())[0]) / 1e6
    raise TreesError(f"the kernel counts no CPU for process {process}")


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure both trees and print one table; return 0 also when the limit is missed, the table says so."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.trees", description=__doc__)
    parser.add_argument("commit", help="the other tree, as git names it")
    commit = parser.parse_args().commit
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    shutil.rmtree(WORKTREE, ignore_errors=True)
    subprocess.run([*git, "prune"], check=True)
    subprocess.run([*git, "add", "--detach", str(WORKTREE), commit], check=True, capture_output=True)
    try:
        print(f"{commit}: its facility, and a second converge …", flush=True)
        before = measure(WORKTREE)
        print("this checkout: the same …", flush=True)
        now = measure(REPOSITORY)
    except TreesError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        subprocess.run([*git, "remove", "--force", str(WORKTREE)], check=False)
    rows = [
        ("second converge of the example", now.wall, before.wall),
        ("CPU of it, controller and hosts", now.cpu, before.cpu),
    ]
    figures = [
        Figure(name, "s", MOST_OF_BASELINE * baseline, value, baseline, commit, value / baseline, (value,))
        for name, value, baseline in rows
    ]
    facility_took = Figure(
        "make facility before it", "s", before.facility, now.facility, before.facility, commit,
        now.facility / before.facility, (now.facility,),
    )  # fmt: skip
    print(figures_table([*figures, facility_took]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

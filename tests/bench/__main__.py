# SPDX-License-Identifier: GPL-3.0-or-later
"""``make bench``: measure decisions, services and the example facility; write build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

import ldap

from testbed import facility
from testbed.hosts import access, driver
from testbed.hosts.bed import Bed, BedError, bed_of_inventory
from testbed.images.build import ImageError
from testbed.paths import BUILD, REPOSITORY
from testbed.podman import PodmanError, inspect
from tests.bench import access as decisions
from tests.bench import (
    backup,
    device_pcs,
    device_pcs_ill,
    directory,
    files,
    memory,
    omero,
    people,
    register_load,
    register_pages,
    settle,
    settle_queue,
)
from tests.bench.figures import Figure, figures_table

HERE = Path(__file__).parent
INVENTORY = HERE / "inventory.yml"
FOLDER = BUILD / "bench"
RESULT = BUILD / "bench.json"
BED = "bench"
BARE_ACCOUNTS = 200
REPEATS = 3
# The limits of `directory_user` are promised for this many.
PROMISED_ACCOUNTS = 5000
CREATION_SECONDS = 240
NOTHING_TO_DO_SECONDS = 10
CONTROLLER_MEGABYTES = 500
SECOND_CONVERGE_SECONDS = 45
FACILITY_MEGABYTES = 3000


class BenchError(Exception):
    """A measurement can't be taken; the message says what failed and shows its output."""


OWN_ERRORS = (BenchError, device_pcs.DevicePcsError, device_pcs_ill.IllPcsError, backup.BackupBenchError)


class Progress:
    """Lines that say since when the bench runs and what it does."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, what: str) -> None:
        """Print one line."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {what}", flush=True)


def main() -> int:
    """Measure everything; return 0 also when a limit is missed, the table says so."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--accounts", type=_count, default=PROMISED_ACCOUNTS, help="how many (default %(default)s)")
    count = parser.parse_args().accounts
    # As Ctrl-C does: whatever ends the bench, its host is taken away.
    signal.signal(signal.SIGTERM, _interrupted)
    progress = Progress()
    machine = {**_machine(), "load_before": os.getloadavg()[0]}
    try:
        _require_root()
        figures = decisions.figures(progress.say)
        figures += register_pages.figures(progress.say)
        figures += register_load.figures(progress.say)
        with _domain_controller(progress) as bare_megabytes:
            figures += _directory_figures(progress, count)
            figures += people.figures(progress.say, FOLDER, INVENTORY, _command)
        figures += settle.figures(progress.say)
        progress.say("settle: one image behind a queue of 20,000 files (about four minutes)")
        figures += settle_queue.figures()
        figures += device_pcs.figures(progress.say)
        figures += device_pcs_ill.figures(progress.say)
        figures += backup.figures(progress.say)
        figures += _facility_figures(progress, bare_megabytes)
    except (BedError, ImageError, PodmanError, ldap.LDAPError, *OWN_ERRORS) as error:
        print(f"bench: {error}\nTo repeat: make bench", file=sys.stderr)
        return 1
    machine["load_after"] = os.getloadavg()[0]
    RESULT.write_text(
        json.dumps(
            {"machine": machine, "accounts": count, "figures": [figure.as_json() for figure in figures]}, indent=2
        )
        + "\n"
    )
    print(f"\n{figures_table(figures)}\n")
    _conclude(figures, count)
    return 0


def _require_root() -> None:
    if os.geteuid():
        raise BenchError("the bench makes hosts: run it as root (sudo make bench)")


def _conclude(figures: list[Figure], count: int) -> None:
    verdicts = [figure.reached for figure in figures]
    if count != PROMISED_ACCOUNTS:
        print(f"With {count} accounts; the limits are promised for {PROMISED_ACCOUNTS}.")
    print(
        f"{verdicts.count(True)} reached, {verdicts.count(False)} missed, {verdicts.count(None)} not measured; "
        f"details in {RESULT.relative_to(REPOSITORY)}"
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one account, please")
    return number


def _interrupted(*_: object) -> NoReturn:
    raise SystemExit(143)


def _machine() -> dict[str, Any]:
    information = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*: (.+)$", information, re.MULTILINE)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": found[1] if found else platform.machine(),
        "memory_mb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / memory.MEGABYTE),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


@contextmanager
def _domain_controller(progress: Progress) -> Iterator[float]:
    """Have a domain controller, and nothing of it afterwards; give the MB that its host took before any role ran."""
    try:
        _clear()  # a bench that was killed
        progress.say(f"bring up {directory.HOST}")
        driver.up(bed_of_inventory(BED, INVENTORY))
        bare_megabytes = memory.of_processes(directory.HOST).total
        progress.say("provision the domain controller (about two minutes)")
        _command("bench-provision", "ansible-playbook", "-i", str(INVENTORY), str(HERE / "provision.yml"))
        yield bare_megabytes
    finally:
        progress.say("remove what the bench made")
        _clear()


def _clear() -> None:
    driver.down(BED)
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.rmtree(access.folder(BED), ignore_errors=True)


def _directory_figures(progress: Progress, count: int) -> list[Figure]:
    before = (memory.of_processes(directory.HOST), memory.as_podman_says(directory.HOST))
    progress.say(f"baseline: a bare loop adds {BARE_ACCOUNTS} accounts")
    bare_creations = [directory.bare_creation(FOLDER, "before", BARE_ACCOUNTS)]

    (FOLDER / "accounts.json").write_text(json.dumps({"bench_accounts": directory.accounts("u", count)}))
    progress.say(f"directory_user creates {count} accounts")
    creation, output = _accounts_playbook()
    fault = "" if re.search(r"\bchanged=1\b", output) else "the task reports no change"

    nothing_to_do, changed = [], False
    for number in range(1, REPEATS + 1):
        progress.say(f"directory_user finds nothing to do ({number} of {REPEATS})")
        seconds, output = _accounts_playbook()
        nothing_to_do.append(seconds)
        changed = changed or "changed=0" not in output
    progress.say(f"baseline: a bare paged search of the same accounts ({REPEATS} times)")
    searches = [directory.bare_search(FOLDER) for _ in range(REPEATS)]
    if searches[0][1] < count:
        fault = f"only {searches[0][1]} accounts are there"
    cache = memory.page_cache(directory.HOST)
    after = (memory.of_processes(directory.HOST), memory.as_podman_says(directory.HOST))
    # Adding gets slower while a directory grows: the module's run lies between these two.
    progress.say(f"baseline: a bare loop adds {BARE_ACCOUNTS} accounts beside them")
    bare_creations.append(directory.bare_creation(FOLDER, "after", BARE_ACCOUNTS))

    scaled = [seconds / BARE_ACCOUNTS * count for seconds in bare_creations]
    found = median(seconds for seconds, _ in searches)
    return [
        Figure(
            f"directory_user: create {count} accounts", "s", CREATION_SECONDS, creation, median(scaled),
            f"bare python-ldap loop over {BARE_ACCOUNTS}, before and after, scaled", creation / median(scaled),
            (creation,), fault, f"baselines: {scaled[0]:.1f} s before, {scaled[1]:.1f} s after",
        ),
        Figure(
            f"directory_user: nothing to do, {count} accounts", "s", NOTHING_TO_DO_SECONDS, median(nothing_to_do),
            found, "bare paged search of the same entries", median(nothing_to_do) / found, nothing_to_do,
            "a run changed something" if changed else "",
            "seconds of the whole ansible-playbook command, Ansible's own start included",
        ),
        Figure(
            f"memory of the DC, {count} accounts (PSS)", "MB", CONTROLLER_MEGABYTES, after[0].total,
            before[0].total, "the same DC before them", after[0].total / before[0].total, (after[0].total,),
            remark=f"of it {after[0].files:.0f} MB mapped files",
        ),
        Figure(
            f"memory of the DC, {count} accounts (podman stats)", "MB", CONTROLLER_MEGABYTES, after[1], before[1],
            "the same DC before them", after[1] / before[1], (after[1],), remark=f"of it {cache:.0f} MB page cache",
        ),
    ]  # fmt: skip


def _accounts_playbook() -> tuple[float, str]:
    return _command(
        "bench-accounts", "ansible-playbook", "-i", str(INVENTORY),
        "-e", f"@{FOLDER / 'accounts.json'}", str(HERE / "accounts.yml"),
    )  # fmt: skip


def _facility_figures(progress: Progress, bare_megabytes: float) -> list[Figure]:
    bed = bed_of_inventory("facility", facility.INVENTORY / "hosts.yml")
    converge_name = "second converge of the example facility"
    memory_name = f"memory of the example facility, {len(bed.hosts)} hosts (PSS)"
    obstacle = _obstacle(bed)
    if obstacle:
        progress.say(f"the example facility isn't measured: {obstacle}")
        return [
            Figure(converge_name, "s", SECOND_CONVERGE_SECONDS, remark=obstacle),
            Figure(memory_name, "MB", FACILITY_MEGABYTES, remark=obstacle),
            *files.figures(progress.say, INVENTORY, "", obstacle),
            *omero.figures(progress.say, obstacle),
        ]
    hosts = [host.name for host in bed.hosts]
    progress.say("baseline: ping the hosts of the example facility")
    pings = [_command("bench-ping", "ansible", ",".join(hosts), "-m", "ping")[0] for _ in range(REPEATS)]
    progress.say("converge the example facility, which is converged already")
    seconds, output = _command("bench-converge", *facility.CONVERGE.command)
    changed = re.findall(r"^(\S+)\s*:.*\bchanged=[1-9]", output, re.MULTILINE)
    megabytes = sum(memory.of_processes(host).total for host in hosts)
    bare = bare_megabytes * len(hosts)
    return [
        Figure(
            converge_name, "s", SECOND_CONVERGE_SECONDS, seconds, median(pings), "ansible -m ping of the same hosts",
            seconds / median(pings), (seconds,), f"something changed on {', '.join(changed)}" if changed else "",
        ),
        Figure(
            memory_name, "MB", FACILITY_MEGABYTES, megabytes, bare, "as many bare hosts, just started",
            megabytes / bare, (megabytes,),
        ),
        *files.figures(progress.say, facility.INVENTORY / "hosts.yml", hosts[0]),
        *omero.figures(progress.say),
    ]  # fmt: skip


def _obstacle(bed: Bed) -> str:
    """Why the example facility can't be measured, or ""."""
    known = inspect("container", [host.name for host in bed.hosts])
    missing = [host.name for host in bed.hosts if not known.get(host.name, {}).get("State", {}).get("Running")]
    if missing:
        return "it isn't running (make facility)"
    owners = {entry["Config"]["Labels"].get(driver.OWNER_LABEL) for entry in known.values()}
    if owners != {driver.owner()}:
        return "the one that runs is another checkout's"
    return ""


def _command(name: str, *command: str) -> tuple[float, str]:
    """Run a command from the repository's top; return its seconds and its output."""
    log = BUILD / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}
    began = time.monotonic()
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    seconds = time.monotonic() - began
    text = log.read_text(errors="replace")
    if done.returncode:
        raise BenchError(f"{' '.join(command)} ended with status {done.returncode}:\n{text}")
    return seconds, text


if __name__ == "__main__":
    sys.exit(main())

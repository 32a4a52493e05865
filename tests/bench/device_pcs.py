# SPDX-License-Identifier: GPL-3.0-or-later
"""The PPMS agent's deployment on one PC, and how long a look at 200 and at 1,000 PCs takes that need nothing.

Alone: ``PYTHONPATH=src python -m tests.bench.device_pcs``. The one PC is Wine's, on a bed of its own. The many are one
process on loopback that replays that PC's answer, so that what is measured is the controller.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from facility.device_pc.agent.agent import AgentError, observed, question
from facility.device_pc.agent.fleet import look
from facility.device_pc.agent.options import AGENT, wish
from facility.device_pc.agent.pc import ask, converge
from facility.device_pc.command import Scratch
from facility.device_pc.options import endpoint
from facility.device_pc.trouble import WinrmError
from facility.device_pc.winrm import DevicePc
from testbed.hosts import access, driver
from testbed.hosts.bed import bed
from testbed.paths import BUILD, REPOSITORY
from testbed.podman import podman
from tests.bench import memory
from tests.bench.figures import Figure, figures_table

BED = bed("bench-pc", [{"name": "mic1.bench.example.org", "image": "device_pc", "address": "10.42.22.11"}])
HOST = BED.hosts[0].name
STATE = "/var/lib/device-pc"
PROGRAMS = REPOSITORY / "roles" / "device_pc" / "files"
WIRING = REPOSITORY / "inventories/example/group_vars/all/wiring.yml"
FOLDER = BUILD / "bench-pc"
USER = "facility-admin"
START_SECONDS = 60
DEPLOYMENT_SECONDS = 10
CHECK_SECONDS = 1.5
DEPLOYMENTS, CHECKS = 3, 5
# Below the ports that the machine takes for its own outgoing connections (from 32768).
FIRST_PORT = 30000
SOME, MANY = 200, 1000
THREADS = 32
RUNS = 3
# Of the baseline; and of the time that SOME take.
SOME_FACTOR, MANY_FACTOR = 2.0, 5.5
CONTROLLER_MEGABYTES = 1000
SAMPLE_SECONDS = 0.1
Say = Callable[[str], None]


class DevicePcsError(Exception):
    """A measurement can't be taken; the message says what failed."""


@dataclass
class Fleet:
    """The simulated PCs.

    Attributes:
        options: what all of them share of the module's options.
        questions: how many have been put to them.
        faults: what makes the figures worthless.
    """

    options: Mapping[str, Any]
    questions: int = 0
    faults: set[str] = field(default_factory=set)

    def pcs(self, count: int) -> list[dict[str, Any]]:
        """The module's options of the first so many."""
        return [{**self.options, "port": port} for port in range(FIRST_PORT, FIRST_PORT + count)]


def figures(say: Say) -> list[Figure]:
    """All figures; needs root, since a host is made.

    Raises:
        DevicePcsError: when a PC, simulated or not, doesn't do its part.
    """
    try:
        _clear()
        FOLDER.mkdir(mode=0o700, parents=True)
        _certificate()
        # Nobody but the bench knows them, and not for long.
        options = {
            "username": USER, "password": secrets.token_urlsafe(16), "ca_file": str(FOLDER / "ca.crt"),
            "tracker_url": "https://ppms.bench.example.org/rt.asp", "system_id": 12,
            "tracker_code": secrets.token_hex(5), "domains": ["BENCH"],
        }  # fmt: skip
        one = _one_pc(say, options)
        return one + _many_pcs(say, {**options, "host": "localhost", "transport": "basic"})
    except (WinrmError, AgentError, OSError, subprocess.CalledProcessError) as error:
        raise DevicePcsError(f"device PCs: {error}") from error
    finally:
        say("remove what the bench of device PCs made")
        _clear()


def _clear() -> None:
    driver.down(BED.name)
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.rmtree(access.folder(BED.name), ignore_errors=True)


def _certificate() -> None:
    """Make an authority, and one certificate for both the PC and the simulated ones."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = ["-subj", "/CN=Bench", "-keyout", "ca.key", "-out", "ca.crt"]
    names = f"subjectAltName=DNS:{HOST},DNS:localhost"
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-subj", f"/CN={HOST}", "-keyout", "pc.key", "-out", "pc.crt"]
    constraints = ["-addext", "basicConstraints=CA:FALSE", "-addext", names]
    for command in ([*new, *authority], [*new, *signed, *constraints]):
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)


def _one_pc(say: Say, options: Mapping[str, Any]) -> list[Figure]:
    """Deploy on a real Wine; leave its answer, as it is when the agent has run, in the file ``answer``."""
    say(f"bring up {HOST}")
    driver.up(BED)
    for source, target in (("pc.key", "winrm.key"), ("pc.crt", "winrm.crt")):
        script = f"umask 077; cat > {STATE}/{target}"
        podman("exec", "--interactive", HOST, "sh", "-c", script, stdin=(FOLDER / source).read_text())
    podman("exec", "--interactive", HOST, "device-pc", "user", USER, stdin=options["password"])
    params = _all_options({**options, "host": HOST})
    present = wish(params, PROGRAMS)
    absent = wish({**params, "state": "absent", "purge_journal": True}, PROGRAMS)
    _await_answer(params)

    say(f"baseline: one bare command, log-on included ({CHECKS} times)")
    bare = [_timed(params, lambda pc: pc.must("echo bare", "it answers"))[0] for _ in range(CHECKS)]
    deployments, faults = [], set()
    for number in range(1, DEPLOYMENTS + 1):
        say(f"first deployment of the agent ({number} of {DEPLOYMENTS})")
        seconds, result = _timed(params, lambda pc: converge(pc, present, check_mode=False))
        deployments.append(seconds)
        if not result["changed"]:
            faults.add("a deployment changed nothing")
        if number < DEPLOYMENTS:
            _timed(params, lambda pc: converge(pc, absent, check_mode=False))
    say(f"a check that finds nothing to do ({CHECKS} times)")
    checks = [_timed(params, lambda pc: converge(pc, present, check_mode=True)) for _ in range(CHECKS)]
    say("the agent runs, and the PC's answer is recorded")
    _record(params)
    deployment, check, baseline = median(deployments), median(seconds for seconds, _ in checks), median(bare)
    return [
        Figure(
            "ppms_agent: first deployment on a PC", "s", DEPLOYMENT_SECONDS, deployment, baseline,
            "one bare command on it, log-on included", deployment / baseline, deployments, "; ".join(faults),
            "runs: the first on a new PC, then after everything was taken away",
        ),
        Figure(
            "ppms_agent: nothing to do on a PC", "s", CHECK_SECONDS, check, baseline,
            "one bare command on it, log-on included", check / baseline, [seconds for seconds, _ in checks],
            "a check found something to change" if any(result["changed"] for _, result in checks) else "",
        ),
    ]  # fmt: skip


def _all_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What Ansible makes of options: the others get their defaults."""
    return {**{name: option.get("default") for name, option in AGENT.items()}, **given}


def _timed(params: Mapping[str, Any], act: Callable[[DevicePc], Any]) -> tuple[float, Any]:
    """Return the seconds of log-on, shell, act and farewell, and what came of it."""
    began = time.monotonic()
    with DevicePc(endpoint(params)) as pc:
        result = act(pc)
    return time.monotonic() - began, result


def _await_answer(params: Mapping[str, Any]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _timed(params, ask)
        except WinrmError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _record(params: Mapping[str, Any]) -> None:
    """Keep the answer of a PC whose agent has run; an hour passes there meanwhile, or a good part of it."""
    podman("exec", HOST, "device-pc", "clock", "--speed", "60")
    deadline = time.monotonic() + START_SECONDS
    while "last_run" not in observed(_timed(params, ask)[1]).state:
        if time.monotonic() > deadline:
            raise DevicePcsError(f"{HOST}: the agent did not run within {START_SECONDS} s; an hour passed there")
        time.sleep(0.5)
    podman("exec", HOST, "device-pc", "clock", "--true")
    (FOLDER / "answer").write_bytes(_timed(params, ask)[1].encode())


def _many_pcs(say: Say, options: Mapping[str, Any]) -> list[Figure]:
    fleet = Fleet(options)
    for count in (1, SOME, MANY):
        _write_inventory(fleet, count)
    with _simulator(fleet) as asked:
        say(f"{SOME} simulated PCs really need nothing")
        _require_health(fleet)
        bare, some, many, loops = [], [], [], []
        for number in range(1, RUNS + 1):
            say(f"baseline: a bare loop over {SOME} PCs, then devices.yml with {SOME} and {MANY} ({number} of {RUNS})")
            seconds, loop = _bare(fleet)
            bare.append(seconds)
            loops.append(loop)
            some.append(_playbook(fleet, SOME))
            many.append(_playbook(fleet, MANY))
        say(f"memory of the controller with 1 and with {MANY} PCs")
        least, most = _playbook_megabytes(fleet, 1), _playbook_megabytes(fleet, MANY)
    if asked() != fleet.questions:
        fleet.faults.add(f"the PCs were asked {asked()} times, not {fleet.questions} times")
    fault = "; ".join(sorted(fleet.faults))
    quickest, longer, longest = median(bare), median(some), median(many)
    return [
        Figure(
            f"devices.yml: {SOME} PCs that need nothing ({SOME_FACTOR:g} x the baseline)", "s",
            round(SOME_FACTOR * quickest, 2), longer, quickest, f"bare pywinrm loop, {THREADS} threads",
            longer / quickest, some, fault,
            f"seconds of whole commands, on both sides; the loop alone, without Python's start: {median(loops):.2f} s",
        ),
        Figure(
            f"devices.yml: {MANY} PCs that need nothing ({MANY_FACTOR:g} x {SOME} PCs)", "s",
            round(MANY_FACTOR * longer, 2), longest, longer, f"the same with {SOME} PCs", longest / longer, many, fault,
        ),
        Figure(
            f"devices.yml: memory of the controller with {MANY} PCs (PSS)", "MB", CONTROLLER_MEGABYTES, most, least,
            "the same with one PC", most / least, (most,), fault,
            "the most that ansible-playbook and its children took",
        ),
    ]  # fmt: skip


def _inventory(count: int) -> Path:
    return FOLDER / f"{count}.json"


def _write_inventory(fleet: Fleet, count: int) -> None:
    """Write an inventory with the example's own wiring, for so many simulated PCs, each an instrument's."""
    wiring = yaml.safe_load(WIRING.read_text())
    names = [f"pc{number:04}" for number in range(1, count + 1)]
    special = {name: {"host": pc["host"], "port": pc["port"]} for name, pc in zip(names, fleet.pcs(count), strict=True)}
    number = fleet.options["system_id"]
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        **{name: wiring[name] for name in ("devices_fleet", "devices_answered")},
        "devices_logon": [],
        "__agent": dict(fleet.options),
        "device_pc_options": special,
        "device_pc_codes": dict.fromkeys(names, fleet.options["tracker_code"]),
        "facility_instruments": [{"name": name, "host": name, "ppms_system_id": number} for name in names],
    }
    path = _inventory(count)
    path.touch(mode=0o600)
    hosts = {"hosts": dict.fromkeys(names)}
    path.write_text(json.dumps({"all": {"vars": variables, "children": {"device_pc": hosts}}}))


@contextmanager
def _simulator(fleet: Fleet) -> Iterator[Callable[[], int]]:
    """Have the PCs; give a function that tells, when they have ended, how many questions they answered."""
    command = [
        sys.executable, "-m", "testbed.standins.device_pc.fleet", "answer", "pc.crt", "pc.key",
        "--count", str(MANY), "--first-port", str(FIRST_PORT), "--user", USER,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        command, cwd=FOLDER, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        told: list[str] = []
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(fleet.options["password"] + "\n")
            process.stdin.close()
            if not process.stdout.readline():
                raise DevicePcsError(f"the simulated PCs don't start: are ports from {FIRST_PORT} on taken?")
            yield lambda: int(json.loads(told[0]).get("Command", 0))
        finally:
            process.send_signal(signal.SIGTERM)
            told.append(process.stdout.read() if process.stdout else "")


def _require_health(fleet: Fleet) -> None:
    """Refuse to measure PCs that are not well, for that would be another piece of work.

    The playbook tells only of PCs that can't be managed; here any problem counts.
    """
    found = look([_all_options(pc) for pc in fleet.pcs(SOME)], PROGRAMS, THREADS, probe=False)
    fleet.questions += SOME
    ill = {line for entry in found for line in entry["problems"]}
    if ill or any(entry["changed"] for entry in found):
        raise DevicePcsError(f"the recorded answer doesn't fit: {'; '.join(sorted(ill)) or 'something would change'}")


def _bare(fleet: Fleet) -> tuple[float, float]:
    """Return the seconds of the bare script, and of the loop in it."""
    ports = [pc["port"] for pc in fleet.pcs(SOME)]
    given = {**fleet.options, "question": question(Scratch.new()), "threads": THREADS, "ports": ports}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare_pywinrm"], cwd=REPOSITORY, input=json.dumps(given),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - began
    if done.returncode:
        raise DevicePcsError(f"the bare loop:\n{done.stderr}")
    fleet.questions += SOME
    told = json.loads(done.stdout)
    if told["whole"] != SOME:
        fleet.faults.add(f"the bare loop got only {told['whole']} whole answers")
    return seconds, float(told["seconds"])


def _playbook(fleet: Fleet, count: int, watch: Callable[[int], None] = lambda _: None) -> float:
    """Return the seconds of a check of so many PCs; ``watch`` is told the command's process while it runs."""
    log = FOLDER / "playbook.log"
    command = ["ansible-playbook", "-i", str(_inventory(count)), "playbooks/devices.yml"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}
    began = time.monotonic()
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        try:
            watch(process.pid)
            process.wait()
        finally:
            if process.returncode is None:  # the bench is interrupted
                process.terminate()
    seconds = time.monotonic() - began
    text = log.read_text()
    if process.returncode:
        raise DevicePcsError(f"{' '.join(command)} ended with status {process.returncode}:\n{text}")
    fleet.questions += count
    if "no hosts matched" not in text or " changed=0 " not in text:
        fleet.faults.add("devices.yml found a PC in need")
    if "all as wished" not in text:
        fleet.faults.add("devices.yml found something wrong with a PC")
    return seconds


def _playbook_megabytes(fleet: Fleet, count: int) -> float:
    """Return the most that the command and its children took, in MB; to look takes time, so this run isn't timed."""
    samples: list[float] = [0.0]
    ended = threading.Event()
    watchers: list[threading.Thread] = []

    def sample(process: int) -> None:
        while not ended.wait(SAMPLE_SECONDS):
            samples.append(memory.of_tree(process).total)

    def watch(process: int) -> None:
        watchers.append(threading.Thread(target=sample, args=(process,)))
        watchers[0].start()

    try:
        _playbook(fleet, count, watch)
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()
    return max(samples)


def main() -> int:
    """Measure the device PCs alone; print the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        print(figures_table(figures(print)))
    except DevicePcsError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""How long PCs that are off, silent or overloaded hold up a look at the others; and what the look costs beside pywinrm.

Alone, without root: ``PYTHONPATH=src python -m tests.bench.device_pcs_ill``. The PCs are simulated on loopback, by a
process of their own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from facility.device_pc.agent.agent import question
from facility.device_pc.agent.fleet import look
from facility.device_pc.agent.options import AGENT
from facility.device_pc.command import Scratch
from testbed.paths import REPOSITORY
from testbed.standins.device_pc.odd_fleet import OddFleet, serving
from tests.bench import bare_pywinrm
from tests.bench.figures import Figure, figures_table
from tests.certificates import certificate
from tests.fake_device_pc import recorded_answer

PROGRAMS = REPOSITORY / "roles" / "device_pc" / "files"
WIRING = REPOSITORY / "inventories/example/group_vars/all/wiring.yml"
THREADS = 32
WELL, DROPPING, SILENT, NEVER, REFUSING = 245, 40, 5, 5, 5
FIRST_SILENT, BEHIND_THEM = 32, 200
RUNS = 3
TOLD_SECONDS, WHOLE_SECONDS, DELAY_SECONDS, FACTOR = 15, 60, 5, 1.5
OPTIONS = {
    "host": "localhost", "transport": "basic", "password": "pw", "tracker_url": "https://ppms.bench.example.org/rt.asp",
    "system_id": 12, "tracker_code": "c0de-bench", "domains": ["BENCH"],
}  # fmt: skip


class IllPcsError(Exception):
    """The figures can't be taken; the message says what failed."""


def figures(say: Callable[[str], None]) -> list[Figure]:
    """All figures.

    Raises:
        IllPcsError: when the PCs come out as other than they are.
    """
    with tempfile.TemporaryDirectory(prefix="bench-pcs-") as name, ExitStack() as stack:
        folder = Path(name)
        file = certificate(folder, "pc", "localhost")
        options = {option: spec.get("default") for option, spec in AGENT.items()} | OPTIONS | {"ca_file": str(file)}
        port = stack.enter_context(_simulated(recorded_answer(options, PROGRAMS), file))
        closed = stack.enter_context(_dropping())
        pcs = lambda user, count, at=port: [{**options, "username": user, "port": at}] * count  # noqa: E731
        ill = [
            *pcs("well", WELL // 2), *pcs("well", DROPPING, closed), *pcs("silent", SILENT), *pcs("never", NEVER),
            *pcs("refuses", REFUSING), *pcs("well", WELL - WELL // 2),
        ]  # fmt: skip
        say(f"devices.yml with {len(ill)} PCs, of which {len(ill) - WELL} are ill")
        told, whole = _playbook(folder, ill)
        say(f"{FIRST_SILENT} silent PCs before {BEHIND_THEM} that are well")
        healthy = pcs("well", BEHIND_THEM)
        alone = median(_last_well(healthy) for _ in range(RUNS))
        behind = _last_well([*pcs("silent", FIRST_SILENT), *healthy])
        say(f"{BEHIND_THEM} PCs that are well, beside a bare pywinrm loop ({RUNS} times)")
        bare, looks = zip(*[(_bare(healthy), _last_well(healthy)) for _ in range(RUNS)], strict=True)
    count = f"{len(ill)} PCs, {DROPPING} off, {SILENT} silent, {NEVER} without end, {REFUSING} refusing"
    bare_loop = f"bare pywinrm loop, {THREADS} threads"
    return [
        Figure(
            f"devices.yml: the last healthy of {count}", "s", TOLD_SECONDS, told, whole, "the whole run", told / whole,
            (told,),
        ),
        Figure(
            f"devices.yml: {count}", "s", WHOLE_SECONDS, whole, told, "the last healthy one", whole / told, (whole,)
        ),
        Figure(
            f"look: {BEHIND_THEM} PCs behind {FIRST_SILENT} silent ones", "s", round(alone + DELAY_SECONDS, 2), behind,
            alone, "the same without them", behind / alone, (behind,),
        ),
        Figure(
            f"look: {BEHIND_THEM} healthy PCs ({FACTOR:g} x the baseline)", "s", round(FACTOR * median(bare), 2),
            median(looks), median(bare), bare_loop, median(looks) / median(bare), looks,
        ),
    ]  # fmt: skip


@contextmanager
def _simulated(recorded: bytes, file: Path) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(recorded, str(file), theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _serve(recorded: bytes, file: str, pipe: Connection) -> None:
    with serving(OddFleet(recorded), Path(file)) as port:
        pipe.send(port)
        pipe.recv()


@contextmanager
def _dropping() -> Iterator[int]:
    """A port that answers nothing: its queue is full, so that the kernel drops what comes."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def _last_well(pcs: Sequence[Mapping[str, Any]]) -> float:
    """Return after how many seconds the last PC that is well was told."""
    began, moments = time.monotonic(), list[float]()
    found = look(pcs, PROGRAMS, THREADS, probe=False,
                 told=lambda one: None if one["problems"] else moments.append(time.monotonic() - began))  # fmt: skip
    if len(moments) != sum(pc["username"] == "well" for pc in pcs):
        raise IllPcsError(f"a healthy PC has a problem: {[one['problems'] for one in found if one['problems']][:3]}")
    return max(moments)


def _bare(pcs: Sequence[Mapping[str, Any]]) -> float:
    given = {**pcs[0], "question": question(Scratch.new())}
    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda pc: bare_pywinrm.ask(pc["port"], given), pcs))
    if not all(b"@end" in answer for answer in answers):
        raise IllPcsError("the bare loop got an answer that is not whole")
    return time.monotonic() - began


def _playbook(folder: Path, pcs: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the seconds until the last healthy PC was told, and until the end."""
    inventory, progress = folder / "pcs.json", folder / "progress"
    inventory.touch(mode=0o600)
    inventory.write_text(json.dumps(inventory_of(pcs)))
    progress.touch()
    command = ["ansible-playbook", "-i", str(inventory), "playbooks/devices.yml", "--check"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}
    began, moments = time.monotonic(), list[float]()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            seen = progress.read_text().count("as wished")
            moments.extend([time.monotonic() - began] * (seen - len(moments)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = subprocess.run(
        [*command, "-e", f"devices_progress={progress}"], cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    whole = time.monotonic() - began
    ended.set()
    watcher.join()
    if len(moments) != WELL or f"some need a person: {len(pcs) - WELL} of {len(pcs)}" not in " ".join(
        done.stdout.split()
    ):
        raise IllPcsError(f"{len(moments)} healthy PCs, not {WELL}:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    return max(moments), whole


def inventory_of(pcs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an inventory with the example's own wiring, in which each PC is an instrument's.

    Args:
        pcs: options of ppms_agent; they differ in host, port and username alone.
    """
    wiring = yaml.safe_load(WIRING.read_text())
    names = [f"pc{number:04}" for number in range(len(pcs))]
    own = {name: {key: pc[key] for key in ("host", "port", "username")} for name, pc in zip(names, pcs, strict=True)}
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        **{name: wiring[name] for name in ("devices_fleet", "devices_answered", "devices_drive_share")},
        "devices_logon": [],
        "__agent": {
            key: value for key, value in pcs[0].items() if key not in {"host", "port", "username", "tracker_code"}
        },
        "device_pc_options": own,
        "device_pc_codes": dict.fromkeys(names, pcs[0]["tracker_code"]),
        "facility_instruments": [{"name": name, "host": name, "ppms_system_id": pcs[0]["system_id"]} for name in names],
    }
    children = {
        "device_pc": {"hosts": dict.fromkeys(names)},
        "cifs_dropbox": {"hosts": {"omero1.bench.example.org": None}},
    }
    return {"all": {"vars": variables, "children": children}}


def main() -> int:
    """Measure; print the table."""
    try:
        print(figures_table(figures(print)))
    except IllPcsError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

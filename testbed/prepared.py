# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of a scenario as molecule's prepare left them, kept for its next run: decision 0023.

.config/molecule/keep.yml and restore.yml stand in prepare.yml's place and call ``python -m testbed.prepared``. Beside
the images lie the files that prepare made on the controller, the scenario's secrets, for the hosts know no others.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from testbed import passes, phases, rooms
from testbed.hosts import driver
from testbed.hosts.bed import Bed, bed
from testbed.images.build import ensure
from testbed.paths import CACHE, REPOSITORY, alone_in_cache
from testbed.podman import LABEL, podman

SCENARIOS = frozenset({"cifs_dropbox", "omero_server", "register", "wiki"})
"""Those of which it was seen that they gain by it and that their hosts come up again as they were."""
SWITCH = "FACILITY_PREPARED"
FOLDER = CACHE / "prepared"
SCENARIO_LABEL = f"{LABEL}.prepared"
MADE_BY_MOLECULE = ("inventory", "ansible.cfg", "state.yml", "molecule.yml")
UNCHANGED = {"depot"}
"""Hosts of these images hold nothing of their own."""


@dataclass(frozen=True)
class State:
    """What is known of a prepared state.

    Attributes:
        machine: the digest of the machine that it was made on.
        rooms: the digest of each room of the checkout that prepare depended on.
        inputs: the digest of the scenario's own files for it.
        images: for each host the image that it was made from, and the one that it is made from next time.
        used: files and roles that prepare used.
        at: when it was made, seconds since the epoch.
    """

    machine: str
    rooms: dict[str, str]
    inputs: str
    images: dict[str, list[str]]
    used: list[str]
    at: float


def file_of(scenario: str) -> Path:
    """Return the file that is there when a state is whole."""
    return FOLDER / scenario / "state.json"


def find(scenario: str) -> tuple[State | None, str]:
    """Return the state that the scenario's hosts can be made from, or None and why not; the reason is "" at first."""
    if not file_of(scenario).parent.exists():
        return None, ""
    try:
        state = State(**json.loads(file_of(scenario).read_text()))
    except (OSError, ValueError, TypeError):
        return None, "the prepared hosts are not whole"
    why = next(_faults(scenario, state), "")
    return (None, why) if why else (state, "")


def _faults(scenario: str, state: State) -> Iterator[str]:
    """Yield why a state does not hold."""
    now = rooms.digests()
    if changed := sorted(name for name, digest in state.rooms.items() if now.get(name) != digest):
        yield f"changed since hosts were prepared: {', '.join(changed)}"
    if state.inputs != inputs(scenario):
        yield "the scenario changed since hosts were prepared"
    if state.machine != passes.machine({}):
        yield "the machine changed since hosts were prepared"
    if not 0 <= time.time() - state.at <= passes.HOURS * 3600:
        yield f"the prepared hosts are not of the last {passes.HOURS} hours"
    if {name: base for name, (base, _) in state.images.items()} != bases(scenario):
        yield "the images changed since hosts were prepared"
    for _, image in state.images.values():
        if not podman("images", "--quiet", image, check=False).strip():
            yield f"no such image any more: {image}"


def inputs(scenario: str) -> str:
    """Return the digest of a scenario's files without its tests and its converge.yml."""
    top, digest = REPOSITORY / "molecule" / scenario, hashlib.sha256()
    for path in sorted([top / "molecule.yml", top / "prepare.yml", *(top / "files").rglob("*")]):
        if path.is_file():
            digest.update(str(path.relative_to(top)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def hosts(scenario: str) -> Bed:
    """Return the scenario's hosts."""
    described = yaml.safe_load((REPOSITORY / "molecule" / scenario / "molecule.yml").read_text())
    return bed(f"molecule-{scenario}", described["platforms"])


def bases(scenario: str) -> dict[str, str]:
    """Return the image of each host that has something to keep, built where needed."""
    wanted = {host.name: host.image for host in hosts(scenario).hosts if host.image not in UNCHANGED}
    with alone_in_cache():
        images = {image: ensure(image) for image in sorted(set(wanted.values()))}
    return {name: images[image] for name, image in wanted.items()}


def keep(scenario: str, ephemeral: Path) -> None:
    """Keep the scenario's hosts and files as they are now, in the place of an earlier state."""
    used = phases.used(scenario).read_text().splitlines()
    needed, now = {rooms.REST, *rooms.of_paths(used)} - {f"molecule/{scenario}"}, rooms.digests()
    made_from, at = bases(scenario), int(time.time())
    made = {name: f"{driver.PREPARED}{scenario}/{name}:{at}" for name in made_from}
    drop(scenario)
    driver.commit(hosts(scenario), made, {LABEL: "image", SCENARIO_LABEL: scenario})
    place = file_of(scenario).parent
    place.mkdir(parents=True)
    place.chmod(0o700)
    shutil.copytree(ephemeral, place / "files", ignore=_not_molecules(ephemeral), symlinks=True)
    state = State(
        machine=passes.machine({}),
        rooms={name: now[name] for name in sorted(needed)},
        inputs=inputs(scenario),
        images={name: [made_from[name], made[name]] for name in made},
        used=used,
        at=at,
    )
    (place / "half").write_text(json.dumps(asdict(state), indent=1) + "\n")
    (place / "half").replace(file_of(scenario))


def restore(scenario: str, ephemeral: Path) -> None:
    """Put the files of a state where prepare would have made them."""
    shutil.copytree(file_of(scenario).parent / "files", ephemeral, symlinks=True, dirs_exist_ok=True)


def drop(scenario: str) -> None:
    """Forget a scenario's state, whole or half: its files and its images, but those that a host runs from."""
    shutil.rmtree(file_of(scenario).parent, ignore_errors=True)
    for image in podman("images", "--quiet", "--filter", f"label={SCENARIO_LABEL}={scenario}").split():
        podman("rmi", image, check=False)


def images_of(file: str) -> dict[str, str]:
    """Return the image of each host from a state's file; no file, no images."""
    if not file:
        return {}
    return {name: image for name, (_, image) in json.loads(Path(file).read_text())["images"].items()}


def _not_molecules(ephemeral: Path) -> "shutil._IgnoreFn":  # type: ignore[name-defined]
    return lambda folder, names: [name for name in names if Path(folder) == ephemeral and name in MADE_BY_MOLECULE]


@dataclass(frozen=True)
class Start:
    """How a scenario begins.

    Attributes:
        settings: variables for molecule's environment.
        line: what is said about it; "" for nothing.
        digests: the checkout's rooms at that time.
        state: the state that it begins with, or None.
    """

    settings: dict[str, str]
    line: str
    digests: dict[str, str]
    state: State | None


def start(scenario: str, environment: Mapping[str, str] = os.environ) -> Start:
    """Return how a scenario begins: with its prepared hosts, or so that they are kept, or as molecule alone would."""
    if scenario not in SCENARIOS or environment.get(SWITCH) == "0":
        return Start({}, "", {}, None)
    try:
        digests = rooms.digests()
    except rooms.RoomsError as error:
        return Start({}, f"Hosts are not kept: {error}", {}, None)
    books = REPOSITORY / ".config" / "molecule"
    state, why = find(scenario)
    if state is None:
        return Start(
            {"FACILITY_PREPARE": str(books / "keep.yml")}, f"Prepared anew: {why}" if why else "", digests, None
        )
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.at))
    settings = {"FACILITY_PREPARE": str(books / "restore.yml"), "FACILITY_STATE": str(file_of(scenario))}
    return Start(settings, f"Hosts as they were prepared at {at}; {SWITCH}=0 makes them anew", digests, state)


def end(scenario: str, began: Start, status: int) -> str:
    """Forget a state that failed, or of which the checkout changed meanwhile; return a line about it, or ""."""
    if not began.settings:
        return ""
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(file_of(scenario).read_text())["rooms"]
        if status == 0 and all(began.digests.get(name) == digest for name, digest in kept.items()):
            return ""
    drop(scenario)
    return "The prepared hosts are forgotten; the next run makes them anew"


def main() -> int:
    """Keep or restore the state that is named; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m testbed.prepared", description=__doc__)
    parser.add_argument("act", choices=["keep", "restore"])
    parser.add_argument("scenario")
    parser.add_argument("ephemeral", type=Path, help="molecule's folder for the scenario")
    given = parser.parse_args()
    {"keep": keep, "restore": restore}[given.act](given.scenario, given.ephemeral)
    return 0


if __name__ == "__main__":
    sys.exit(main())

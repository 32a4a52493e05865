# SPDX-License-Identifier: GPL-3.0-or-later
"""``playbooks/people.yml`` for 5,000 people and 60,000 facts, over a real directory and the stand-in of PPMS.

It runs on the bench's own domain controller, with the example's own wiring and the policy of bench access.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from facility.people.facts import Facts
from facility.people.interchange import written
from facility.people.wishes import everybodys_wishes
from testbed.facility import INVENTORY as EXAMPLE
from testbed.standins.ppms.ppms_standin.facility import Facility
from testbed.standins.ppms.ppms_standin.server import Server
from tests.bench import access, directory
from tests.bench.figures import Figure
from tests.certificates import certificate

ADMINISTRATOR = {
    "login": "root1", "given_name": "Rita", "family_name": "Root", "mail": "r@bench.test", "kind": "it_admin",
}  # fmt: skip
NOTHING_TO_DO_SECONDS = 60
REPEATS = 3
_KEY = "the-key-of-the-bench"
_WIRED = ("people_", "__people", "__door_group")

Command = Callable[..., tuple[float, str]]


def figures(say: Callable[[str], None], folder: Path, inventory: Path, command: Command) -> list[Figure]:
    """The figures of one playbook.

    Args:
        say: Prints a line of progress.
        folder: Where the domain controller's secrets are, and what is made here.
        inventory: The bench's own.
        command: Runs a command; gives seconds and output.
    """
    facts = Facts.of(access.facts())
    policy = access.policy()
    register = folder / "register"
    register.mkdir()
    (register / "people.yml").write_text(yaml.safe_dump({"people": [ADMINISTRATOR]}))
    (register / "export.jsonl").write_text(written(facts))
    wishes = everybodys_wishes(facts, policy, date.today())  # noqa: DTZ011 - as the playbook decides
    with _booking_system(folder, wishes, facts) as connection:
        # Beside a second inventory, as a site's wiring: what stands behind -e wins over what a play has decided.
        variables = folder / "wiring" / "group_vars" / "all" / "people.json"
        variables.parent.mkdir(parents=True)
        variables.write_text(json.dumps(_variables(folder, register, connection)))
        (folder / "wiring" / "hosts.yml").write_text("all: {}\n")

        def play(name: str) -> tuple[float, str]:
            return command(
                name, "ansible-playbook", "-i", str(inventory), "-i", str(folder / "wiring"), "playbooks/people.yml"
            )

        say(f"people.yml makes {access.PEOPLE} people")
        first, output = play("bench-people-first")
        fault = "" if "changed=0" not in output else "the first run changed nothing"
        seconds = []
        for number in range(1, REPEATS + 1):
            say(f"people.yml finds nothing to do ({number} of {REPEATS})")
            took, output = play("bench-people")
            seconds.append(took)
            fault = fault or ("" if "changed=0" in output else "a run changed something")
    bare = median(directory.bare_search(folder)[0] for _ in range(REPEATS))
    return [
        Figure(
            f"people.yml: nothing to do, {access.PEOPLE} people, {access.FACTS} facts, directory and PPMS", "s",
            NOTHING_TO_DO_SECONDS, median(seconds), bare, "bare paged search of the directory's accounts",
            median(seconds) / bare, seconds, fault, f"first run {first:.0f} s; PPMS is the stand-in, and had them",
        )
    ]  # fmt: skip


def _variables(folder: Path, register: Path, connection: dict[str, str]) -> dict[str, Any]:
    """The example's own wiring of people, with the bench's names below it."""
    wiring = yaml.safe_load((EXAMPLE / "group_vars" / "all" / "wiring.yml").read_text())
    described = access.described()
    return {
        **{name: value for name, value in wiring.items() if name.startswith(_WIRED)},
        **{f"facility_{name}": value for name, value in described.items()},
        "__register": str(register),
        "__base": directory.BASE,
        "__secrets": str(folder),
        "__first_controller": directory.HOST,
        "__authority": str(folder / "authority" / "ca.crt"),
        "vault_svc_controller_password": (folder / "svc-controller").read_text().strip(),
        "people_export_url": "",
        "people_most_removed": access.PEOPLE,
        "people_ppms": connection,
    }


@contextmanager
def _booking_system(folder: Path, wishes: dict[str, Any], facts: Facts) -> Iterator[dict[str, str]]:
    """PPMS's stand-in with everybody and their rights, on the loopback; gives how to reach it."""
    people = facts.known().people
    system = Facility(folder / "ppms.json")
    with system.changed() as data:
        data["groups"] = {one["name"]: {"unitlogin": one["name"], "unitname": one["title"]}
                          for one in access.described()["research_groups"]}  # fmt: skip
        data["systems"] = {str(one["ppms_system_id"]): {"name": one["title"], "code": "c0de"}
                           for one in access.described()["instruments"]}  # fmt: skip
        for number, (login, wish) in enumerate(sorted(wishes.items())):
            one = people[login]
            data["users"][login] = {
                "login": login, "lname": one.family_name, "fname": one.given_name, "email": one.mail,
                "unitlogin": one.research_group or "group0", "active": True, "userid": number,
            }  # fmt: skip
            for right, systems in wish["ppms"]["rights"].items() if wish["ppms"] else ():
                for system_id in systems:
                    data["rights"].setdefault(str(system_id), {})[login] = right
    pem = certificate(folder, "ppms", "localhost")
    server = Server(("127.0.0.1", 0), system, _KEY, folder / "ppms-fault")
    server.with_tls(pem, pem)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "localhost"]))
    url = f"https://localhost:{server.server_address[1]}/example/pumapi/"
    try:
        yield {"url": url, "api_key": _KEY, "ca_file": str(pem)}
    finally:
        server.shutdown()
        server.server_close()

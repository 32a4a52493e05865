# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the comparison, from the checkout to the report."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from . import policy as policies
from . import runs
from .events import Drift, Looked
from .verdict import Asked, Report, judged

# They compare nothing themselves: the first looks at the inventory, the other tells what people.yml found.
_NO_SERVICES = frozenset({"preflight", "people_verdict"})
_AT_ONCE = 2
_CHECK = ("--check", "--diff")
# A site's inventory may lie in the checkout, and is not of the project.
_REVIEWED = ("--", ".", ":(exclude)inventories")

Say = Callable[[str], None]


class NotRunError(Exception):
    """The comparison can't run; one line with the cure."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be compared.

    Attributes:
        place: the checkout, the inventory, and the longest time of a playbook.
        only: names of playbooks; empty: all of site.yml.
        mends: whether what the policy allows is mended.
        accepts_changes: whether the checkout may differ from its commit.
    """

    place: runs.Place
    only: tuple[str, ...] = ()
    mends: bool = True
    accepts_changes: bool = False


def compare(task: Task, broken_off: str, say: Say) -> Report:
    """Compare the facility with what it should be, mend what may be mended, and ask every service.

    Args:
        task: What.
        broken_off: When an earlier run began that never ended.
        say: Prints a line of progress.

    Raises:
        NotRunError: The checkout, the inventory or the policy can't be used, or nothing could be looked at.
    """
    began = _now()
    place = task.place
    revision = _revision(place.checkout, accepts_changes=task.accepts_changes)
    services = playbooks(place.checkout / "playbooks" / "site.yml")
    if unknown := sorted(set(task.only) - set(services)):
        raise NotRunError(f"{', '.join(unknown)}: no playbook of site.yml: it has {', '.join(services)}")
    services = [name for name in services if name in (task.only or services)]
    try:
        policy = policies.read(place.inventory.parent, services=playbooks(place.checkout / "playbooks" / "site.yml"))
        say("looks whether the inventory is valid")
        valid = runs.run(place, "preflight", ())
        if valid.faults:
            raise NotRunError(f"the inventory is not valid: {valid.faults[0].message}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            looked = dict(zip(services, pool.map(lambda name: _checked(place, name, say), services), strict=True))
        mended = _mend(task, policy, looked, say) if task.mends else []
        say("asks every service")
        asked = _asked(place)
    except (runs.RunError, policies.PolicyError) as error:
        raise NotRunError(str(error)) from None
    found = list(looked.values())
    return judged(began, _now(), revision=revision, looked=found, mended=mended, asked=asked, broken_off=broken_off)


def playbooks(site: Path) -> list[str]:
    """The playbooks that site.yml imports and that compare something, in its order."""
    entries = yaml.safe_load(site.read_text(encoding="utf-8"))
    names = [str(entry["ansible.builtin.import_playbook"]).removesuffix(".yml") for entry in entries]
    return list(dict.fromkeys(name for name in names if name not in _NO_SERVICES))


def _checked(place: runs.Place, name: str, say: Say) -> Looked:
    looked = runs.run(place, name, _CHECK)
    say(f"{name}: {looked.tasks - looked.skipped} tasks compared, {len(looked.drift)} would change something")
    return looked


def _mend(task: Task, policy: policies.Policy, looked: dict[str, Looked], say: Say) -> list[Drift]:
    """Mend what the policy allows, one playbook after the other, and put what is there afterwards in its place."""
    mended: list[Drift] = []
    for name, before in list(looked.items()):
        hosts = sorted({one.host for one in before.drift})
        if name not in policy.mend or not hosts:
            continue
        say(f"{name}: mends {', '.join(hosts)}")
        limit = ",".join(dict.fromkeys([*hosts, "localhost"]))
        runs.run(task.place, name, ("--limit", limit))
        after = _checked(task.place, name, say)
        mended += sorted(set(before.drift) - set(after.drift))
        looked[name] = after
    return mended


def _asked(place: runs.Place) -> list[Asked]:
    with tempfile.TemporaryDirectory(prefix="reconcile-verify-") as folder:
        told = Path(folder) / "verify.json"
        runs.run(place, "verify", ("--extra-vars", f"verify_report={told}"))
        try:
            entries = json.loads(told.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
    return [
        Asked(str(one["host"]), str(one["service"]), bool(one["ok"]), str(one.get("message", ""))) for one in entries
    ]


def _revision(checkout: Path, *, accepts_changes: bool) -> str:
    revision = _git(checkout, "rev-parse", "HEAD").strip()
    changed = [line[3:] for line in _git(checkout, "status", "--porcelain", *_REVIEWED).splitlines()]
    if changed and not accepts_changes:
        raise NotRunError(
            f"{checkout} differs from its commit ({', '.join(changed[:5])}): commit or take back what was changed, for "
            "the facility is compared with what was reviewed"
        )
    return f"{revision}+changes" if changed else revision


def _git(checkout: Path, *words: str) -> str:
    command: Sequence[str] = ("git", "-C", str(checkout), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotRunError(f"{checkout} is no git checkout that can be read: {done.stderr.strip()}")
    return done.stdout


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")

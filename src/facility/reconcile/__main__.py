# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m facility.reconcile``: compare the facility with what it should be, and write a report.

Exit status: 0 all is as it should be, or was mended; 2 something differs; 3 something does not work or could not be
looked at; 4 the comparison did not run, and the last report stays.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path

import yaml

from ..core.lock import LockedError, locked
from .compare import NotRunError, Task, compare
from .runs import Place
from .store import PAGE, begin, keep
from .verdict import Status

_REPOSITORY = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    options = _parsed(arguments)
    inventory, folder = options.inventory.resolve(), options.reports.resolve()
    try:
        title = _title(inventory.parent)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            broken_off = begin(folder, datetime.now().astimezone().isoformat(timespec="seconds"))
            place = Place(_REPOSITORY, inventory, options.minutes * 60)
            task = Task(place, tuple(options.only), not options.no_mending, options.accept_changes)
            report = compare(task, broken_off, _say)
            keep(folder, report, title, time.time())
    except LockedError:
        _say(f"another comparison is under way: {folder / 'lock'} is held")
        return Status.NOT_RUN
    except (NotRunError, OSError) as error:
        _say(f"the comparison did not run: {error}")
        return Status.NOT_RUN
    for line in report.needs_person:
        _say(line)
    _say(f"the report is {folder / PAGE}")
    return report.status


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m facility.reconcile", description=__doc__)
    parser.add_argument("-i", "--inventory", type=Path, required=True, help="the inventory's hosts.yml")
    parser.add_argument("--reports", type=Path, default=Path("build/reconcile"), help="the folder of reports")
    parser.add_argument("--only", nargs="*", default=[], metavar="PLAYBOOK", help="compare these alone, as wiki")
    parser.add_argument("--no-mending", action="store_true", help="mend nothing, whatever reconcile.yml allows")
    parser.add_argument("--accept-changes", action="store_true", help="the checkout may differ from its commit")
    parser.add_argument("--minutes", type=int, default=30, help="the longest that one playbook may take")
    return parser.parse_args(arguments)


def _title(folder: Path) -> str:
    file = folder / "group_vars" / "all" / "facility.yml"
    try:
        return str(yaml.safe_load(file.read_text(encoding="utf-8"))["facility_name"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise NotRunError(f"{file} names no facility_name ({error}): name an inventory's hosts.yml") from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

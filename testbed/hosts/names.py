# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own /etc/hosts: one marked block per bed, so that hosts can be reached by name from here."""

import fcntl
import re
from collections.abc import Callable
from pathlib import Path

from testbed.hosts.bed import Bed

HOSTS_FILE = Path("/etc/hosts")


def _block(bed_name: str) -> re.Pattern[str]:
    name = re.escape(bed_name)
    return re.compile(rf"# >>> facility test bed {name}\n.*?# <<< facility test bed {name}\n", re.DOTALL)


def with_bed(text: str, bed: Bed) -> str:
    """Return the text of a hosts file with exactly one, current block of the bed."""
    lines = [f"{host.address} {host.name} {host.name.split('.')[0]}.{bed.name}.testbed" for host in bed.hosts]
    rest = without_bed(text, bed.name)
    if rest and not rest.endswith("\n"):
        rest += "\n"
    return "\n".join([rest + f"# >>> facility test bed {bed.name}", *lines, f"# <<< facility test bed {bed.name}", ""])


def without_bed(text: str, bed_name: str) -> str:
    """Return the text of a hosts file without the bed's block; everything else is left as it is."""
    return _block(bed_name).sub("", text)


def publish(bed: Bed) -> None:
    """Make the bed's names known on this machine."""
    _rewrite(lambda text: with_bed(text, bed))


def withdraw(bed_name: str) -> None:
    """Forget the bed's names."""
    _rewrite(lambda text: without_bed(text, bed_name))


def _rewrite(change: Callable[[str], str]) -> None:
    # In place and locked: beds come up side by side, and /etc/hosts may be a bind mount that can't be renamed over.
    with HOSTS_FILE.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        changed = change(text)
        if changed != text:
            file.seek(0)
            file.write(changed)
            file.truncate()

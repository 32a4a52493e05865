# SPDX-License-Identifier: GPL-3.0-or-later
"""Converge the facility once more and fail unless nothing changed on any host."""

import re
import subprocess
import sys

from testbed.facility import CONVERGE
from testbed.paths import REPOSITORY


def main() -> int:
    """Return 0 when the run went well and every host reports changed=0."""
    done = subprocess.run(CONVERGE.command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    changed = [line for line in done.stdout.splitlines() if re.search(r"\bchanged=[1-9]", line)]
    if changed:
        print("A second run changed something:", *changed, sep="\n")
    return done.returncode or len(changed)


if __name__ == "__main__":
    sys.exit(main())

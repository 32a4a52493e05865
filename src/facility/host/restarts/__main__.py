# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m facility.host.restarts STATE MAIL``: look once; see --help.

Exit status: 0 done; 1 systemd can't be asked, or doesn't start MAIL.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ...core.replace_file import replace_file
from .judgement import Memory, Service, judge

_PROPERTIES = "Id,LoadState,ActiveState,NRestarts,Restart,OnFailure"


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at all services, and start the unit that tells somebody of each bad one; give the exit status."""
    options = _parser().parse_args(arguments)
    state, mail = options.state, options.mail
    try:
        shown = _systemctl("show", f"--property={_PROPERTIES}", "*.service")
        tell, remembered = judge(services(shown, mail), _read(state), time.time())
        for name in tell:
            print(f"{name} restarts again and again, or has given up", file=sys.stderr)  # noqa: T201 - for the journal
            _systemctl("start", "--no-block", "--", mail.replace("%s", name))
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd)}: {error.stderr.strip()}", file=sys.stderr)  # noqa: T201 - for the journal
        return 1
    told = {name: [one.restarts, list(one.looks), one.told] for name, one in remembered.items()}
    replace_file(state, json.dumps(told), sync=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facility.host.restarts", description="Report services that restart for ever."
    )
    parser.add_argument("state", type=Path, help="a file for what is remembered between two looks")
    parser.add_argument("mail", help="the unit that tells somebody, with %%s for the service's name")
    return parser


def services(shown: str, mail: str) -> list[Service]:
    """The services that systemd starts again, from what systemctl shows of all."""
    found = []
    for block in shown.strip().split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        if values.get("Restart", "no") == "no" or values.get("LoadState") != "loaded":
            continue
        tells = mail.partition("%s")[0] in values.get("OnFailure", "")
        failed = values.get("ActiveState") == "failed"
        found.append(Service(values["Id"], int(values.get("NRestarts") or 0), failed, tells))
    return found


def _read(state: Path) -> dict[str, Memory]:
    """What the last look remembered; nothing after a start of the host, or when it can't be read."""
    try:
        noted = json.loads(state.read_text())
        return {name: Memory(int(one[0]), tuple(map(float, one[1])), float(one[2])) for name, one in noted.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}


def _systemctl(*words: str) -> str:
    return subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True, errors="replace").stdout


if __name__ == "__main__":
    sys.exit(main())

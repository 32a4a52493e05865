# SPDX-License-Identifier: GPL-3.0-or-later
"""``ppms serve | fill | sessions | fault``: the stand-in's own command on its host."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from .facility import Facility
from .server import FAULTS, Server

FOLDER = Path("/var/lib/ppms-standin")
CERTIFICATE, KEY = Path("/etc/facility/tls/host.crt"), Path("/etc/facility/tls/host.key")


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="ppms", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve HTTPS on port 443")
    commands.add_parser("fill", help="take people, groups, instruments and the key from JSON on standard input")
    commands.add_parser("sessions", help="print the sessions as JSON")
    commands.add_parser("fault", help="let something go wrong").add_argument("kind", choices=FAULTS)
    arguments = parser.parse_args()
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    facility = Facility(FOLDER / "facility.json")
    if arguments.command == "serve":
        key = (FOLDER / "api-key").read_text().strip()
        Server(("0.0.0.0", 443), facility, key, FOLDER / "fault").with_tls(CERTIFICATE, KEY).serve_forever()  # noqa: S104
    elif arguments.command == "fill":
        _fill(facility)
    elif arguments.command == "sessions":
        print(json.dumps(facility.sessions(datetime.now(UTC)), indent=1))
    else:
        (FOLDER / "fault").write_text(arguments.kind)
    return 0


def _fill(facility: Facility) -> None:
    given = json.load(sys.stdin)
    (FOLDER / "api-key").touch(mode=0o600)
    (FOLDER / "api-key").write_text(given.pop("api_key"))
    with facility.changed() as data:
        # Sessions that were counted stay.
        data.update(given)


if __name__ == "__main__":
    sys.exit(main())

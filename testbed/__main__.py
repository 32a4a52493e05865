# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed's command line: ``python -m testbed up | down | list | exec | image | facility | verify | clean``."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from testbed import facility, prepared
from testbed.hosts import driver
from testbed.hosts.bed import BedError, bed, bed_of_inventory
from testbed.images.build import ImageError, ensure
from testbed.paths import BUILD, alone_in_cache
from testbed.podman import LABEL, PodmanError, podman


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="bring up the hosts of an inventory, or of a JSON list on standard input")
    start.add_argument("bed")
    start.add_argument("inventory", nargs="+", help="paths of YAML inventories, or -")
    start.add_argument("--prepared", default="", help="file of a scenario's prepared hosts, which are made from it")
    stop = commands.add_parser("down", help="remove a bed's hosts, network and names")
    stop.add_argument("bed")
    commands.add_parser("list", help="show all hosts")
    execute = commands.add_parser("exec", help="run a command on a host")
    execute.add_argument("host")
    execute.add_argument("argv", nargs=argparse.REMAINDER)
    image = commands.add_parser("image", help="build images")
    image.add_argument("names", nargs="+")
    commands.add_parser("facility", help="bring up, converge and verify the example facility")
    commands.add_parser("verify", help="verify the running example facility")
    commands.add_parser("clean", help="remove every bed").add_argument(
        "--images", action="store_true", help="and the images in podman"
    )
    arguments = parser.parse_args()
    try:
        _require_root()
        return int(globals()[f"_{arguments.command}"](arguments) or 0)
    except (BedError, ImageError, PodmanError) as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1


def _require_root() -> None:
    if os.geteuid():
        raise BedError("the test bed makes containers, networks and names: run it as root (sudo make …)")
    missing = [tool for tool in ("podman", "runc", "mmdebstrap", "ip", "ssh") if shutil.which(tool) is None]
    if missing:
        raise BedError(f"not installed: {', '.join(missing)}; install with: make tools")


def _up(arguments: argparse.Namespace) -> None:
    if arguments.inventory == ["-"]:
        wanted = bed(arguments.bed, json.load(sys.stdin))
    else:
        wanted = bed_of_inventory(arguments.bed, *map(Path, arguments.inventory))
    for line in driver.up(wanted, prepared.images_of(arguments.prepared)) or [
        f"{len(wanted.hosts)} hosts of bed {wanted.name} are up"
    ]:
        print(f"  {line}")


def _down(arguments: argparse.Namespace) -> None:
    for name in driver.down(arguments.bed):
        print(f"  removed {name}")


def _list(_: argparse.Namespace) -> None:
    for row in driver.running_hosts():
        print("{:20} {:40} {}".format(*row))


def _exec(arguments: argparse.Namespace) -> int:
    return subprocess.run(["podman", "exec", arguments.host, *arguments.argv], check=False).returncode


def _image(arguments: argparse.Namespace) -> None:
    with alone_in_cache():
        for name in arguments.names:
            print(f"  {ensure(name)}")


def _facility(_: argparse.Namespace) -> int:
    return facility.facility()


def _verify(_: argparse.Namespace) -> int:
    return facility.verify()


def _clean(arguments: argparse.Namespace) -> None:
    for name in driver.beds():
        for removed in driver.down(name):
            print(f"  removed {removed}")
    if arguments.images:
        for image in podman("images", "--quiet", "--filter", f"label={LABEL}=image").split():
            podman("rmi", "--force", image)
    shutil.rmtree(BUILD, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test bed does to the PC from outside: ``device-pc COMMAND``."""

import argparse
import json
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime

from . import clock, faulty, local_groups, wine
from .cmd_line import CMD
from .drive import STATE


def main() -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="device-pc", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a Windows command line")
    run.add_argument("--time", help="UTC time at its start, YYYY-MM-DD HH:MM:SS")
    run.add_argument("--zone", default=wine.ZONE)
    run.add_argument("--as", dest="account", choices=wine.ACCOUNTS, default="administrator")
    run.add_argument("--folder", default="C:\\", help="working directory")
    run.add_argument("--utf8", action="store_true", help="code page 65001; else 850 and 1252")
    run.add_argument("--seconds", type=float, help="end it after so long, with status 124")
    run.add_argument("line", nargs="+")
    commands.add_parser("log-on", help="somebody sits down").add_argument("user")
    commands.add_parser("groups", help="local groups and domain: show them").add_argument(
        "--put", action="store_true", help="take them from standard input, as JSON"
    )
    commands.add_parser("log-off", help="nobody sits there")
    commands.add_parser("console", help="who sits there")
    desktops = commands.add_parser("sessions", help="numbers of the sessions in which somebody has a desktop")
    desktops.add_argument("numbers", nargs="*", help="none: as the console says")
    hands = commands.add_parser("clock", help="the PC's clock; alone: show it")
    hands.add_argument("--speed", type=float, help="how much faster than the machine's it runs")
    hands.add_argument("--set", help="UTC time that it shows, YYYY-MM-DD HH:MM:SS")
    hands.add_argument("--true", action="store_true", help="it is the machine's again")
    commands.add_parser("user", help="a local administrator; password on standard input").add_argument("name")
    commands.add_parser("fault", help="exactly these faults").add_argument("names", nargs="+", choices=faulty.FAULTS)
    commands.add_parser("windows", help="whose tools' output: 7 or 10").add_argument("version", choices=("7", "10"))
    commands.add_parser("serve-winrm")
    commands.add_parser("serve-tasks")
    arguments = parser.parse_args()
    return int(globals()["_" + arguments.command.replace("-", "_")](arguments) or 0)


def _run(arguments: argparse.Namespace) -> int:
    program = wine.start(
        _line(arguments.line),
        account=wine.ACCOUNTS[arguments.account],
        folder=arguments.folder,
        utf8=arguments.utf8,
        time=arguments.time,
        zone=arguments.zone,
        stdin=None, stdout=None, stderr=None,
    )  # fmt: skip
    try:
        code = program.wait(arguments.seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        return 124
    # A Unix status has 8 bits; a large Windows exit code must not end as 0.
    return min(code, 255)


def _line(words: list[str]) -> str:
    """One word is a command line for cmd; several are a program and its arguments."""
    return f"{CMD} /C {words[0]}" if len(words) == 1 else subprocess.list2cmdline(words)


def _log_on(arguments: argparse.Namespace) -> int:
    if not local_groups.read().may_log_on(arguments.user):
        print("Die Anmeldemethode, die Sie verwenden möchten, ist nicht zulässig.", file=sys.stderr)
        return 1
    wine.CONSOLE.write_text(arguments.user + "\n")
    return 0


def _groups(arguments: argparse.Namespace) -> None:
    if arguments.put:
        local_groups.write(local_groups.given(json.load(sys.stdin)))
    print(json.dumps(asdict(local_groups.read()), indent=1))


def _log_off(_: argparse.Namespace) -> None:
    wine.CONSOLE.write_text("")


def _sessions(arguments: argparse.Namespace) -> None:
    file = STATE / "sessions"
    if arguments.numbers:
        file.write_text(" ".join(arguments.numbers) + "\n")
    else:
        file.unlink(missing_ok=True)


def _console(_: argparse.Namespace) -> None:
    print(wine.console())


def _clock(arguments: argparse.Namespace) -> None:
    shown = None
    if arguments.set:
        shown = datetime.strptime(arguments.set, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    if arguments.true:
        clock.forget()
    elif arguments.speed is not None or shown is not None:
        clock.put(speed=arguments.speed, shown=shown)
    print(clock.now().strftime("%Y-%m-%d %H:%M:%S"))


def _user(arguments: argparse.Namespace) -> None:
    from . import accounts  # noqa: PLC0415 - its library takes a while

    accounts.put(arguments.name, sys.stdin.readline().rstrip("\n"))


def _fault(arguments: argparse.Namespace) -> None:
    faulty.make(arguments.names)


def _windows(arguments: argparse.Namespace) -> None:
    (STATE / "windows").write_text(arguments.version + "\n")


def _serve_winrm(_: argparse.Namespace) -> None:
    from . import endpoint  # noqa: PLC0415 - only the endpoint waits for spnego's server

    endpoint.serve()


def _serve_tasks(_: argparse.Namespace) -> None:
    from . import tasks, tools  # noqa: PLC0415 - not needed by the short commands

    scheduler = tasks.Scheduler()
    threading.Thread(target=tools.ToolServer(scheduler).serve_forever, daemon=True).start()
    tasks.keep_looking(scheduler)


if __name__ == "__main__":
    sys.exit(main())

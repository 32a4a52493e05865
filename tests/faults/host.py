# SPDX-License-Identifier: GPL-3.0-or-later
"""The running facility's OMERO host, seen from outside: its processes, its files, its database, its network.

Its processes are found by its own process namespace, so that nothing else on the machine is ever ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.podman import inspect, podman

NAME = "omero1.imaging.example.org"
PROCESSES = {
    "settle": re.compile(r"python3 -m facility\.drive\.settle "),
    "smbd": re.compile(r"^/usr/sbin/smbd "),
    "fsServerMS": re.compile(r"-m fsServerMS "),
    "fsDropBox": re.compile(r"-m fsDropBox "),
    "Blitz": re.compile(r"-m omero_standin -X"),
    "monitor": re.compile(r"-m facility\.omero\.dropbox_monitor "),
    "importer": re.compile(r"CommandLineImporter|-m omero_standin\.importer "),
}
_CUT = """table inet campaign {
  chain in { type filter hook input priority -300; iifname != "lo" drop; }
  chain out { type filter hook output priority -300; oifname != "lo" drop; }
}
"""
_IMPORTS = """
select json_build_object('fileset', f.id, 'path', e.clientpath, 'file', o.path || o.name)
from fileset f join filesetentry e on e.fileset = f.id left join originalfile o on o.id = e.originalfile
where f.id > {after} and exists (select 1 from image i where i.fileset = f.id)
"""
_BROKEN = (
    "select count(*) from fileset f where f.id > {after} and not exists (select 1 from image i where i.fileset = f.id)"
)


@dataclass(frozen=True)
class Host:
    """The host; number is its first process, as this machine counts."""

    number: int

    def path(self, inside: str) -> Path:
        """A path of the host, usable here."""
        return Path(f"/proc/{self.number}/root{inside}")

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command on the host as root."""
        return podman("exec", NAME, *command, check=check)

    def processes(self, sort: str) -> list[int]:
        """The processes of one kind."""
        own = Path(f"/proc/{self.number}/ns/pid").readlink()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if PROCESSES[sort].search(arguments) and (folder / "ns" / "pid").readlink() == own:
                    found.append(int(folder.name))
        return found

    def kill(self, sort: str) -> int:
        """SIGKILL all processes of a kind; give how many there were."""
        killed = 0
        for number in self.processes(sort):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
                killed += 1
        return killed

    def cut_off(self, seconds: float) -> None:
        """Drop every packet from and to the host for a while."""
        nft = ["nsenter", f"--net=/proc/{self.number}/ns/net", "--", "nft"]
        _command(*nft, "-f", "-", text=_CUT)
        try:
            time.sleep(seconds)
        finally:
            _command(*nft, "delete", "table", "inet", "campaign")

    def sql(self, query: str) -> list[str]:
        """The lines of an answer of OMERO's database."""
        command = ["runuser", "-u", "postgres", "--", "psql", "-At", "-d", "omero", "-c", query]
        return self.run(*command).splitlines()

    def last_fileset(self) -> int:
        """The newest fileset's number."""
        return int(self.sql("select coalesce(max(id), 0) from fileset")[0])

    def imports(self, after: int) -> list[dict[str, Any]]:
        """The files of all filesets with images that are newer than one: fileset, path, file in the repository."""
        return [json.loads(line) for line in self.sql(_IMPORTS.format(after=after))]

    def broken_imports(self, after: int) -> int:
        """How many filesets have no images: imports that broke off."""
        return int(self.sql(_BROKEN.format(after=after))[0])

    def report(self) -> dict[str, Any]:
        """The DropBox monitor's newest report; {} if there is none."""
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(self.path("/run/omero-dropbox-monitor/report.json").read_text()))
        return {}

    def number_of(self, login: str) -> int:
        """A person's user number, which Samba works out."""
        return int(self.run("id", "-u", login).strip())


def _command(*command: str, text: str = "") -> None:
    """Run a command of this machine."""
    subprocess.run(command, input=text, text=True, check=True, capture_output=True)


def found() -> Host:
    """The running host.

    Raises:
        LookupError: if it doesn't run.
    """
    state = inspect("container", [NAME]).get(NAME, {}).get("State", {})
    if not state.get("Running"):
        raise LookupError(f"{NAME} isn't running: make facility")
    return Host(int(state["Pid"]))


@contextlib.contextmanager
def faster_settle(host: Host, settings: dict[str, float]) -> Iterator[None]:
    """Have settle run with shorter times; what the role made is not touched, and a restart of the host ends it."""
    config = host.path("/run/settle-campaign.toml")
    dropin = host.path("/run/systemd/system/settle.service.d/campaign.conf")
    lines = host.path("/etc/settle/settle.toml").read_text().splitlines()
    first_table = next((number for number, line in enumerate(lines) if line.startswith("[")), len(lines))
    kept = [line for line in lines[:first_table] if line.partition(" =")[0] not in settings]
    kept += [f"{key} = {value}" for key, value in settings.items()]
    config.write_text("\n".join([*kept, "", *lines[first_table:], ""]))
    config.chmod(0o644)
    dropin.parent.mkdir(parents=True, exist_ok=True)
    command = "/usr/bin/python3 -m facility.drive.settle --config /run/settle-campaign.toml"
    dropin.write_text(f"[Service]\nExecStart=\nExecStart={command}\n")
    try:
        _restart(host)
        yield
    finally:
        dropin.unlink(missing_ok=True)
        dropin.parent.rmdir()
        config.unlink(missing_ok=True)
        _restart(host)


def _restart(host: Host) -> None:
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "settle.service")

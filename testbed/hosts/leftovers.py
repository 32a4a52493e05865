"""Give podman back what a killer or a restart took from it, so that it can clean up and start a host again.

podman notes in /run what it started. When the processes die without its monitor (conmon) noticing, or the machine
restarts and /run outlives it, the notes are untrue, and podman 4.3 gets stuck on them in the ways mended here.
"""

import ipaddress
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from testbed.podman import inspect, podman

# Where conmon leaves the exit status of a container for podman, as root with podman's default tmp_dir.
EXITS = Path("/run/libpod/exits")
RESOLVER = Path("/run/containers/networks/aardvark-dns")
MOUNTS = Path("/proc/self/mountinfo")
KILLED = "137"


def mend(known: dict[str, Any]) -> None:
    """Mend podman's notes of a container that it takes for running and that isn't; others are left alone.

    Args:
        known: what ``podman container inspect`` shows of it.
    """
    state = known["State"]
    if state["Status"] not in {"running", "paused", "stopping"} or _lives(state["Pid"], known["Id"]):
        return
    # In this order: once podman knows of the end, it writes down that there is no namespace to clean.
    _restore_namespace(known)
    _tell_the_end(known["Id"])


def _lives(pid: int, identity: str) -> bool:
    """Whether the process is there and the container's: after a restart its number may be anybody's."""
    process = Path(f"/proc/{pid}")
    try:
        # A dead process that nobody has reaped yet has a control group still, but no command any more.
        return bool((process / "cmdline").read_bytes()) and identity in (process / "cgroup").read_text()
    except OSError:
        return False


def _tell_the_end(identity: str) -> None:
    # Without a status from conmon, `podman stop` leaves the container in a state "stopping" that it never leaves.
    if EXITS.is_dir() and not (EXITS / identity).exists():
        (EXITS / identity).write_text(KILLED)
    # podman takes notice when it is asked about the container; `podman stop` would throw the status away unread.
    inspect("container", [identity])


def _restore_namespace(known: dict[str, Any]) -> None:
    # Where podman can't enter the network namespace it forgets it, and with it to give back the host's address:
    # that stays taken for ever, also after the container and the network were removed.
    namespace = _namespace(Path(known.get("OCIConfigPath") or ""))
    if namespace is None or f" {namespace} " in MOUNTS.read_text():
        return
    namespace.unlink(missing_ok=True)
    _ip("netns", "add", namespace.name)


def _namespace(configuration: Path) -> Path | None:
    try:
        namespaces = json.loads(configuration.read_text())["linux"]["namespaces"]
    except (OSError, ValueError, KeyError):
        return None
    paths = [Path(entry["path"]) for entry in namespaces if entry["type"] == "network" and entry.get("path")]
    return next((path for path in paths if path.parent in {Path("/run/netns"), Path("/var/run/netns")}), None)


def forget_network(gateway: ipaddress.IPv4Address) -> None:
    """Remove what is left of networks with this gateway that podman doesn't know any more: their bridge and names.

    The bridge bars every network of its addresses. The names are those of hosts that podman lost; its resolver
    (aardvark-dns) would take a new network of the same name for the old one and serve it at the old one's address.
    """
    networks = inspect("network", podman("network", "ls", "--format", "{{.Name}}").split())
    in_use = {entry["network_interface"] for entry in networks.values()}
    for link in json.loads(_ip("-json", "-4", "address", "show", "type", "bridge") or "[]"):
        addresses = {found["local"] for found in link.get("addr_info", [])}
        name = str(link.get("ifname", ""))
        # It is podman's when it has a name as podman gives them, and nobody's when no network has it.
        if str(gateway) in addresses and re.fullmatch(r"podman\d+", name) and name not in in_use:
            _ip("link", "delete", name)
    for file in RESOLVER.glob("*"):
        if file.name not in networks and file.read_text().split("\n")[0].split(" ")[0] == str(gateway):
            file.unlink(missing_ok=True)


def forget_end(known: dict[str, Any]) -> None:
    """Remove the exit status of a container that was removed: podman leaves it."""
    (EXITS / known["Id"]).unlink(missing_ok=True)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True).stdout

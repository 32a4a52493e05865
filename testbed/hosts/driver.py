# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring beds up and down, whatever an earlier run left behind."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from testbed.hosts import access, names
from testbed.hosts.bed import Bed, BedError, Host
from testbed.images.build import ensure
from testbed.paths import BUILD
from testbed.podman import LABEL, PodmanError, inspect, podman

BED_LABEL = f"{LABEL}.bed"
OWNER_LABEL = f"{LABEL}.owner"

CAPABILITIES = (
    # With podman's default set systemd silently leaves ProtectSystem= and PrivateTmp= out. Never --privileged.
    "SYS_ADMIN,NET_ADMIN,NET_RAW,AUDIT_WRITE,MKNOD,SYS_PTRACE,SYS_NICE,IPC_LOCK,LINUX_IMMUTABLE,DAC_READ_SEARCH,"
    "SYS_CHROOT"
)
BOOT_SECONDS = 60


def owner() -> str:
    """Return this checkout's own mark: hosts made from another checkout hold other secrets and are made anew."""
    path = BUILD / "testbed" / "owner"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid.uuid4().hex)
    return path.read_text()


def up(bed: Bed) -> list[str]:
    """Make every host of the bed run and answer over SSH; return a line for each host that had to be touched."""
    images = {image: ensure(image) for image in sorted({host.image for host in bed.hosts})}
    _network(bed)
    known = inspect("container", [host.name for host in bed.hosts])
    key = access.public_key(bed.name)
    with ThreadPoolExecutor(len(bed.hosts)) as pool:
        results = list(
            pool.map(lambda host: _ensure_host(bed, host, known.get(host.name), images[host.image], key), bed.hosts)
        )
    access.write_ssh_config(bed, {host.name: result[1] for host, result in zip(bed.hosts, results, strict=True)})
    names.publish(bed)
    return [line for line, _ in results if line]


def down(bed_name: str) -> list[str]:
    """Remove a bed's hosts, network and names; return what was removed."""
    removed = _remove_containers(f"{BED_LABEL}={bed_name}")
    network = f"facility-testbed-{bed_name}"
    if inspect("network", [network]):
        podman("network", "rm", "--force", network)
        removed.append(network)
    names.withdraw(bed_name)
    return removed


def beds() -> list[str]:
    """Return the names of all beds that are there, also half of them, from any checkout."""
    found = set()
    for kind in (("ps", "--all"), ("network", "ls")):
        rows = podman(*kind, "--filter", f"label={BED_LABEL}", "--format", f'{{{{index .Labels "{BED_LABEL}"}}}}')
        found.update(rows.split())
    return sorted(found)


def running_hosts() -> list[tuple[str, str, str]]:
    """Return (bed, host, state) of every host on this machine."""
    form = f'{{{{index .Labels "{BED_LABEL}"}}}} {{{{.Names}}}} {{{{.State}}}}'
    rows = podman("ps", "--all", "--filter", f"label={BED_LABEL}", "--format", form).splitlines()
    return sorted((bed, name, state) for bed, name, state in (row.split(maxsplit=2) for row in rows))


def execute(host: str, command: list[str]) -> str:
    """Run a command on a host and return its output."""
    return podman("exec", host, *command)


def _network(bed: Bed) -> None:
    entry = inspect("network", [bed.network]).get(bed.network)
    if entry is not None:
        if any(subnet["subnet"] == str(bed.subnet) for subnet in entry["subnets"]):
            return
        down(bed.name)  # left from a bed of the same name with other addresses
    podman(
        "network", "create", "--subnet", str(bed.subnet), "--gateway", str(bed.gateway),
        "--label", LABEL, "--label", f"{BED_LABEL}={bed.name}", bed.network,
    )  # fmt: skip


def _ensure_host(bed: Bed, host: Host, known: dict[str, Any] | None, image: str, key: str) -> tuple[str, str]:
    """Return (what was done, host key); "" where the host was found in order."""
    if known is not None and not _is_ours(bed, host, known):
        _discard(host.name)
        known = None
    if known is not None:
        try:
            return "", _answer(host, key)
        except (PodmanError, OSError):
            pass
        try:
            # What podman believes may be long untrue: the processes killed, the machine restarted.
            podman("stop", "--time", "0", host.name, check=False, timeout=30)
            podman("start", host.name, timeout=60)
            _await_boot(host)
            return f"{host.name}: was not answering, started again", _answer(host, key)
        except (PodmanError, BedError, OSError):
            _discard(host.name)
    _create(bed, host, image)
    _await_boot(host)
    # podman's own resolver knows the bed's names; role base may later point elsewhere.
    podman("exec", "--interactive", host.name, "tee", "/etc/resolv.conf", stdin=f"nameserver {bed.gateway}\n")
    return f"{host.name}: created ({host.image}, {host.address})", _answer(host, key)


def _is_ours(bed: Bed, host: Host, known: dict[str, Any]) -> bool:
    labels = known["Config"].get("Labels") or {}
    if BED_LABEL not in labels:
        raise BedError(
            f"a container named {host.name} is there and is not the test bed's; remove or rename it: "
            f"podman rename {host.name} NEWNAME"
        )
    networks = known["NetworkSettings"].get("Networks") or {}
    configured = (known["Config"].get("CreateCommand") or []) + list(networks)
    return (
        labels.get(OWNER_LABEL) == owner()
        and labels[BED_LABEL] == bed.name
        and str(host.address) in configured
        and labels.get(f"{LABEL}.image") == host.image
    )


def _create(bed: Bed, host: Host, image: str) -> None:
    podman(
        "run", "--detach", "--name", host.name, "--hostname", host.name, "--systemd=always",
        "--network", bed.network, "--ip", str(host.address), "--network-alias", host.name,
        # The host's own files, as on a real one: a role may replace them.
        "--dns=none", "--no-hosts",
        "--label", LABEL, "--label", f"{BED_LABEL}={bed.name}", "--label", f"{OWNER_LABEL}={owner()}",
        "--label", f"{LABEL}.image={host.image}",
        "--cap-add", CAPABILITIES, "--security-opt", "seccomp=unconfined", "--security-opt", "unmask=ALL",
        image,
    )  # fmt: skip


def _await_boot(host: Host) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    state = "not answering"
    while time.monotonic() < deadline:
        # `is-system-running --wait` fails before the bus is there, so poll. It exits 1 while starting.
        state = podman("exec", host.name, "systemctl", "is-system-running", check=False).strip() or state
        if state in {"running", "degraded"}:
            return
        time.sleep(0.2)
    raise BedError(f"{host.name} did not start within {BOOT_SECONDS} s (state: {state}); see: podman logs {host.name}")


def _answer(host: Host, key: str) -> str:
    """Let our key in and return the host's own; raise when the host or its network is not really there."""
    script = (
        "umask 077; mkdir -p /root/.ssh; cat > /root/.ssh/authorized_keys; "
        "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub"
    )
    host_key = podman("exec", "--interactive", host.name, "sh", "-c", script, stdin=key, timeout=20).strip()
    socket.create_connection((str(host.address), 22), timeout=5).close()
    return host_key


def _discard(name: str) -> None:
    try:
        podman("rm", "--force", "--time", "0", name, timeout=60)
    except PodmanError:
        # Half-torn mounts or namespaces: clean what can be cleaned, then it goes.
        podman("container", "cleanup", name, check=False)
        podman("rm", "--force", "--time", "0", name, timeout=60)


def _remove_containers(label: str) -> list[str]:
    found = podman("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}").split()
    with ThreadPoolExecutor(max(len(found), 1)) as pool:
        list(pool.map(_discard, found))
    return sorted(found)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring beds up and down, whatever an earlier run left behind."""

import contextlib
import ipaddress
import socket
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from testbed.hosts import access, leftovers, names
from testbed.hosts.bed import Bed, BedError, Host
from testbed.images.build import ensure
from testbed.paths import BUILD, alone_in_cache
from testbed.podman import LABEL, PodmanError, inspect, podman

BED_LABEL = f"{LABEL}.bed"
OWNER_LABEL = f"{LABEL}.owner"

CAPABILITIES = (
    # With podman's default set systemd silently leaves ProtectSystem= and PrivateTmp= out. Never --privileged.
    "SYS_ADMIN,NET_ADMIN,NET_RAW,AUDIT_WRITE,MKNOD,SYS_PTRACE,SYS_NICE,IPC_LOCK,LINUX_IMMUTABLE,DAC_READ_SEARCH,"
    "SYS_CHROOT,LEASE"
)
STATELESS = {"depot", "device_pc"}
"""Hosts of these images are made anew when the image changes. Others hold a facility, which outlives its image."""
PREPARED = "localhost/facility-testbed/prepared/"
"""So begin the tags of images of hosts, as ``commit`` makes them."""
INOTIFY_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_INSTANCES = 1024
BOOT_SECONDS = 60
SSH_SECONDS = 10


def _allow_many_watchers() -> None:
    """Let root watch more: a host's services take about ten of the kernel's 128, and all hosts share them."""
    # Until the next start of the machine. Where it can't be written, a dozen hosts is what there is room for.
    with contextlib.suppress(OSError):
        if int(INOTIFY_INSTANCES.read_text()) < ENOUGH_INSTANCES:
            INOTIFY_INSTANCES.write_text(f"{ENOUGH_INSTANCES}\n")


def owner() -> str:
    """Return this checkout's own mark: hosts made from another checkout hold other secrets and are made anew."""
    path = BUILD / "testbed" / "owner"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid.uuid4().hex)
    return path.read_text()


def up(bed: Bed, prepared: Mapping[str, str] | None = None) -> list[str]:
    """Make every host of the bed run and answer over SSH; return a line for each host that had to be touched.

    Args:
        bed: the hosts.
        prepared: images that ``commit`` made of some of them, by host name; those are made from these.

    Raises:
        BedError: when something that isn't the test bed's is in the way, before anything is made; or a host won't boot.
        PodmanError: when podman refuses for a reason that a new network doesn't cure.
    """
    _refuse_foreign(bed)
    _allow_many_watchers()
    with alone_in_cache():
        own = {image: ensure(image) for image in sorted({host.image for host in bed.hosts})}
    images = {host.name: own[host.image] for host in bed.hosts} | dict(prepared or {})
    key = access.public_key(bed.name)
    try:
        results = _ensure_hosts(bed, images, key)
    except PodmanError as error:
        if "is already allocated" not in str(error):
            raise
        # podman 4.3 keeps an address taken, in the network's name, when it lost the container that had it; not even
        # removing the network frees it. Under another name all addresses are free.
        down(bed.name)
        _create_network(bed, f"{bed.network}-{uuid.uuid4().hex[:8]}")
        results = _ensure_hosts(bed, images, key)
    access.write_ssh_config(bed, {host.name: result[1] for host, result in zip(bed.hosts, results, strict=True)})
    names.publish(bed)
    return [line for line, _ in results if line]


def down(bed_name: str) -> list[str]:
    """Remove a bed's hosts, networks and names; return what was removed."""
    removed = _remove_containers(f"{BED_LABEL}={bed_name}")
    for network, entry in inspect("network", networks(bed_name)).items():
        podman("network", "rm", "--force", network)
        for subnet in entry["subnets"]:
            leftovers.forget_network(ipaddress.IPv4Address(subnet["gateway"]))
        removed.append(network)
    names.withdraw(bed_name)
    return removed


def only(bed: Bed) -> list[str]:
    """Remove hosts that carry the bed's name and are none of it, bring the others up; return what was removed."""
    found = podman("ps", "--all", "--filter", f"label={BED_LABEL}={bed.name}", "--format", "{{.Names}}").split()
    spare = sorted(set(found) - {host.name for host in bed.hosts})
    for name, known in inspect("container", spare).items():
        _discard(name, known)
    # Names and known hosts are written anew, too.
    up(bed)
    return spare


def networks(bed_name: str) -> list[str]:
    """Return the names of a bed's networks; one, where nothing went wrong."""
    return podman("network", "ls", "--filter", f"label={BED_LABEL}={bed_name}", "--format", "{{.Name}}").split()


def beds() -> list[str]:
    """Return the names of all beds that are there, also half of them, from any checkout."""
    form = f'{{{{index .Labels "{BED_LABEL}"}}}}'
    found = set(podman("ps", "--all", "--filter", f"label={BED_LABEL}", "--format", form).split())
    # `podman network ls` prints labels as one string, so ask for each.
    rows = podman("network", "ls", "--filter", f"label={BED_LABEL}", "--format", "{{.Name}}").split()
    found.update(str(entry["labels"][BED_LABEL]) for entry in inspect("network", rows).values())
    return sorted(found)


def running_hosts() -> list[tuple[str, str, str]]:
    """Return (bed, host, state) of every host on this machine."""
    form = f'{{{{index .Labels "{BED_LABEL}"}}}} {{{{.Names}}}} {{{{.State}}}}'
    rows = podman("ps", "--all", "--filter", f"label={BED_LABEL}", "--format", form).splitlines()
    return sorted((bed, name, state) for bed, name, state in (row.split(maxsplit=2) for row in rows))


def execute(host: str, command: list[str]) -> str:
    """Run a command on a host and return its output."""
    return podman("exec", host, *command)


def _refuse_foreign(bed: Bed) -> None:
    for name, entry in inspect("container", [host.name for host in bed.hosts]).items():
        if BED_LABEL not in (entry["Config"].get("Labels") or {}):
            raise BedError(
                f"a container named {name} is there and is not the test bed's; remove or rename it: "
                f"podman rename {name} NEWNAME"
            )
    for name, entry in inspect("network", [bed.network]).items():
        if BED_LABEL not in (entry.get("labels") or {}):
            raise BedError(
                f"a network named {name} is there and is not the test bed's; if nobody needs it: "
                f"podman network rm {name}"
            )


def _ensure_hosts(bed: Bed, images: dict[str, str], key: str) -> list[tuple[str, str]]:
    """Return (what was done, host key) of each host."""
    network = _network(bed)
    known = inspect("container", [host.name for host in bed.hosts])
    with ThreadPoolExecutor(len(bed.hosts)) as pool:
        return list(
            pool.map(
                lambda host: _ensure_host(
                    bed, host, known.get(host.name), image=images[host.name], network=network, key=key
                ),
                bed.hosts,
            )
        )


def _network(bed: Bed) -> str:
    """Return the name of the bed's network, which is there afterwards."""
    found = inspect("network", networks(bed.name))
    for name, entry in found.items():
        if any(subnet["subnet"] == str(bed.subnet) for subnet in entry["subnets"]):
            return name
    if found:
        down(bed.name)  # left from a bed of the same name with other addresses
    _create_network(bed, bed.network)
    return bed.network


def _create_network(bed: Bed, name: str) -> None:
    leftovers.forget_network(bed.gateway)
    podman(
        "network", "create", "--subnet", str(bed.subnet), "--gateway", str(bed.gateway),
        "--label", LABEL, "--label", f"{BED_LABEL}={bed.name}", name,
    )  # fmt: skip


def _ensure_host(
    bed: Bed, host: Host, known: dict[str, Any] | None, *, image: str, network: str, key: str
) -> tuple[str, str]:
    """Return (what was done, host key); "" where the host was found in order."""
    if known is not None and not _is_as_wanted(bed, host, known, image=image, network=network):
        _discard(host.name, known)
        known = None
    if known is not None:
        # Before anything else: each question to podman may make it write down what it takes for true.
        leftovers.mend(known)
        try:
            return "", _answer(host, key)
        except (PodmanError, OSError):
            pass
        try:
            # What podman believes may be long untrue: the processes killed, the machine restarted.
            if known["State"]["Status"] == "paused":
                podman("unpause", host.name, check=False)
            podman("stop", "--time", "0", host.name, check=False, timeout=30)
            podman("start", host.name, timeout=60)
            _await_boot(host)
            return f"{host.name}: was not answering, started again", _answer(host, key)
        except (PodmanError, BedError, OSError):
            _discard(host.name, known)
    _create(bed, host, image, network)
    _await_boot(host)
    if _is_prepared(image):
        return f"{host.name}: created as it was prepared ({host.image}, {host.address})", _answer(host, key)
    # podman's own resolver knows the bed's names; role base may later point elsewhere.
    podman("exec", "--interactive", host.name, "tee", "/etc/resolv.conf", stdin=f"nameserver {bed.gateway}\n")
    return f"{host.name}: created ({host.image}, {host.address})", _answer(host, key)


def _is_prepared(image: str) -> bool:
    return image.startswith(PREPARED)


def commit(bed: Bed, images: Mapping[str, str], labels: Mapping[str, str]) -> None:
    """Make an image of each host that is named; it is stopped meanwhile, and answers again afterwards.

    Stopped, for what a service still holds in memory belongs to it, and what lies in /run or /tmp does not: hosts go on
    as they will begin when they are made from the images.

    Args:
        bed: the hosts.
        images: tags of the images, by host name; they begin with ``PREPARED``.
        labels: what the images are labelled with, in the place of the hosts' own labels.
    """
    changes = [part for name, value in labels.items() for part in ("--change", f"LABEL {name}={value}")]
    key = access.public_key(bed.name)

    def one(host: Host) -> None:
        podman("stop", "--time", str(BOOT_SECONDS), host.name, timeout=2 * BOOT_SECONDS)
        podman("commit", "--quiet", *changes, host.name, images[host.name])
        podman("start", host.name, timeout=60)
        _await_boot(host)
        _answer(host, key)

    with ThreadPoolExecutor(len(bed.hosts)) as pool:
        list(pool.map(one, [host for host in bed.hosts if host.name in images]))


def _is_as_wanted(bed: Bed, host: Host, known: dict[str, Any], *, image: str, network: str) -> bool:
    labels = known["Config"].get("Labels") or {}
    # A container that doesn't run shows no networks; the command that made it says what it was made for.
    configured = (known["Config"].get("CreateCommand") or []) + list(known["NetworkSettings"].get("Networks") or {})
    return (
        labels.get(OWNER_LABEL) == owner()
        and labels[BED_LABEL] == bed.name
        and str(host.address) in configured
        and network in configured
        and labels.get(f"{LABEL}.image") == host.image
        and ((host.image not in STATELESS and not _is_prepared(image)) or known["ImageName"] == image)
    )


def _create(bed: Bed, host: Host, image: str, network: str) -> None:
    podman(
        "run", "--detach", "--name", host.name, "--hostname", host.name, "--systemd=always",
        "--network", network, "--ip", str(host.address), "--network-alias", host.name,
        # A new host at an old address would be out of reach while its neighbours remember the other's card.
        "--mac-address", _hardware_address(host),
        # The host's own files, as on a real one: a role may replace them.
        "--dns=none", "--no-hosts",
        "--label", LABEL, "--label", f"{BED_LABEL}={bed.name}", "--label", f"{OWNER_LABEL}={owner()}",
        "--label", f"{LABEL}.image={host.image}",
        "--cap-add", CAPABILITIES, "--security-opt", "seccomp=unconfined", "--security-opt", "unmask=ALL",
        image,
    )  # fmt: skip


def _hardware_address(host: Host) -> str:
    """A locally administered one, the same for each host that gets this address."""
    return "02:42:" + host.address.packed.hex(":")


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
    # Beside the keys that a scenario let in, which a prepared host brings along.
    script = (
        "umask 077; mkdir -p /root/.ssh; touch /root/.ssh/authorized_keys; read -r key; "
        'grep -qxF "$key" /root/.ssh/authorized_keys || echo "$key" >> /root/.ssh/authorized_keys; '
        "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub"
    )
    host_key = podman("exec", "--interactive", host.name, "sh", "-c", script, stdin=key, timeout=20).strip()
    with socket.create_connection((str(host.address), 22), timeout=SSH_SECONDS) as connection:
        # A connection alone proves little: without the bed's bridge, a gateway of the site may take it.
        if not connection.recv(4).startswith(b"SSH-"):
            raise ConnectionError(f"{host.address} port 22 answers, but not as an SSH server")
    return host_key


def _discard(name: str, known: dict[str, Any]) -> None:
    leftovers.mend(known)
    try:
        podman("rm", "--force", "--time", "0", name, timeout=60)
    except PodmanError:
        # Half-torn mounts or namespaces: clean what can be cleaned, then it goes.
        podman("container", "cleanup", name, check=False)
        podman("rm", "--force", "--time", "0", name, timeout=60)
    leftovers.forget_end(known)


def _remove_containers(label: str) -> list[str]:
    found = podman("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}").split()
    known = inspect("container", found)
    with ThreadPoolExecutor(max(len(found), 1)) as pool:
        list(pool.map(_discard, known.keys(), known.values()))
    return sorted(found)

# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH from this machine to a bed: a key made for it, and host keys learnt through podman instead of trusted blindly."""

import subprocess
from pathlib import Path

from testbed.hosts.bed import Bed
from testbed.paths import BUILD

CONFIG = """\
# Made by the test bed. Try: ssh -F {folder}/ssh_config {example}
Host {names}
  User root
  IdentityFile {folder}/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
  # A rebuilt host has another identity; a connection that outlived it would only confuse.
  ServerAliveInterval 5
  ServerAliveCountMax 3
"""


def folder(bed_name: str) -> Path:
    """Return the folder of a bed's key, known hosts and ssh_config."""
    return BUILD / "testbed" / bed_name


def public_key(bed_name: str) -> str:
    """Return the bed's public key, making the key pair at first use."""
    private = folder(bed_name) / "id_ed25519"
    if not private.exists():
        private.parent.mkdir(parents=True, exist_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"facility test bed {bed_name}"]
        subprocess.run([*command, "-f", str(private)], check=True)
    return private.with_suffix(".pub").read_text()


def write_ssh_config(bed: Bed, host_keys: dict[str, str]) -> None:
    """Write known_hosts and ssh_config; ``host_keys`` maps host names to ``ssh-ed25519 AAAA…``."""
    place = folder(bed.name)
    known = [f"{host.name},{host.address} {host_keys[host.name]}\n" for host in bed.hosts]
    (place / "known_hosts").write_text("".join(known))
    names = " ".join(f"{host.name} {host.address}" for host in bed.hosts)
    (place / "ssh_config").write_text(CONFIG.format(folder=place, names=names, example=bed.hosts[0].name))

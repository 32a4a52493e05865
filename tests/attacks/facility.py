# SPDX-License-Identifier: GPL-3.0-or-later
"""The running example facility as its tests know it: addresses, openings, passwords, and its hosts from inside."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from testbed.podman import environment

NETWORK = ipaddress.ip_network("10.42.0.0/24")
"""The test bed's own; nothing outside it is ever attacked."""
DOMAIN = "imaging.example.org"
BASE = "DC=imaging,DC=example,DC=org"
CONTROLLER = f"dc1.{DOMAIN}"
SERVICES = ("svc-controller", "svc-join", "svc-omero", "svc-register", "svc-wiki")


@dataclass(frozen=True)
class Facility:
    """The facility that a checkout has brought up.

    Attributes:
        checkout: the folder whose inventory, secrets and demo passwords are the running facility's.
    """

    checkout: Path

    @property
    def inventory(self) -> Path:
        """The example's inventory."""
        return self.checkout / "inventories" / "example"

    @property
    def authority(self) -> Path:
        """The certificate authority, as PEM."""
        return self.inventory / "secrets" / "authority" / "ca.crt"

    @cached_property
    def vault(self) -> dict[str, str]:
        """All secrets of the inventory, by variable."""
        secrets: dict[str, str] = yaml.safe_load((self.inventory / "group_vars/all/vault.yml").read_text())
        return secrets

    @cached_property
    def secrets(self) -> list[str]:
        """What nobody may read anywhere: the vault's values and the initial passwords."""
        initial = (self.inventory / "secrets/initial-passwords").iterdir()
        return [*self.vault.values(), *(file.read_text().strip() for file in initial)]

    @cached_property
    def logins(self) -> list[str]:
        """Everybody of the register."""
        register = yaml.safe_load((self.inventory / "register" / "people.yml").read_text())
        return [person["login"] for person in register["people"]]

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Address of each host of the facility, by its whole name.

        Raises:
            AssertionError: when one lies outside the test bed's network.
        """
        hosts = yaml.safe_load((self.inventory / "hosts.yml").read_text())["all"]["hosts"]
        found = {name: entry["ansible_host"] for name, entry in hosts.items() if name.endswith(f".{DOMAIN}")}
        for name, address in found.items():
            assert ipaddress.ip_address(address) in NETWORK, (
                f"{name} is at {address}, outside the test bed: not attacked"
            )
        return found

    @cached_property
    def openings(self) -> dict[str, list[dict[str, Any]]]:
        """What wiring.yml opens on each server, as role base is given it."""
        done = subprocess.run(
            ["ansible", "servers", "-m", "ansible.builtin.debug", "-a", "var=base_firewall_openings"],
            cwd=self.checkout,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(self.checkout / "ansible.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        hosts = json.loads(done.stdout)["plays"][0]["tasks"][0]["hosts"]
        return {name: answer["base_firewall_openings"] for name, answer in hosts.items()}

    def password_of(self, login: str) -> str:
        """The password of one of the example's people or services."""
        if login == "administrator":
            return self.vault["vault_directory_administrator_password"]
        if login.startswith("svc-"):
            return self.vault[f"vault_{login.replace('-', '_')}_password"]
        return (self.checkout / "build" / "demo-passwords" / login).read_text(encoding="utf-8").strip()

    def inside(self, host: str, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as root on a host, and return what came of it, failed or not."""
        return subprocess.run(
            ["podman", "exec", "-i", host, *command],
            input=stdin,
            env=environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )

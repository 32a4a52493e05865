# SPDX-License-Identifier: GPL-3.0-or-later
"""All TCP ports of some hosts, asked by nmap in the background."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

RATE = 8000
"""Packets a second: all hosts in under two minutes, and a machine of two cores still answers others."""


class Scan:
    """A scan that has begun."""

    def __init__(self, addresses: list[str], result: Path) -> None:
        """Begin; nmap writes what it finds into ``result``."""
        self._result = result
        rate = ["--min-rate", str(RATE), "--max-rate", str(RATE), "--max-retries", "1"]
        command = ["nmap", "-sS", "-p-", "-n", "-Pn", *rate, "-oX", str(result), *addresses]
        self._nmap = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def found(self) -> dict[str, dict[str, set[int]]]:
        """Wait for the end; return ports by address and state: ``open``, or ``closed`` where only the firewall is open.

        Of closed ports nmap names no more than a few hundred singly; a host without a firewall has none named.
        """
        assert self._nmap.wait(timeout=300) == 0
        hosts: dict[str, dict[str, set[int]]] = {}
        for host in ElementTree.parse(self._result).getroot().iter("host"):
            address = next(entry.get("addr", "") for entry in host.iter("address") if entry.get("addrtype") == "ipv4")
            states = hosts.setdefault(address, {"open": set(), "closed": set()})
            for port in host.iter("port"):
                state = port.find("state")
                assert state is not None
                states.setdefault(state.get("state", ""), set()).add(int(port.get("portid", 0)))
        return hosts

    def stop(self) -> None:
        """End it, where it has not ended by itself."""
        if self._nmap.poll() is None:
            self._nmap.terminate()
            self._nmap.wait()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bed is: hosts with their images and addresses on one network of their own."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


class BedError(Exception):
    """A bed is described wrongly or can't be brought up; the message names the cure."""


@dataclass(frozen=True)
class Host:
    """One host of a bed.

    Attributes:
        name: fully qualified host name; also the container's name.
        image: name of an image in testbed/images.
        address: static IPv4 address.
    """

    name: str
    image: str
    address: ipaddress.IPv4Address


@dataclass(frozen=True)
class Bed:
    """A named set of hosts on one /24 network."""

    name: str
    hosts: tuple[Host, ...]

    @property
    def network(self) -> str:
        """The network's name in podman."""
        return f"facility-testbed-{self.name}"

    @property
    def subnet(self) -> ipaddress.IPv4Network:
        """The /24 that holds every host."""
        return ipaddress.IPv4Network(f"{self.hosts[0].address}/24", strict=False)

    @property
    def gateway(self) -> ipaddress.IPv4Address:
        """The machine's own address on the bed's network; its resolver answers there."""
        return self.subnet[1]


def bed(name: str, hosts: list[Mapping[str, Any]]) -> Bed:
    """Check a description of hosts (``name``, ``image``, ``address``) and return the bed.

    Raises:
        BedError: when it is empty, a name or address is wrong or used twice, or the hosts span more than one /24.
    """
    if not hosts:
        raise BedError(f"bed {name!r} has no host")
    made = []
    for entry in hosts:
        host_name, image = str(entry.get("name")), str(entry.get("image"))
        if not HOST_NAME.fullmatch(host_name):
            raise BedError(f"bed {name!r}: {host_name!r} is not a fully qualified host name in lower case")
        try:
            address = ipaddress.IPv4Address(entry.get("address"))
        except ValueError as error:
            raise BedError(f"bed {name!r}: host {host_name}: address {entry.get('address')!r}: {error}") from error
        made.append(Host(host_name, image, address))
    for what in ("name", "address"):
        values = [getattr(host, what) for host in made]
        twice = {str(value) for value in values if values.count(value) > 1}
        if twice:
            raise BedError(f"bed {name!r}: two hosts share the {what} {', '.join(sorted(twice))}")
    result = Bed(name, tuple(made))
    outside = [host.name for host in made if host.address not in result.subnet]
    if outside:
        raise BedError(f"bed {name!r}: {', '.join(outside)} not in {result.subnet}; a bed is one /24 network")
    return result


def bed_of_inventory(name: str, *paths: Path) -> Bed:
    """Return the bed of those hosts of YAML inventories that have a ``testbed_image``."""
    found: dict[str, Mapping[str, Any]] = {}

    def walk(group: Mapping[str, Any]) -> None:
        for host_name, variables in (group.get("hosts") or {}).items():
            if variables and "testbed_image" in variables:
                found[host_name] = {
                    "name": host_name,
                    "image": variables["testbed_image"],
                    "address": variables.get("ansible_host"),
                }
        for child in (group.get("children") or {}).values():
            walk(child or {})

    for path in paths:
        for group in yaml.safe_load(path.read_text()).values():
            walk(group or {})
    return bed(name, list(found.values()))

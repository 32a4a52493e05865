# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing listens to the network that wiring.yml has not opened."""

from __future__ import annotations

import ipaddress

import pytest

from tests.attacks.facility import DOMAIN

SERVERS = ["backup1", "dc1", "omero1", "register1", "wiki1"]
# Without the facility's firewall: Windows brings its own, and PPMS is not the facility's.
STANDINS = {"mic1": {22, 5985, 5986}, "mic2": {22, 5985, 5986}, "ppms1": {22, 443}}
SSH = 22
ATTACKER = ipaddress.ip_address("10.42.0.1")
"""This machine, as the facility's hosts see it."""


def ports(opening):
    first, _, last = str(opening["port"]).partition("-")
    return set(range(int(first), int(last or first) + 1))


def for_the_attacker(opening):
    networks = opening.get("from") or ["0.0.0.0/0"]
    return opening.get("protocol", "tcp") == "tcp" and any(ATTACKER in ipaddress.ip_network(one) for one in networks)


def test_every_host_was_scanned(facility, scan):
    assert set(scan.found()) == set(facility.addresses.values())
    assert {name.partition(".")[0] for name in facility.openings} == set(SERVERS)


@pytest.mark.parametrize("server", SERVERS)
def test_of_all_ports_those_that_wiring_opens_answer_and_no_other(facility, scan, server):
    name = f"{server}.{DOMAIN}"
    openings = [opening for opening in facility.openings[name] if for_the_attacker(opening)]
    opened = set().union({SSH}, *map(ports, openings))
    single = {port for opening in openings if len(ports(opening)) == 1 for port in ports(opening)}
    found = scan.found()[facility.addresses[name]]
    # Of a range only some ports are listened on, and nmap sums up the others.
    assert found["open"] | found["closed"] <= opened
    assert found["open"] >= single | {SSH}, "opened, and nothing listens there"


@pytest.mark.parametrize("host", STANDINS)
def test_a_stand_in_has_no_port_but_its_own(facility, scan, host):
    assert scan.found()[facility.addresses[f"{host}.{DOMAIN}"]]["open"] == STANDINS[host]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in PC, a tracker that obeys, one that the PC must not trust, a proxy, and the agent in both engines.

The bed is taken down at the end, unless it was up before: ``python -m testbed down conformance``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.hosts import driver
from testbed.hosts.bed import bed
from tests.conformance.pc import ENGINES, Agent, Host
from tests.conformance.tracker import NAME, Network, Proxy, Tracker, authority

BED = bed("conformance", [{"name": "agent.conformance.example.org", "image": "device_pc", "address": "10.42.20.11"}])


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    was_up = BED.name in driver.beds()
    driver.up(BED)
    yield Host(BED.hosts[0].name)
    if not was_up:
        driver.down(BED.name)


@pytest.fixture(scope="session")
def network(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder, address = tmp_path_factory.mktemp("certificates"), str(BED.gateway)
    known, certificate = authority(folder, "known")
    _, strange_certificate = authority(folder, "strange")
    host.trust(known)
    host.knows(address, NAME)
    made = Network(address, Tracker(address, certificate), Tracker(address, strange_certificate), Proxy(address))
    yield made
    for server in (made.tracker, made.stranger, made.proxy):
        server.close()


@pytest.fixture
def tracker(network: Network) -> Tracker:
    network.tracker.forget()
    network.stranger.forget()
    network.proxy.wanted.clear()
    return network.tracker


@pytest.fixture(params=sorted(ENGINES))
def agent(request: pytest.FixtureRequest, host: Host, tracker: Tracker, repository: Path) -> Agent:
    """A freshly deployed agent that has never run."""
    engine = request.param
    source = repository / "roles" / "device_pc" / "files" / f"ppms-agent.{ENGINES[engine]}"
    made = Agent(host, engine, source)
    made.configure(tracker_url=f"https://{NAME}:{tracker.port}/rt.asp", system_id=42)
    return made

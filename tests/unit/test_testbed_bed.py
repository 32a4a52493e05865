# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bed may look like, and how it is read from an inventory."""

from __future__ import annotations

import ipaddress

import pytest
import yaml

from testbed.hosts.bed import BedError, Host, bed, bed_of_inventory
from testbed.paths import REPOSITORY


def host(name="dc1.some.test", address="10.42.200.11", image="debian13"):
    return {"name": name, "address": address, "image": image}


def test_a_bed_is_one_network_around_its_hosts():
    made = bed("some", [host(), host("wiki1.some.test", "10.42.200.21", "debian12")])
    assert made.hosts == (
        Host("dc1.some.test", "debian13", ipaddress.IPv4Address("10.42.200.11")),
        Host("wiki1.some.test", "debian12", ipaddress.IPv4Address("10.42.200.21")),
    )
    assert made.network == "facility-testbed-some"
    assert str(made.subnet) == "10.42.200.0/24"
    assert str(made.gateway) == "10.42.200.1"


def test_an_empty_bed_is_refused():
    with pytest.raises(BedError, match="bed 'some' has no host"):
        bed("some", [])


@pytest.mark.parametrize(
    "name",
    ["dc1", "DC1.some.test", "dc1..test", "-dc1.some.test", "dc1-.some.test", "dc_1.some.test", "dc1.some.test\n", ""],
)
def test_what_is_no_fully_qualified_name_is_refused_and_shown(name):
    with pytest.raises(BedError) as refused:
        bed("some", [host(name)])
    assert repr(name) in str(refused.value)
    assert "not a fully qualified host name in lower case" in str(refused.value)


def test_a_host_without_a_name_is_refused():
    with pytest.raises(BedError, match="not a fully qualified host name"):
        bed("some", [{"address": "10.42.200.11", "image": "debian13"}])


@pytest.mark.parametrize("address", ["10.42.200", "10.42.200.256", "dc1", "fd00::1", None, ""])
def test_what_is_no_ipv4_address_is_refused_with_the_host_that_has_it(address):
    with pytest.raises(BedError) as refused:
        bed("some", [host(address=address)])
    assert "host dc1.some.test" in str(refused.value)
    assert repr(address) in str(refused.value)


def test_an_address_outside_the_bed_is_refused():
    with pytest.raises(BedError, match=r"wiki1\.some\.test not in 10\.42\.200\.0/24; a bed is one /24 network"):
        bed("some", [host(), host("wiki1.some.test", "10.42.201.21")])


def test_two_hosts_of_one_name_are_refused():
    with pytest.raises(BedError, match=r"two hosts share the name dc1\.some\.test"):
        bed("some", [host(), host(address="10.42.200.12")])


def test_two_hosts_at_one_address_are_refused():
    with pytest.raises(BedError, match=r"two hosts share the address 10\.42\.200\.11"):
        bed("some", [host(), host("wiki1.some.test")])


INVENTORY = """
all:
  hosts:
    dc1.some.test: {ansible_host: 10.42.200.11, testbed_image: debian13}
    printer.some.test: {ansible_host: 10.42.200.99}
    localhost:
  children:
    wiki:
      hosts:
        wiki1.some.test: {ansible_host: 10.42.200.21, testbed_image: debian12}
    omero:
    backup:
      children:
        backup_server:
          hosts:
            dc1.some.test:
            backup1.some.test: {ansible_host: 10.42.200.31, testbed_image: debian13}
"""


def test_the_bed_of_an_inventory_has_its_hosts_with_an_image_and_no_others(tmp_path):
    path = tmp_path / "hosts.yml"
    path.write_text(INVENTORY)
    found = bed_of_inventory("some", path)
    assert {(one.name, one.image, str(one.address)) for one in found.hosts} == {
        ("dc1.some.test", "debian13", "10.42.200.11"),
        ("wiki1.some.test", "debian12", "10.42.200.21"),
        ("backup1.some.test", "debian13", "10.42.200.31"),
    }


def test_two_inventories_make_one_bed(tmp_path):
    first, second = tmp_path / "hosts.yml", tmp_path / "drill.yml"
    first.write_text(INVENTORY)
    second.write_text("all:\n  hosts:\n    scratch1.some.test: {ansible_host: 10.42.200.61, testbed_image: debian12}\n")
    found = {host.name for host in bed_of_inventory("some", first, second).hosts}
    assert found == {host.name for host in bed_of_inventory("some", first).hosts} | {"scratch1.some.test"}


def test_an_inventory_of_a_real_site_makes_no_bed(tmp_path):
    path = tmp_path / "hosts.yml"
    path.write_text("all:\n  hosts:\n    dc1.some.test: {ansible_host: 10.1.2.3}\n")
    with pytest.raises(BedError, match="has no host"):
        bed_of_inventory("some", path)


def test_a_host_that_forgot_its_address_is_named(tmp_path):
    path = tmp_path / "hosts.yml"
    path.write_text("all:\n  hosts:\n    dc1.some.test: {testbed_image: debian13}\n")
    with pytest.raises(BedError, match=r"host dc1\.some\.test: address None"):
        bed_of_inventory("some", path)


def test_the_example_facility_is_a_bed(repository):
    found = bed_of_inventory("facility", repository / "inventories" / "example" / "hosts.yml")
    assert "dc1.imaging.example.org" in {one.name for one in found.hosts}


def test_scenarios_that_run_beside_each_other_share_no_network():
    subnets = {}
    for path in sorted((REPOSITORY / "molecule").glob("*/molecule.yml")):
        name = path.parent.name
        described = bed(name, yaml.safe_load(path.read_text())["platforms"])
        assert subnets.setdefault(described.subnet, name) == name, described.subnet
    assert len(subnets) > 10

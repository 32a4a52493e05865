# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of itself: read as Ansible's own facts are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.host import HostError, facts, installed

OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
# ID=other
ID=debian
"""
PC = {"processors": 2, "architecture": "x86_64"}
MEMINFO = "MemTotal:       24684172 kB\nMemFree:        17608000 kB\n"


def test_facts_have_the_names_and_forms_of_ansible_s():
    found = facts(OS_RELEASE, MEMINFO, "installed restic\nconfig-files msmtp\ninstalled nftables\n", **PC)
    assert found == {
        "architecture": "x86_64",
        "distribution": "Debian",
        "distribution_major_version": "12",
        "installed_packages": ["nftables", "restic"],
        "memtotal_mb": 24105,
        "processor_nproc": 2,
    }


@pytest.mark.parametrize(("os_release", "meminfo"), [("", MEMINFO), (OS_RELEASE, ""), (OS_RELEASE, "MemTotal: much\n")])
def test_another_system_is_named_with_the_cure(os_release, meminfo):
    with pytest.raises(HostError, match="install Debian"):
        facts(os_release, meminfo, "", **PC)


def test_a_release_without_a_number_is_no_known_one():
    assert facts('NAME="Debian GNU/Linux"\n', MEMINFO, "", **PC)["distribution_major_version"] == ""


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9+.-]+", fullmatch=True), st.sampled_from(
    ["installed", "config-files", "half-installed", "unpacked", "half-configured", "triggers-pending"])))  # fmt: skip
def test_only_what_is_installed_whole_counts(packages):
    said = "".join(f"{status} {name}\n" for name, status in packages.items())
    assert installed(said) == sorted(name for name, status in packages.items() if status == "installed")

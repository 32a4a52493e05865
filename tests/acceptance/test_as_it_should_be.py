# SPDX-License-Identifier: GPL-3.0-or-later
"""The nightly comparison of the running facility finds what was changed by hand, and only that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import testinfra

from facility.reconcile.__main__ import main
from tests.acceptance.register import EXAMPLE

DOMAIN = "imaging.example.org"
ACL = "/var/lib/dokuwiki/acl/acl.auth.php"
STAFF = "facility-staff"
# By the playbook that must find it: host, what somebody does there, and a word of what is told.
BY_HAND = {
    "a setting of the wiki edited": ("wiki", "wiki1", "echo '// mine' >> /etc/dokuwiki/local.php", "local.php"),
    "rights in the wiki opened": ("wiki", "wiki1", f"echo '* @ALL 8' >> {ACL}", "acl.auth.php"),
    "a timer of backups off": ("backup", "wiki1", "systemctl stop facility-backup.timer", "facility-backup.timer"),
    "a check of backups disabled": ("backup", "backup1", "systemctl disable backup-check.timer", "backup-check.timer"),
    "a firewall opened": ("base", "omero1", "echo '# open' >> /etc/nftables.conf", "nftables.conf"),
    "a setting of drive X edited": ("omero", "omero1", "echo '# mine' >> /etc/samba/smb.conf", "smb.conf"),
    "a service stopped": ("omero", "omero1", "systemctl stop settle.service", "settle.service"),
    "somebody added to a group": ("people", "dc1", f"samba-tool group addmembers {STAFF} aadler", "Groups of people"),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


def compared(reports: Path, *more: str) -> tuple[int, dict]:
    words = ["-i", str(EXAMPLE / "hosts.yml"), "--reports", str(reports), "--accept-changes", *more]
    status = main(words)
    return status, json.loads((reports / "report.json").read_text())


def test_a_facility_that_was_just_converged_compares_clean(reports: Path) -> None:
    status, report = compared(reports, "--no-mending")
    assert (status, report["needs_person"]) == (0, [])
    assert {name for name, one in report["services"].items() if one["tasks"]} >= {
        service for service, *_ in BY_HAND.values()
    }


def test_what_is_changed_by_hand_is_found_and_only_that(reports: Path) -> None:
    for _service, host, change, _word in BY_HAND.values():
        testinfra.get_host(f"podman://{host}.{DOMAIN}").run_expect([0], change)
    status, report = compared(reports, "--no-mending")
    found = [(one["service"], " ".join([one["host"], one["task"], *one["files"]])) for one in report["drift"]]
    missed = [
        what
        for what, (service, _host, _change, word) in BY_HAND.items()
        if not any(name == service and word in told for name, told in found)
    ]
    assert missed == [], found
    assert {name for name, _told in found} == {service for service, *_ in BY_HAND.values()}, found
    assert status == 3, "drive X does not answer while settle rests"


def test_what_may_be_mended_is_mended_and_the_next_run_is_clean(reports: Path) -> None:
    services = sorted({service for service, *_ in BY_HAND.values()})
    policy = EXAMPLE / "reconcile.yml"
    policy.write_text(f"mend: [{', '.join(services)}]\n")
    try:
        status, report = compared(reports, "--only", *services)
    finally:
        policy.unlink()
    assert (status, report["drift"]) == (0, []), report["needs_person"]
    assert {one["service"] for one in report["mended"]} == set(services)

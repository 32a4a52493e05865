# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a person reads at the end of make facility."""

from __future__ import annotations

from testbed import facility
from testbed.facility import ROLES, services_table

ROLES_WITH_DEMO = [
    file.parents[1].name for file in sorted(ROLES.glob("*/meta/facility.yml")) if "demo:" in file.read_text()
]


def test_every_service_has_its_row_with_address_and_login():
    host = "wiki1.imaging.example.org"
    results = [{"host": host, "service": group, "ok": True, "message": ""} for group in ROLES_WITH_DEMO]
    rows = services_table(results).splitlines()[2:]
    assert len(rows) == len(ROLES_WITH_DEMO) >= 7
    assert all("{" not in row for row in rows), "something was not filled in"
    assert all(host in row and "10.42.0.21" in row for row in rows)


def test_what_failed_is_shown_below_the_table():
    result = {"host": "wiki1.imaging.example.org", "service": "wiki", "ok": False, "message": "no: status 500"}
    table = services_table([result])
    assert "FAILED" in table
    assert table.splitlines()[-1] == "wiki on wiki1.imaging.example.org: no: status 500"


def test_kits_are_made_for_pcs_that_have_none(monkeypatch, tmp_path):
    (tmp_path / "hosts.yml").write_text("all: {children: {device_pc: {hosts: {mic1: {}, mic2: {}}}}}\n")
    monkeypatch.setattr(facility, "INVENTORY", tmp_path)
    assert facility.kits_missing() == ["mic1", "mic2"]
    for pc in ("mic1", "mic2"):
        (tmp_path / "secrets/first-contact" / pc).mkdir(parents=True)
    (tmp_path / "secrets/first-contact/mic1/enable-winrm.cmd").touch()
    assert facility.kits_missing() == ["mic2"]
    # A kit that was cut off lacks what is written last.
    (tmp_path / "secrets/first-contact/mic2/winrm.pfx").touch()
    assert facility.kits_missing() == ["mic2"]

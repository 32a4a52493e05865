# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a person reads at the end of make facility."""

from __future__ import annotations

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

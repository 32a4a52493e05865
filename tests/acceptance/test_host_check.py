# SPDX-License-Identifier: GPL-3.0-or-later
"""Every host of the running facility is looked at each day, and every port that serves its certificate is asked."""

from __future__ import annotations

import re

import pytest
import testinfra

# As an administrator would list them from the outside, not as the roles say them.
PORTS = {
    "dc1": {"389", "636", "3269"},
    "wiki1": {"443"},
    "omero1": {"443", "4064", "5432"},
    "register1": {"443"},
    "backup1": {"8001", "8432"},
}
DOMAIN = "imaging.example.org"


@pytest.mark.parametrize("name", list(PORTS))
def test_nothing_ends_soon_on_any_host(name):
    host = testinfra.get_host(f"podman://{name}.{DOMAIN}")
    done = host.run("systemctl start facility-host-check.service")
    told = host.run("journalctl -u facility-host-check.service -n 10 --no-pager -o cat").stdout
    assert done.rc == 0, told
    figures = host.check_output("cat /var/lib/prometheus/node-exporter/host_check.prom")
    asked = set(re.findall(r'host_certificate_same{port="(\d+)"} 1', figures))
    assert asked >= PORTS[name]
    assert re.search(r"^host_authority_end_timestamp_seconds \d", figures, re.MULTILINE)

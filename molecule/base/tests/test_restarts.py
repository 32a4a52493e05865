# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody is told of a service that restarts for ever, and the units that do it are locked in."""

import re

import pytest

from tests.scenario import wait_until

testinfra_hosts = ["podman://debian12.base.test", "podman://debian13.base.test"]
LOOPER = "[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nRestart=always\\nRestartSec=200ms\\nExecStart=/bin/false\\n"


def test_somebody_is_told_of_a_service_that_restarts_for_ever(host):
    look = "systemctl start facility-restarts.service"
    count = "systemctl show --value --property=NRestarts looper.service"
    unit, words = "facility-mail@looper.service.service", "looper.service restarts again"
    told = f"journalctl -u '{unit}' --output=cat --grep '{words}' | wc -l"
    # Its own look would be one more.
    host.run_expect([0], "systemctl stop facility-restarts.timer")
    host.run_expect([0], look)
    try:
        host.run_expect([0], f"printf '{LOOPER}' >/run/systemd/system/looper.service && systemctl daemon-reload")
        host.run_expect([0], "systemctl start --no-block looper")
        for number in range(3):
            seen = int(host.check_output(count))
            wait_until(lambda: int(host.check_output(count)) > seen + 1, "it restarts")  # noqa: B023 - waited for here
            assert host.check_output(told) == "0", f"after {number} looks"
            host.run_expect([0], look)
        wait_until(lambda: host.check_output(told) == "1", "somebody is told")
        host.run_expect([0], look)
        assert host.check_output(told) == "1", "once a day"
    finally:
        host.run("systemctl stop looper; rm /run/systemd/system/looper.service; systemctl daemon-reload")
        host.run_expect([0], "systemctl start facility-restarts.timer")


@pytest.mark.parametrize(("unit", "most"), [("facility-mail@x.service", 3.0), ("facility-restarts.service", 2.0)])
def test_the_units_of_every_host_are_locked_in(host, unit, most):
    exposure = host.check_output(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) <= most, exposure

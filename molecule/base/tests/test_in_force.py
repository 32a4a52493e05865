# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed after it has put a file in place, before the service reads it, is made good by the next one."""

import re
from pathlib import Path

import pytest

from tests.scenario import played

testinfra_hosts = ["podman://debian12.base.test", "podman://debian13.base.test"]
CONVERGE = Path(__file__).parents[1] / "converge.yml"


@pytest.fixture
def converge(host):
    """Run the scenario's roles on this host again; return how many tasks changed something, or would have."""

    def again(*options):
        run = played(CONVERGE, "--limit", host.backend.hostname, *options)
        assert run.returncode == 0, run.said
        return int(re.findall(r"changed=(\d+)", run.stdout)[-1])

    return again


def killed_run(host, path, older, act):
    """Let a unit run with an older text of a file, and put the right one in place without telling the unit."""
    right = host.check_output("base64 --wrap=0 %s", path)
    host.run_expect([0], f"sed -i '{older}' {path} && {act}")
    host.run_expect([0], f"echo {right} | base64 --decode >{path}.new && mv {path}.new {path}")


ASKED = "-o BatchMode=yes -o PreferredAuthentications=none -o StrictHostKeyChecking=accept-new"


def state(host):
    """What is in force: rules, how one may log in, which journal writes, when updates come, who is trusted."""
    offered = host.check_output(f"ssh -v {ASKED} root@localhost 2>&1 || :").rpartition("that can continue")[2]
    return {
        "firewall": "8080" in host.check_output("nft list ruleset"),
        "ssh": "password" not in offered,
        "journal": host.check_output("systemctl show --value --property=MainPID systemd-journald.service"),
        "updates": "OnCalendar"
        in host.check_output("systemctl show --property=TimersCalendar apt-daily-upgrade.timer"),
        "trust": host.run("openssl verify /etc/facility/tls/host.crt").succeeded,
    }


def test_what_a_killed_run_has_put_in_place_is_in_force_after_the_next(host, converge):
    """Every file is the right one already, so that a run which went by what it changes would see nothing to do."""
    before = state(host)
    killed_run(host, "/etc/nftables.conf", "s/8080/8079/", "systemctl reload nftables")
    sshd = "/etc/ssh/sshd_config.d/10-facility.conf"
    killed_run(host, sshd, "s/^PasswordAuthentication no/PasswordAuthentication yes/", "systemctl reload ssh")
    killed_run(
        host, "/etc/systemd/journald.conf.d/50-facility.conf", "s/500M/400M/", "systemctl restart systemd-journald"
    )
    drop_in = "/etc/systemd/system/apt-daily-upgrade.timer.d/facility.conf"
    killed_run(host, drop_in, "/^OnCalendar=./d", "systemctl daemon-reload")
    trusted = "/usr/local/share/ca-certificates/facility.crt"
    host.run_expect([0], f"mv {trusted} /root/ && update-ca-certificates --fresh && mv /root/facility.crt {trusted}")
    left = state(host)
    assert (left["firewall"], left["ssh"], left["trust"]) == (False, False, False)

    assert converge("--check") == 1, "check mode shows that settings would be read"
    assert state(host) == left, "and changes nothing"
    assert converge() == 2, "units, and the trust store"
    after = state(host)
    assert after.pop("journal") != left["journal"]
    before.pop("journal")
    assert after == before
    assert converge() == 0

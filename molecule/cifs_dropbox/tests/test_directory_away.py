# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory is away, or answers slowly: what is the host's own goes on, and the rest comes back by itself."""

import subprocess

import pytest

from testbed.podman import podman

LOCAL = [
    "id postgres || id root",
    "runuser -u omero-server -- true",
    "getent group adm",
    "systemd-run --quiet --wait --uid=nobody true",
    "systemctl start logrotate.service",
]
CONTROLLER = "10.42.8.11"
# All that the host asks of the controller, but not its answers to the person who sits there.
CUT = f"""table inet away {{
  chain out {{
    type filter hook output priority 0;
    ip daddr {CONTROLLER} tcp sport != 445 drop
    ip daddr {CONTROLLER} meta l4proto udp drop
  }}
}}
"""
SLOW = "while :; do systemctl freeze samba-ad-dc; sleep 5; systemctl thaw samba-ad-dc; sleep 0.5; done"


def nft(*words, text=None):
    """Run this machine's nft in the network of the host, which need not have its own."""
    process = podman("inspect", "--format", "{{.State.Pid}}", "omero1.cifs.test").strip()
    command = ["nsenter", f"--net=/proc/{process}/ns/net", "--", "nft", *words]
    subprocess.run(command, check=True, input=text, text=True)


@pytest.fixture
def away(alice, until):
    """The host is cut off from its domain controller."""
    nft("-f", "-", text=CUT)
    yield
    nft("delete", "table", "inet", "away")
    assert until(lambda: alice.sees() == {"alice"}), "drive X did not come back"


@pytest.fixture
def slow(client, alice, until):
    """The domain controller rests for five seconds after each half of one."""
    client.run_expect([0], f"systemd-run --quiet --collect --unit=slow-directory sh -c '{SLOW}'")
    yield
    client.run("systemctl stop slow-directory; systemctl thaw samba-ad-dc")
    assert until(lambda: alice.sees() == {"alice"}), "drive X did not come back"


def seconds(server, command):
    """How long something takes on the host; the shortest of three times, for the machine has other things to do."""
    timed = f"begin=$(date +%s%N); {command} >/dev/null; echo $(($(date +%s%N) - begin))"
    return min(int(server.check_output(timed)) / 1e9 for _ in range(3))


@pytest.fixture(scope="module")
def usual():
    """How long each takes with the directory, from its first use on."""
    return {}


@pytest.mark.parametrize("command", LOCAL)
@pytest.mark.parametrize("state", ["away", "slow"])
def test_what_is_local_asks_no_directory(server, usual, command, state, request):
    before = usual.get(command) or usual.setdefault(command, seconds(server, command))
    request.getfixturevalue(state)
    assert seconds(server, command) <= before + 1


def test_whoever_comes_meanwhile_is_told_that_it_is_not_the_password(away, alice):
    told = alice.does("ls")
    assert "NT_STATUS_LOGON_FAILURE" not in told
    assert "NT_STATUS_" in told


def test_a_slow_directory_lets_people_in(slow, alice, until):
    assert until(lambda: alice.sees() == {"alice"})

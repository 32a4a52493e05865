# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed on real podman: it does its work whatever an earlier run, a killer or a restart left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from testbed.hosts import access, driver, names
from testbed.hosts.bed import BedError, bed
from testbed.images.build import ensure
from testbed.podman import PodmanError, inspect, podman
from tests.scenario import PATIENCE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the test bed makes containers and networks: run as root")

A, B = "a.survival.test", "b.survival.test"
BED = bed("survival", [
    {"name": A, "address": "10.42.91.11", "image": "debian13"},
    {"name": B, "address": "10.42.91.12", "image": "debian13"},
])  # fmt: skip
NEIGHBOUR = bed("survival-neighbour", [{"name": "a.neighbour.test", "address": "10.42.92.11", "image": "debian13"}])
STRANGER = "stranger.survival.test"
KEPT = "/var/lib/kept-by-survival"


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left():
    """No test needs what another left, and nobody else needs what these leave."""
    _clear()
    yield
    _clear()
    for one in (BED, NEIGHBOUR):
        subprocess.run(["rm", "-rf", str(access.folder(one.name))], check=True)


def _clear():
    for name in (STRANGER, *(host.name for host in BED.hosts)):
        podman("rm", "--force", "--ignore", "--time", "0", name, check=False)
    for one in (BED, NEIGHBOUR):
        driver.down(one.name)
        # A network that a test made in our name but without our label, which down() leaves alone.
        podman("network", "rm", "--force", one.network, check=False)


@pytest.fixture
def survival():
    """The bed, up and well."""
    driver.up(BED)
    return BED


def state(name):
    return inspect("container", [name])[name]


def ssh(name, command, one=BED):
    """What a person or Ansible sees: a new SSH connection, by name, with the host's key known beforehand."""
    config = access.folder(one.name) / "ssh_config"
    done = subprocess.run(
        ["ssh", "-F", config, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", name, command],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {command}: {done.stderr}"
    return done.stdout.strip()


def leave_a_file(name):
    podman("exec", name, "sh", "-c", f"echo precious > {KEPT}")


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_behind_podman(name):
    """Kill a host's processes so that podman doesn't hear of it: first the monitor that would tell, then the init."""
    found = state(name)["State"]
    kill(found["ConmonPid"])
    gone(found["ConmonPid"])
    kill(found["Pid"])  # and with the init of a PID namespace everything in it
    gone(found["Pid"])


def gone(pid):
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, f"process {pid} outlives SIGKILL"
        time.sleep(0.05)


def bridge(one):
    return next(iter(inspect("network", driver.networks(one.name)).values()))["network_interface"]


def assert_well(one=BED):
    for host in one.hosts:
        assert ssh(host.name, "hostname", one) == host.name
        for other in one.hosts:
            assert ssh(host.name, f"getent ahostsv4 {other.name} | head -1", one).split()[0] == str(other.address)


def test_hosts_answer_by_name_from_the_machine_and_among_each_other(survival):
    assert_well(survival)
    assert (
        subprocess.run(["getent", "hosts", A], capture_output=True, text=True, check=True).stdout.split()[0]
        == "10.42.91.11"
    )


def test_bringing_up_again_changes_nothing_and_is_quick(survival):
    before = {host.name: (state(host.name)["Id"], state(host.name)["State"]["StartedAt"]) for host in survival.hosts}
    hosts_file = names.HOSTS_FILE.read_text()
    configuration = {path.name: path.read_bytes() for path in access.folder(survival.name).iterdir()}
    began = time.monotonic()
    assert driver.up(survival) == []
    assert time.monotonic() - began < 10
    assert before == {
        host.name: (state(host.name)["Id"], state(host.name)["State"]["StartedAt"]) for host in survival.hosts
    }
    assert names.HOSTS_FILE.read_text() == hosts_file
    assert {path.name: path.read_bytes() for path in access.folder(survival.name).iterdir()} == configuration


def test_a_host_that_was_stopped_starts_again_with_its_files(survival):
    leave_a_file(A)
    podman("stop", "--time", "0", A)
    assert driver.up(survival) == [f"{A}: was not answering, started again"]
    assert ssh(A, f"cat {KEPT}") == "precious"
    assert_well(survival)


def test_a_host_killed_behind_podmans_back_starts_again_with_its_files(survival):
    identity = state(A)["Id"]
    leave_a_file(A)
    kill_behind_podman(A)
    assert state(A)["State"]["Status"] == "running", "podman noticed, so this test shows nothing"
    touched = driver.up(survival)
    assert [line.split(":")[0] for line in touched] == [A]
    assert state(A)["Id"] == identity
    assert ssh(A, f"cat {KEPT}") == "precious"
    assert_well(survival)


def test_all_hosts_killed_at_once_start_again_with_their_files(survival):
    for host in survival.hosts:
        leave_a_file(host.name)
        kill_behind_podman(host.name)
    assert len(driver.up(survival)) == 2
    assert [ssh(host.name, f"cat {KEPT}") for host in survival.hosts] == ["precious", "precious"]
    assert_well(survival)


def test_a_host_whose_sshd_is_dead_is_put_right(survival):
    podman("exec", A, "systemctl", "stop", "ssh.service", "ssh.socket", check=False)
    assert [line.split(":")[0] for line in driver.up(survival)] == [A]
    assert_well(survival)


def test_a_frozen_host_is_put_right(survival):
    leave_a_file(A)
    podman("pause", A)
    began = time.monotonic()
    assert [line.split(":")[0] for line in driver.up(survival)] == [A]
    assert time.monotonic() - began < 60
    assert ssh(A, f"cat {KEPT}") == "precious"
    assert_well(survival)


def test_a_bed_whose_bridge_was_deleted_is_put_right(survival):
    leave_a_file(A)
    subprocess.run(["ip", "link", "del", bridge(survival)], check=True)
    assert len(driver.up(survival)) == 2
    assert ssh(A, f"cat {KEPT}") == "precious"
    assert_well(survival)


def test_a_host_whose_network_namespace_was_unmounted_is_put_right(survival):
    namespace = state(A)["NetworkSettings"]["SandboxKey"]
    kill_behind_podman(A)
    subprocess.run(["umount", "--lazy", namespace], check=True)
    assert Path(namespace).is_file()
    network = driver.networks(survival.name)
    assert [line.split(":")[0] for line in driver.up(survival)] == [A]
    assert driver.networks(survival.name) == network
    assert_well(survival)


def test_a_host_that_was_there_for_an_hour_goes_and_its_neighbour_stays(survival):
    leave_a_file(A)
    assert driver.only(bed("survival", [{"name": A, "address": "10.42.91.11", "image": "debian13"}])) == [B]
    assert inspect("container", [B]) == {}
    assert ssh(A, f"cat {KEPT}") == "precious"
    assert B not in names.HOSTS_FILE.read_text()


def test_after_a_restart_of_the_machine_that_podman_slept_through_everything_is_back(survival):
    # What such a restart leaves, where /run outlives it: notes that say running; no process, no bridge, no mount,
    # and plain files where network namespaces were mounted.
    for host in survival.hosts:
        leave_a_file(host.name)
    notes = {host.name: state(host.name) for host in survival.hosts}
    for host in survival.hosts:
        kill_behind_podman(host.name)
    subprocess.run(["ip", "link", "del", bridge(survival)], check=True)
    for found in notes.values():
        namespace = found["NetworkSettings"]["SandboxKey"]
        subprocess.run(["umount", "--lazy", namespace], check=True)
        Path(namespace).touch()
        subprocess.run(["umount", "--lazy", found["GraphDriver"]["Data"]["MergedDir"]], check=False)
        for folder in Path("/sys/fs/cgroup").glob(f"**/libpod-{found['Id']}"):
            with contextlib.suppress(OSError):
                folder.rmdir()
    assert {state(host.name)["State"]["Status"] for host in survival.hosts} == {"running"}
    assert len(driver.up(survival)) == 2
    assert [ssh(host.name, f"cat {KEPT}") for host in survival.hosts] == ["precious", "precious"]
    assert_well(survival)
    assert driver.up(survival) == []


def test_an_address_that_podman_holds_for_a_host_long_gone_does_not_stop_the_bed(survival):
    # podman forgets a namespace that it can't enter, and never gives the address back.
    found = state(A)
    kill_behind_podman(A)
    subprocess.run(["umount", "--lazy", found["NetworkSettings"]["SandboxKey"]], check=True)
    podman("rm", "--force", "--time", "0", A, check=False)  # it complains, and removes it at the second try
    podman("rm", "--force", "--ignore", "--time", "0", A)
    network = driver.networks(survival.name)
    assert len(driver.up(survival)) == 2
    assert driver.networks(survival.name) != network, "the address was free, so this test shows nothing"
    assert_well(survival)
    assert driver.up(survival) == []


def test_a_host_whose_record_in_podman_is_broken_is_made_anew(survival):
    # Without the runtime's own folder podman can neither stop nor start it.
    found = state(A)
    kill_behind_podman(A)
    subprocess.run(["rm", "-rf", f"/run/runc/{found['Id']}"], check=True)
    Path(found["OCIConfigPath"]).unlink()
    assert [line.split(":")[0] for line in driver.up(survival)] == [A]
    assert_well(survival)


def test_a_bed_whose_network_podman_forgot_is_put_right(survival):
    configuration = Path(f"/etc/containers/networks/{driver.networks(survival.name)[0]}.json")
    if not configuration.exists():
        pytest.skip(f"podman keeps its networks elsewhere than in {configuration.parent}")
    configuration.unlink()
    assert len(driver.up(survival)) == 2
    assert_well(survival)


def test_another_checkouts_host_is_made_anew(survival, monkeypatch):
    leave_a_file(A)
    before = state(A)["Id"]
    monkeypatch.setattr(driver, "owner", lambda: "another-checkout")
    assert [line.split(":")[1].split()[0] for line in driver.up(survival)] == ["created", "created"]
    assert state(A)["Id"] != before
    assert ssh(A, f"test -e {KEPT} || echo new") == "new"
    monkeypatch.undo()
    assert len(driver.up(survival)) == 2


def test_a_host_with_another_image_or_address_is_made_anew(survival):
    moved = bed(survival.name, [
        {"name": A, "address": "10.42.91.13", "image": "debian13"},
        {"name": B, "address": "10.42.91.12", "image": "debian13"},
    ])  # fmt: skip
    assert driver.up(moved) == [f"{A}: created (debian13, 10.42.91.13)"]
    assert_well(moved)
    assert driver.up(survival) == [f"{A}: created (debian13, 10.42.91.11)"]
    assert_well(survival)


def test_a_bed_that_moved_to_another_network_is_made_anew(survival):
    moved = bed(survival.name, [{"name": A, "address": "10.42.93.11", "image": "debian13"}])
    assert driver.up(moved) == [f"{A}: created (debian13, 10.42.93.11)"]
    assert_well(moved)
    driver.down(survival.name)


def test_a_foreign_container_in_the_way_is_refused_and_left_alone():
    driver.down(BED.name)
    podman("run", "--detach", "--name", B, "--network", "none", ensure("debian13"), "sleep", "infinity")
    before = state(B)
    hosts_file = names.HOSTS_FILE.read_text()
    with pytest.raises(BedError, match=rf"podman rename {B}"):
        driver.up(BED)
    assert (state(B)["Id"], state(B)["State"]["Pid"]) == (before["Id"], before["State"]["Pid"])
    # Refused before anything was made.
    assert not inspect("container", [A])
    assert not driver.networks(BED.name)
    assert names.HOSTS_FILE.read_text() == hosts_file
    driver.down(BED.name)
    assert state(B)["State"]["Running"]
    podman("rm", "--force", "--time", "0", B)


def test_a_foreign_network_in_the_way_is_refused_and_left_alone():
    driver.down(BED.name)
    podman("network", "create", "--subnet", "10.42.94.0/24", BED.network)
    with pytest.raises(BedError, match=rf"podman network rm {BED.network}"):
        driver.up(BED)
    assert driver.down(BED.name) == []
    assert inspect("network", [BED.network])
    podman("network", "rm", BED.network)


def test_an_interrupted_start_is_finished_by_the_next(survival):
    driver.down(survival.name)
    # The network and one half of the hosts, made but never started.
    network = driver._network(survival)
    podman(
        "create", "--name", A, "--network", network, "--ip", "10.42.91.11", "--label", driver.LABEL,
        "--label", f"{driver.BED_LABEL}={survival.name}", ensure("debian13"),
    )  # fmt: skip
    assert len(driver.up(survival)) == 2
    assert_well(survival)


def test_a_sandboxed_unit_is_really_locked_in(survival):
    # With too few capabilities systemd leaves these out without a word, and the tests of every unit would lie.
    run = "systemd-run --quiet --wait --pipe -p ProtectSystem=strict -p PrivateTmp=yes -p ProtectHome=yes "
    ssh(A, "touch /tmp/of-the-host /root/of-root")
    assert ssh(A, f"{run} sh -c 'touch /usr/written /etc/written /var/lib/written; ls -A /tmp /root' 2>&1 || true")
    assert ssh(A, "ls /usr/written /etc/written /var/lib/written 2>/dev/null || echo none") == "none"
    inside = ssh(A, f"{run} sh -c 'ls -A /tmp; ls -A /root 2>/dev/null; true'")
    assert inside == ""
    assert ssh(A, "systemd-run --quiet --wait --pipe -p DynamicUser=yes id -u") != "0"


def test_a_host_boots_without_a_failed_unit(survival):
    for host in survival.hosts:
        assert ssh(host.name, "systemctl list-units --failed --plain --no-legend") == ""
        assert ssh(host.name, "systemctl is-system-running") == "running"


def test_beds_do_not_disturb_each_other(survival):
    driver.up(NEIGHBOUR)
    try:
        assert {survival.name, NEIGHBOUR.name} <= set(driver.beds())
        assert driver.up(survival) == []
        neighbour = state("a.neighbour.test")["Id"]
        network = driver.networks(survival.name)
        assert driver.down(survival.name) == [A, B, *network]
        assert state("a.neighbour.test")["Id"] == neighbour
        assert_well(NEIGHBOUR)
        assert "a.neighbour.test" in names.HOSTS_FILE.read_text()
    finally:
        driver.down(NEIGHBOUR.name)


def test_down_removes_what_is_the_beds_and_nothing_else(survival):
    line = "192.0.2.1 line-of-somebody-else.survival.test\n"
    podman("run", "--detach", "--name", STRANGER, "--network", "none", ensure("debian13"), "sleep", "infinity")
    with names.HOSTS_FILE.open("a") as file:
        file.write(line)
    try:
        network = driver.networks(survival.name)
        assert driver.down(survival.name) == [A, B, *network]
        assert not inspect("container", [A, B])
        assert not inspect("network", network)
        text = names.HOSTS_FILE.read_text()
        assert A not in text
        assert line in text
        assert state(STRANGER)["State"]["Running"]
        assert driver.down(survival.name) == []
    finally:
        podman("rm", "--force", "--time", "0", STRANGER)
        names._rewrite(lambda text: text.replace(line, ""))


def test_a_bed_that_was_killed_can_be_taken_away(survival):
    for host in survival.hosts:
        kill_behind_podman(host.name)
    subprocess.run(["ip", "link", "del", bridge(survival)], check=True)
    network = driver.networks(survival.name)
    assert driver.down(survival.name) == [A, B, *network]
    assert not inspect("container", [A, B])


def test_an_unknown_container_is_no_error_for_podmans_port():
    assert inspect("container", ["nobody.survival.test"]) == {}
    with pytest.raises(PodmanError, match="nobody"):
        podman("start", "nobody.survival.test")

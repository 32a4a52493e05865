# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends, waits or can't be right on a host is told in time, once for each thing, with its cure."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.served_certificate import Served
from facility.host.check import __main__ as command
from facility.host.check import observe
from facility.host.check.config import Config, ConfigError, load
from facility.host.check.ends import Disk, Limits, Observed, Release, Updates, problems
from facility.host.check.metrics import METRICS, values

DAY = 86400
NOW = 1_800_000_000.0
LIMITS = Limits(
    certificate_days=21, authority_days=180, release_days=180, updates_days=7, disk_percent=10, disk_bytes=20 * 10**9
)
GOOD = Served(443, same=True, begins=NOW - DAY, ends=NOW + 300 * DAY)
ROOT = Disk("/", 100 * 10**9, 50 * 10**9)
WELL = Observed(NOW, (GOOD,), (ROOT,), NOW + 3000 * DAY, Release("Debian 13", NOW + 900 * DAY), Updates())


def told(**changes):
    return problems(replace(WELL, **changes), LIMITS, "wiki1.example.org")


def test_where_all_is_well_nothing_is_told():
    assert told() == []
    # A Debian whose end nobody has named yet, and a host without TLS.
    assert told(disks=(Disk("/srv/images", 10**14, 10**12), Disk("/boot", 10**9, 5 * 10**8))) == []
    assert told(release=Release("Debian 14", None), authority_ends=None, ports=()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ports": (replace(GOOD, ends=NOW + 20 * DAY),)}, "port 443: its certificate ends on 2027-02-04, in 20 days"),
        ({"ports": (replace(GOOD, ends=NOW - DAY),)}, "port 443: its certificate ended on 2027-01-14, 1 days ago"),
        ({"ports": (replace(GOOD, same=False),)}, "port 443 serves another certificate than the host's file"),
        ({"ports": (Served(4064, None, "shows none (refused)"),)}, "port 4064 shows none (refused)"),
        ({"now": NOW - 365 * DAY}, "this host's clock shows 2026-01-15: look at the clock with timedatectl"),
        ({"disks": (ROOT, Disk("/srv", 10**12, 10**10))}, "/srv is nearly full, 10.0 of 1000.0 GB are free"),
        ({"disks": (Disk("/", 10**12, 10**12, 0.01),)}, "/ takes hardly any new file, 1% of its inodes are free"),
        ({"authority_ends": NOW + 100 * DAY}, "the authority's certificate ends on"),
        ({"release": Release("Debian 12", NOW + 100 * DAY)}, "security updates of Debian 12: the last ends on"),
        ({"updates": Updates(("curl", "ssl"), since=NOW - 8 * DAY)}, "2 packages wait for security updates since"),
        ({"updates": Updates(("curl",), held=("curl",), since=NOW)}, "curl: a security update waits and"),
    ],
)  # fmt: skip
def test_what_needs_somebody_is_one_line_with_its_cure(changes, words):
    lines = told(**changes)
    assert len(lines) == 1
    assert words in lines[0]


def test_updates_of_this_week_and_what_is_held_for_good_reasons_are_no_alarm():
    assert told(updates=Updates(("curl",), 5, ("postgresql-15",), NOW - 6 * DAY, reboot=True)) == []


@given(days=st.integers(min_value=-500, max_value=5000), earlier=st.integers(min_value=0, max_value=500))
def test_what_is_told_once_stays_told_until_it_is_mended(days, earlier):
    found = replace(WELL, ports=(replace(GOOD, begins=NOW - 9999 * DAY, ends=NOW + days * DAY),))
    before = problems(replace(found, now=NOW - earlier * DAY), LIMITS, "w")
    assert bool(before) <= bool(problems(found, LIMITS, "w"))


def test_each_figure_is_described():
    assert set(values(WELL, 0)) <= set(METRICS)
    assert values(replace(WELL, ports=(Served(1, None, "shows none"),)), 1)["host_certificate_same"] == {"1": 0.0}


RELEASES = """version,codename,series,created,release,eol,eol-lts,eol-elts
12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30
14,Forky,forky,2025-08-09
"""


@pytest.mark.parametrize(("series", "end"), [("bookworm", 1845936000.0), ("forky", None), ("plucky", None)])
def test_debian_s_own_table_says_when_it_ends(tmp_path, series, end):
    (tmp_path / "os").write_text(f'VERSION_ID="12"\nVERSION_CODENAME={series}\n')
    (tmp_path / "csv").write_text(RELEASES)
    assert observe.release(tmp_path / "os", tmp_path / "csv") == Release("Debian 12", end)


PLAN = """NOTE: This is only a simulation!
Inst libc6 [2.36-9] (2.36-9+deb12u9 Debian:12.9/oldstable [amd64])
Inst libssl3 [3.0.11] (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64]) []
Inst restic [0.17] (0.18.0 Debian-Security:13/stable-security [amd64])
Conf libc6 (2.36-9+deb12u9 Debian:12.9/oldstable [amd64])
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "os").write_text('VERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
    (tmp_path / "csv").write_text(RELEASES)
    (tmp_path / "mounts").write_text("")
    said = {"apt-get": PLAN, "apt-mark": "restic\n"}
    monkeypatch.setattr(observe, "_said", lambda *words: said[words[0]])
    return Config(
        name="w", state=tmp_path, authority=tmp_path / "none", os_release=tmp_path / "os", releases=tmp_path / "csv",
        reboot_required=tmp_path / "none", mounts=tmp_path / "mounts",
    )  # fmt: skip


def test_each_disk_is_looked_at_once(tmp_path):
    (tmp_path / "with space").mkdir()
    (tmp_path / "file").touch()
    lines = [
        f"/dev/sda1 {tmp_path}/file ext4 rw 0 0",
        "proc /proc proc rw 0 0",
        "tmpfs /run tmpfs rw 0 0",
        f"/dev/sr0 {tmp_path} iso9660 ro 0 0",
        f"/dev/sda1 {tmp_path} ext4 rw 0 0",
        f"/dev/sda1 {tmp_path}/with\\040space ext4 ro 0 0",
        "/dev/gone /not/there ext4 rw 0 0",
    ]
    (tmp_path / "mounts").write_text("\n".join(lines) + "\n")
    (disk,) = observe.disks(tmp_path / "mounts")
    assert disk.mount == str(tmp_path)
    assert disk.size >= disk.free > 0
    assert 0 <= disk.free_inodes <= 1


def test_a_security_update_is_told_from_another(config):
    found = observe.updates(config, NOW, None)
    assert (found.security, found.others, found.held) == (("libssl3", "restic"), 1, ("restic",))


def test_since_when_an_update_waits_is_remembered_over_the_days(config):
    assert any("restic" in line for line in command.look(config, NOW))
    later = command.look(config, NOW + 8 * DAY)
    assert any("1 packages wait for security updates since 2027-01-15" in line for line in later)
    figures = (config.state / command.FIGURES).read_text()
    assert "host_check_problems 2.0" in figures
    (config.state / "seen.json").write_text(json.dumps(["broken"]))
    assert len(command.look(config, NOW + 9 * DAY)) == 1


def test_a_host_that_can_t_be_looked_at_says_so(tmp_path, capsys, config, monkeypatch):
    def broken(*_words):
        raise OSError("apt-get: no such file")

    monkeypatch.setattr(observe, "_said", broken)
    (tmp_path / "check.toml").write_text(f'name = "w"\nstate = "{tmp_path}"\n')
    assert command.main(["--config", str(tmp_path / "check.toml")]) == 1
    assert "this host can't be looked at" in capsys.readouterr().out


def test_a_start_of_tls_that_nobody_knows_is_refused(tmp_path):
    (tmp_path / "check.toml").write_text('name = "w"\nstate = "/x"\n[[port]]\nport = 25\nstart = "smtp"\n')
    with pytest.raises(ConfigError, match="write one of tls, ldap, postgresql"):
        load(tmp_path / "check.toml")

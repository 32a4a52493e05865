# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret lies where somebody else than its owner reads it."""

from __future__ import annotations

import pytest

from tests.attacks.facility import DOMAIN

HOSTS = ["dc1", "wiki1", "register1", "omero1", "backup1", "mic1", "mic2", "ppms1"]


def found(facility, host, command, values):
    """What grep says of a host; the values come by standard input, for everybody reads command lines."""
    return facility.inside(f"{host}.{DOMAIN}", "bash", "-c", command, stdin="\n".join(values) + "\n").stdout


@pytest.fixture(scope="module")
def values(facility):
    assert len(facility.secrets) > 15
    assert all(len(value) >= 12 for value in facility.secrets)
    return facility.secrets


def test_a_secret_is_found_where_it_lies(facility):
    secret = [facility.vault["vault_svc_wiki_password"]]
    assert "local.protected.php" in found(facility, "wiki1", "grep -rlF -f - /etc/dokuwiki", secret)


@pytest.mark.parametrize("host", HOSTS)
def test_no_file_that_everybody_reads_holds_a_secret(facility, values, host):
    command = "runuser -u nobody -- grep -rlaF --devices=skip --exclude-dir={proc,sys,dev} -f - / 2>/dev/null"
    assert found(facility, host, "runuser -u nobody -- grep -lF -f - /etc/os-release", ["debian.org"])
    assert found(facility, host, command, values) == ""


@pytest.mark.parametrize("host", HOSTS)
def test_no_log_holds_a_secret(facility, values, host):
    journal = "grep -caF -f - <(journalctl --no-pager --output=export --all 2>/dev/null)"
    assert found(facility, host, journal, ["_HOSTNAME="]).strip() != "0"
    assert found(facility, host, journal, values).strip() == "0"
    assert found(facility, host, "grep -rlaF --exclude-dir=journal -f - /var/log", values) == ""


@pytest.mark.parametrize("host", HOSTS)
def test_no_list_of_processes_shows_a_secret(facility, values, host):
    shown = "grep -caF -f - <(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n')"
    assert found(facility, host, shown, ["/"]).strip() != "0"
    assert found(facility, host, shown, values).strip() == "0"

# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers send fills no disk."""

from __future__ import annotations

import pytest

from tests.attacks.facility import DOMAIN

MEGABYTE = 1_000_000
SERVERS = {"wiki1": "/start", "omero1": "/webclient/", "register1": "/log-in/"}


def chunks(megabytes):
    """A body that doesn't say how long it is."""
    return (b"y" * MEGABYTE for _ in range(megabytes))


# The wiki and the register take files of users; OMERO's form takes a name and a password from who is not logged in.
@pytest.mark.parametrize(("server", "megabytes"), [("wiki1", 120), ("register1", 120), ("omero1", 120), ("omero1", 20)])
def test_a_large_body_is_refused(visit, server, megabytes):
    answer = visit(server).ask("POST", SERVERS[server], data=chunks(megabytes))
    assert answer.status_code == 413


@pytest.mark.parametrize("server", SERVERS)
def test_what_has_come_of_a_body_lies_in_memory(facility, server):
    shown = facility.inside(
        f"{server}.{DOMAIN}",
        "sh",
        "-c",
        "nsenter --target $(systemctl show --property MainPID --value nginx) --mount findmnt -T /var/lib/nginx/body",
    ).stdout
    assert "tmpfs" in shown

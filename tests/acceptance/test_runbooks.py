# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook says to look at is there to be looked at: its commands that change nothing are run on the example."""

from __future__ import annotations

import re
import shlex

import pytest
import testinfra

from tests.runbook_commands import Block, all_blocks, harmless

BACKUP, OMERO, DIRECTORY = "backup1.imaging.example.org", "omero1.imaging.example.org", "dc1.imaging.example.org"
# The first that a block names decides where a reader would be.
PLACES = (
    (r"restic-server|(?<!facility-)backup-[\w*]|/srv/backup|backup-server|runuser -u pgbackrest", BACKUP),
    (r"facility-backup|psql|/var/lib/postgresql|\bsettle\b|omero", OMERO),
    (r"samba-ad-dc", DIRECTORY),
    # Any host's; this one's will do.
    (r"systemd-timesyncd|apt-daily", OMERO),
)
# Of an hour that the example may not have seen, or of another host than these.
NOT_YET = re.compile(r"facility-job|weekly-drill|host-drills|/mnt/|/OMERO/restored|journalctl -f|^pgbackrest")
MISSING = re.compile(r"not be found|not found|No such file|[Uu]nknown|(invalid|unrecognized) option|not loaded")
# 3: systemctl status of what rests until its time.
WELL = {0, 3}


def place(block: Block) -> str:
    """The host on which a block is typed; "" where the example has none."""
    return next((host for pattern, host in PLACES if re.search(pattern, block.text)), "")


LOOKS = [block for block in all_blocks() if harmless(block.text) and not NOT_YET.search(block.text)]


def test_there_is_something_to_look_at_on_each_host():
    assert {place(block) for block in LOOKS} >= {BACKUP, OMERO}
    assert len(LOOKS) >= 15


@pytest.mark.parametrize("block", LOOKS, ids=str)
def test_what_a_runbook_says_to_look_at_is_there(block):
    host = place(block)
    assert host, f"docs/runbooks/{block}: say in PLACES on which host"
    done = testinfra.get_host(f"podman://{host}").run(f"bash -c {shlex.quote(block.text)}")
    assert done.rc in WELL, f"docs/runbooks/{block} on {host}: {done.stdout}{done.stderr}"
    assert not MISSING.search(done.stderr), f"docs/runbooks/{block} on {host}: {done.stderr}"

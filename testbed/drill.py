# SPDX-License-Identifier: GPL-3.0-or-later
"""``make drill``: OMERO from its backups onto a scratch host, which the test bed makes for it and takes away again."""

import sys

from testbed.facility import INVENTORY
from testbed.hosts import driver
from testbed.hosts.bed import bed_of_inventory
from testbed.paths import REPOSITORY
from testbed.steps import Step, finish, run_all

HOSTS, DRILL = INVENTORY / "hosts.yml", INVENTORY / "drill.yml"
ENTER = "source $(make -s env); "
_UP = [sys.executable, "-m", "testbed", "up", "facility", str(HOSTS), str(DRILL)]
_BACKUP = ["ansible", "omero_server", "-m", "systemd_service", "-a", "name=facility-backup.service state=started"]
_RESTORE = ["ansible-playbook", "-i", str(DRILL.relative_to(REPOSITORY)), "playbooks/ops/drill_omero.yml"]
STEPS = [
    Step("scratch host", _UP, again="make drill", shown=True),
    # The example may have had no night yet.
    Step("backup of today", _BACKUP, again="make drill   (journalctl -u facility-backup on omero1 says why)"),
    Step("OMERO on the scratch host", _RESTORE, again="make drill", shown=True),
]


def main() -> int:
    """Run the drill in the running example facility; return 0 when OMERO came back whole."""
    try:
        return finish(*run_all(STEPS))
    finally:
        for name in driver.only(bed_of_inventory("facility", HOSTS)):
            print(f"  removed {name}")


if __name__ == "__main__":
    sys.exit(main())

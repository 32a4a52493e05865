# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is lost, and a new one has the inventory by docs/services/controller.md."""

import json
import subprocess

HOST = "control1.controller.test"
SITES = "/srv/facility/inventories"
LISTED = "find site -printf '%p %u %g %m %s %TY-%Tm-%Td %TH:%TM\\n' | sort"
LOOK = f"cd {SITES} && {LISTED} && find site -type f | sort | xargs sha256sum"


def test_a_new_controller_has_the_inventory_as_it_was_and_works(control, backup, run, noted, secret):
    assert run("drill").status == 0
    control.run_expect([0], "systemctl start facility-backup.service")
    before = control.check_output(LOOK)
    assert "site/secrets/authority facility facility 700" in before
    assert "site/group_vars/all/vault.yml facility facility 600" in before

    # The user of a new host may have another number.
    control.run_expect([0], f"rm -r {SITES}/site && usermod --uid 1500 facility && chown -R facility: /srv/facility")
    assert run("drill").status != 0

    # The page in the safe has the recovery password. Nobody may write as root into the repository, so no lock is taken.
    restic = f"restic --no-lock --no-cache --quiet --repo /srv/backup/restic/{HOST}"
    restic = f"RESTIC_PASSWORD={secret('recovery')} {restic}"
    backup.run_expect([0], f"umask 077; {restic} restore latest --target /root/back")
    identities = json.loads(backup.file("/root/back/var/lib/facility-backup/identities.json").content_string)
    assert identities["users"]["facility"]["home"] == "/home/facility"
    # In the place of: ssh root@backup1 tar --create … | tar --extract …
    packing = ["podman", "exec", "backup1.controller.test", "tar", "--create"]
    packing += ["--directory", f"/root/back{SITES}", "site"]
    unpacking = ["podman", "exec", "--interactive", "--user", "facility", HOST, "tar", "--extract"]
    unpacking += ["--preserve-permissions", "--directory", SITES]
    with subprocess.Popen(packing, stdout=subprocess.PIPE) as packed:
        subprocess.run(unpacking, stdin=packed.stdout, check=True)
    assert packed.returncode == 0

    assert control.check_output(LOOK) == before
    control.run_expect([0], f"rm {SITES}/site/noted")
    assert run("drill").status == 0
    assert noted()[4] == "from the vault"
    foreign = backup.check_output("find /srv/backup/restic -mindepth 1 ! -user restic-rest-server")
    assert foreign == ""

# SPDX-License-Identifier: GPL-3.0-or-later
"""One byte of one file turns over on the disk, as disks do."""

import json

from .conftest import CLIENT, VAULT

CYCLE = 3


def test_a_flipped_byte_is_found_within_the_cycle_and_all_else_still_comes_back(
    night, server, job, problems, restored, client
):
    snapshot = night()
    # The pack with the most data: images are in it, and not the list of files.
    listed = server.check_output(f"cd {VAULT}/{CLIENT} && find data -type f -printf '%s %p\\n' | sort -n | tail -1")
    pack = listed.split()[1]
    server.run_expect(
        [0],
        f"python3 - <<'EOF'\n"
        f"import pathlib\n"
        f"file = pathlib.Path('{VAULT}/{CLIENT}/{pack}')\n"
        f"data = bytearray(file.read_bytes()); data[1000] ^= 1; file.chmod(0o600); file.write_bytes(data)\n"
        f"EOF",
    )
    for _ in range(CYCLE):
        job("backup-check")
    assert CLIENT in problems()["check"]
    status, found = restored(snapshot)
    there = dict(
        reversed(line.split()) for line in client.check_output("cd /srv/images && sha256sum *.tif").splitlines()
    )
    assert status != 0
    whole = [name for name, digest in found.items() if there.get(name) == digest]
    assert len(whole) >= len(there) - 2, "more is lost than what lay in one pack's one blob"
    state = json.loads(server.check_output("cat /var/lib/backup-keeper/state.json"))
    assert state["repositories"][CLIENT]

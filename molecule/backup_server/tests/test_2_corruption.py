# SPDX-License-Identifier: GPL-3.0-or-later
"""One byte of one file turns over on the disk, as disks do."""

from .conftest import CLIENT, VAULT

CYCLE = 3


def test_a_flipped_byte_is_found_within_the_cycle_and_all_else_still_comes_back(
    night, server, job, problems, restored, client
):
    snapshot = night()
    # The pack with the most data: images are in it, and not the list of files.
    listed = server.check_output(f"cd {VAULT}/{CLIENT} && find data -type f -printf '%s %p\\n' | sort -n | tail -1")
    pack = listed.split()[1]
    flip = f"""python3 - <<'EOF'
import pathlib
file = pathlib.Path("{VAULT}/{CLIENT}/{pack}")
data = bytearray(file.read_bytes())
data[1000] ^= 1
file.chmod(0o600)
file.write_bytes(data)
EOF"""
    server.run_expect([0], flip)
    for _ in range(CYCLE):
        job("backup-check")
    assert problems()["check"] == [CLIENT]
    status, found = restored(snapshot)
    listed = client.check_output("cd /srv/images && sha256sum *.tif").splitlines()
    there = {line.split()[1]: line.split()[0] for line in listed}
    assert status != 0
    whole = [name for name, digest in found.items() if there.get(name) == digest]
    assert len(whole) >= len(there) - 2, "more is lost than what one piece held"

    # The disk is mended; a whole cycle must say so before the problem goes.
    server.run_expect([0], flip)
    for _ in range(CYCLE):
        job("backup-check")
    assert "check" not in problems()
    assert restored(snapshot)[0] == 0

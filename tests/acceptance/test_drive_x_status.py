# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told on drive X, what they find put aside, and images that go another way into OMERO."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.podman import podman
from tests.acceptance.drive import Drive, imported, imports, picture
from tests.scenario import wait_until

RESEARCHER = "hhansen"
NOTICE, PUT_ASIDE = "! Import status.txt", "Put aside"


@pytest.fixture
def drive(omero_host: str, password_of: Callable[[str], str]) -> Drive:
    return Drive(omero_host, RESEARCHER, password_of(RESEARCHER))


def told(drive: Drive, folder: Path) -> str:
    """What the researcher reads in the notice; "" while there is none."""
    file = folder / "notice.txt"
    file.unlink(missing_ok=True)
    drive.run(f"cd {RESEARCHER}", f'get "{NOTICE}" {file}')
    return file.read_text("utf-8-sig") if file.exists() else ""


def put(drive: Drive, local: Path, name: str) -> None:
    done = drive.run(f"cd {RESEARCHER}", f'put {local} "{name}"')
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_head_without_its_folder_is_told_and_so_is_a_deleted_notice_again(drive, tmp_path):
    name = f"Image {uuid.uuid4().hex[:6]}"
    put(drive, picture(tmp_path / "head", 5), f"{name}.vsi")
    wanted = f'"{name}.vsi" comes without folder "_{name}_"'
    wait_until(lambda: wanted in told(drive, tmp_path), "the notice")
    drive.run(f"cd {RESEARCHER}", f'del "{NOTICE}"')
    wait_until(lambda: wanted in told(drive, tmp_path), "the notice again")
    shown = next(entry for entry in imports(RESEARCHER)["waiting"] if entry["name"] == f"{name}.vsi")
    assert shown["reason"] == "incomplete"
    drive.run(f"cd {RESEARCHER}", f'del "{name}.vsi"')
    wait_until(lambda: name not in told(drive, tmp_path), "a notice without what was deleted")


def test_what_was_put_aside_is_seen_taken_back_and_imported(drive, tmp_path):
    unique = uuid.uuid4().hex[:6]
    # A control character: OMERO reads lists by lines.
    bad, good = f"cell\x7f {unique}.png", f"cell {unique}.png"
    put(drive, picture(tmp_path / "cell", 6), bad)
    wait_until(lambda: unique in drive.run(f'cd "{RESEARCHER}/{PUT_ASIDE}"', "ls").stdout, "the image put aside")
    assert "can't take the name" in told(drive, tmp_path)
    done = drive.run(f"cd {RESEARCHER}", f'rename "{PUT_ASIDE}\\{bad}" "{good}"')
    assert "NT_STATUS" not in done.stdout, done.stdout
    assert len(imported(RESEARCHER, f"{RESEARCHER}/cell {unique}/", 1)) == 1


def test_an_image_can_go_another_way_beside_the_drive(password_of, omero_host, tmp_path):
    name = f"by-hand-{uuid.uuid4().hex[:6]}.png"
    picture(tmp_path / name, 7)
    podman("cp", str(tmp_path / name), f"{omero_host}:/tmp/{name}")
    try:
        done = podman(
            "exec", "--env", f"OMERO_PASSWORD={password_of(RESEARCHER)}", omero_host,
            "omero", "import", "--skip=upgrade", "-s", omero_host, "-u", RESEARCHER, f"/tmp/{name}",
        )  # fmt: skip
        assert "Image:" in done
    finally:
        podman("exec", omero_host, "rm", "-f", f"/tmp/{name}")

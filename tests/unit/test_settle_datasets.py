# SPDX-License-Identifier: GPL-3.0-or-later
"""With datasets by folders' names: where sets lie in DropBox, against the rule that the role gives to OMERO."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.facility import QUIET, Facility

VARS = Path(__file__).parents[2] / "roles/omero_server/vars/main.yml"


@pytest.fixture
def facility(tmp_path: Path) -> Iterator[Facility]:
    made = Facility(tmp_path, folders_wrapped=True, instruments=("lightsheet",))
    yield made
    made.service.store.close()


def dataset(path: str) -> str | None:
    """The dataset of a file in DropBox. OMERO compares the whole path of its folder, without a slash at the end."""
    rule = yaml.safe_load(VARS.read_text())["__omero_server_dataset_rule"]
    action, discriminator, pattern = rule.split(":", 2)
    assert (action, discriminator) == ("regex", "+name")
    match = re.fullmatch(pattern.replace("(?<", "(?P<"), str(Path("/OMERO/DropBox", path).parent))
    return match and match["Container1"]


def datasets(facility: Facility) -> dict[str, str | None]:
    return {Path(path).name: dataset(path) for path in facility.dropbox}


def test_a_folder_s_images_get_its_name_and_loose_files_none(facility):
    facility.copied("Maus 1/a.tif")
    facility.copied("Maus 2 (rechts)/Tag 1/roh/b.tif")
    facility.copied("lightsheet/Fisch/c.tif")
    facility.copied("loose.tif")
    facility.copied("pair.ics")
    facility.copied("pair.ids")
    facility.go(QUIET)
    assert datasets(facility) == {
        "a.tif": "Maus 1", "b.tif": "Maus 2 (rechts)", "c.tif": "Fisch", "loose.tif": None, "pair.ics": None,
        "pair.ids": None,
    }  # fmt: skip


def test_a_folder_of_a_name_that_was_used_goes_into_the_same_dataset(facility):
    for number in (1, 2):
        facility.copied(f"Maus/{number}.tif", b"other" * number)
        facility.go(QUIET)
    assert datasets(facility) == {"1.tif": "Maus", "2.tif": "Maus"}
    assert len(facility.own_folders()) == 2


@pytest.mark.parametrize("name", ["DropBox", "untitled folder", "a (2)", "x.d", "Überlänge " * 20])
def test_names_that_look_like_the_facility_s_own_are_datasets_too(facility, name):
    facility.copied(f"{name.strip()}/DropBox/alice/own/a.tif")
    facility.go(QUIET)
    assert datasets(facility) == {"a.tif": name.strip()}


def test_a_large_folder_that_is_given_in_pieces_is_one_dataset(facility):
    for number in range(20):
        facility.copied(f"Serie/{number}.png")
    facility.go(QUIET)
    seen = datasets(facility)
    while len(seen) < 20:
        before = len(seen)
        facility.take_in()
        facility.go(1)
        seen |= datasets(facility)
        assert len(seen) > before
    assert set(seen.values()) == {"Serie"}


def test_what_omero_missed_keeps_its_folder_s_name_when_it_is_given_again(facility):
    facility.copied("Maus/1.tif")
    facility.copied("Maus/2.tif")
    facility.go(QUIET)
    own = next(iter(facility.own_folders()))
    facility.imported = {f"aadler/{own}": ["Maus/1.tif"]}
    facility.since = facility.clock.wall()
    for _ in range(3):
        facility.go(40)
    assert len(facility.own_folders()) == 2
    assert datasets(facility) == {"1.tif": "Maus", "2.tif": "Maus"}

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the paths that OMERO remembers belong to which set."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from facility.omero.imports import client_prefix, files_of_set, pattern

PREFIX = "OMERO/DropBox/"
PART = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


def like(text: str, pattern: str) -> bool:
    """PostgreSQL's LIKE, where the pattern holds no backslash."""
    expression = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def test_omero_remembers_paths_without_their_first_slash() -> None:
    assert client_prefix("/OMERO/DropBox") == client_prefix("/OMERO/DropBox/") == PREFIX


@given(login=PART, name=PART, inside=PART)
def test_a_pattern_fits_every_path_of_its_set_whatever_it_is_called(login: str, name: str, inside: str) -> None:
    wanted = pattern(f"{PREFIX}{login}/{name}")
    assert "\\" not in wanted
    assert like(f"{PREFIX}{login}/{name}", wanted)
    assert like(f"{PREFIX}{login}/{name}/{inside}", wanted)


@given(login=PART, name=PART, files=st.frozensets(st.lists(PART, min_size=1, max_size=3).map("/".join), max_size=4))
def test_a_set_is_told_with_all_its_files_and_no_others(login: str, name: str, files: frozenset[str]) -> None:
    whole = f"{PREFIX}{login}/{name}"
    others = [f"{whole}-2/x.png", f"{whole}x", f"{PREFIX}{login}", f"elsewhere/{login}/{name}/x.png"]
    paths = [*(f"{whole}/{file}" for file in files), *others]
    assert files_of_set(f"{login}/{name}", PREFIX, paths) == sorted(files)


def test_a_loose_file_is_told_by_its_own_name() -> None:
    paths = [f"{PREFIX}aadler/Zellkern ä.tif", f"{PREFIX}aadler/Zellkern ä.tif.bak"]
    assert files_of_set("aadler/Zellkern ä.tif", PREFIX, paths) == ["Zellkern ä.tif"]


def test_a_file_of_several_images_is_told_once() -> None:
    assert files_of_set("a/s", PREFIX, [f"{PREFIX}a/s/x.lif"] * 3) == ["x.lif"]

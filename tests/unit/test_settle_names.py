# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what they say, and which ones sets get in DropBox."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.drive.settle.names import NAME_BYTES, Globs, cut, fresh, printable, stem, unfit

PARTIAL = Globs(["*.part", "*.filepart", "*.crdownload", "*.tmp"])
SENTINEL = Globs(["*.done"])
# What a Linux directory may hold: any bytes but "/" and NUL.
FILE_NAMES = (
    st.binary(min_size=1, max_size=255)
    .map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))
    .map(lambda raw: raw.decode("utf-8", "surrogateescape"))
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image.ics", "image"), ("image.ids", "image"), ("image.ids.part", "image"), ("image.ids.done", "image"),
        ("image.done", "image"), ("v1.2.done", "v1.2"), ("image.ome.tif", "image"), ("noending", "noending"),
        ("IMAGE.TIF.PART", "IMAGE"), ("2024.05.01 a.tif", "2024.05.01 a"), ("Größe 1.lif", "Größe 1"),
    ],
)  # fmt: skip
def test_loose_files_of_one_image_are_one_set(name: str, expected: str) -> None:
    assert stem(name, PARTIAL, SENTINEL) == expected


def test_a_pattern_with_an_exclamation_mark_takes_names_out() -> None:
    companions = Globs(["*.xml", "!*.ome.xml", "Log_*"], ["! exact.txt"])
    assert companions("log.XML") and companions("log_7") and companions("! exact.txt")
    assert not companions("image.OME.xml") and not companions("image.tif") and not companions("exact.txt")


@given(FILE_NAMES)
def test_a_name_in_dropbox_fits_and_is_one_that_omero_sees(name: str) -> None:
    offered = list(itertools.islice(fresh(name.encode("utf-8", "replace").decode()), 12))
    assert len(set(offered)) == len(offered)
    for given_name in offered:
        assert 0 < len(given_name.encode()) <= NAME_BYTES
        assert "/" not in given_name and given_name not in {".", ".."}
        assert "untitled folder" not in given_name and "-unknown-path" not in given_name
        assert given_name == given_name.strip()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image", ["image", "image (2)"]),
        ("set.v2", ["set.v2", "set.v2 (2)"]),
        ("untitled folder", ["untitled_folder", "untitled_folder (2)"]),
        ("ä" * 140, ["ä" * 127, "ä" * 125 + " (2)"]),
    ],
)
def test_a_taken_name_gets_a_number(name: str, expected: list[str]) -> None:
    assert list(itertools.islice(fresh(name), 2)) == expected


@pytest.mark.parametrize(
    ("name", "folder", "bad"),
    [
        ("a.tif", False, False), ("a.tif ", False, True), ("Day 3 ", True, False), ("untitled folder", True, False),
        ("two\nlines.tif", False, True), ("two\nlines", True, True),
    ],
)  # fmt: skip
def test_no_name_in_a_set_is_changed_so_what_omero_can_not_read_is_refused(name: str, folder: bool, bad: bool) -> None:
    assert unfit(name, folder=folder) is bad


@given(FILE_NAMES)
def test_any_name_can_be_shown(name: str) -> None:
    assert printable(name).isprintable() or not name
    printable(name).encode("utf-8")


@given(FILE_NAMES)
def test_omero_gets_no_name_that_it_dies_of(name: str) -> None:
    if not unfit(name):
        name.encode("utf-8")
        assert len(name.splitlines()) == 1


@given(st.text(), st.integers(0, 40))
def test_cutting_never_leaves_half_a_character(text: str, size: int) -> None:
    short = cut(text, size)
    assert len(short.encode("utf-8", "replace")) <= size
    assert text.startswith(short)

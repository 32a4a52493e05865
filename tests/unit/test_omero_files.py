# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are drawn, and when what OMERO hands out is not what it knows."""

from __future__ import annotations

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from facility.omero.files import OriginalFile, chosen, compared

FILES = st.lists(st.tuples(st.sampled_from(["aadler", "bbergstroem", "cchen"]), st.integers(0, 5000)), max_size=40).map(
    lambda rows: [OriginalFile(i, f"{login}_1/{i}.tif", size, "", login) for i, (login, size) in enumerate(rows)]
)


@given(files=FILES, most_files=st.integers(0, 50), most_bytes=st.integers(0, 100_000), seed=st.integers())
def test_a_sample_keeps_its_limits_and_holds_no_file_twice(
    files: list[OriginalFile], most_files: int, most_bytes: int, seed: int
) -> None:
    sample = chosen(files, most_files, most_bytes, random.Random(seed))
    assert len(sample) <= most_files
    assert sum(file.size for file in sample) <= most_bytes
    assert len({file.id for file in sample}) == len(sample)
    assert set(sample) <= set(files)


@given(files=FILES, seed=st.integers())
def test_where_there_is_room_everybody_is_in_the_sample(files: list[OriginalFile], seed: int) -> None:
    owners = {file.owner for file in files}
    assert {file.owner for file in chosen(files, len(owners), 10**9, random.Random(seed))} == owners
    assert len(chosen(files, 100, 10**9, random.Random(seed))) == len(files)


def handed_out(content: bytes) -> tuple[int, object]:
    return len(content), lambda at, length: content[at : at + length]


@given(content=st.binary(max_size=200))
def test_what_is_as_omero_noted_has_no_fault(content: bytes) -> None:
    file = OriginalFile(1, "a/x.tif", len(content), hashlib.sha1(content).hexdigest(), "aadler")
    assert compared(file, *handed_out(content)) == ""


def test_a_file_of_several_pieces_is_read_whole() -> None:
    content = random.Random(5).randbytes(2_500_001)
    file = OriginalFile(1, "a/x.tif", len(content), hashlib.sha1(content).hexdigest(), "aadler")
    assert compared(file, *handed_out(content)) == ""
    assert "SHA-1" in compared(file, *handed_out(content[:-1] + b"x"))


def test_another_size_and_another_content_are_told() -> None:
    file = OriginalFile(1, "a/x.tif", 3, hashlib.sha1(b"abc").hexdigest(), "aadler")
    assert compared(file, *handed_out(b"ab")) == "has 2 bytes instead of 3"
    assert "SHA-1" in compared(file, *handed_out(b"abd"))


def test_without_a_noted_sha1_only_the_size_is_compared() -> None:
    assert compared(OriginalFile(1, "a/x.tif", 3, "", "aadler"), *handed_out(b"abd")) == ""

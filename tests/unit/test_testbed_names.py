# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's hosts file: the test bed's blocks come and go, every other line is somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.hosts import names
from testbed.hosts.bed import bed
from testbed.hosts.names import with_bed, without_bed

BED_NAMES = ["facility", "facility2", "molecule-wiki"]
# Foreign lines, among them some that look like ours but aren't a block.
LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(["", "127.0.0.1 localhost", "# >>> facility test bed", "10.42.200.11 dc1.some.test"]),
    ).filter(lambda line: not line.startswith(("# >>> facility test bed ", "# <<< facility test bed "))),
    max_size=8,
)
TEXTS = LINES.map(lambda lines: "".join(f"{line}\n" for line in lines))
BEDS = st.builds(
    lambda name, numbers: bed(
        name, [{"name": f"h{n}.some.test", "address": f"10.42.200.{n}", "image": "debian13"} for n in sorted(numbers)]
    ),
    st.sampled_from(BED_NAMES),
    st.sets(st.integers(2, 254), min_size=1, max_size=4),
)


def some(name="some", number=11):
    return bed(name, [{"name": "dc1.some.test", "address": f"10.42.200.{number}", "image": "debian13"}])


def block(name="some", number=11):
    return (
        f"# >>> facility test bed {name}\n10.42.200.{number} dc1.some.test dc1.{name}.testbed\n"
        f"# <<< facility test bed {name}\n"
    )


def test_a_bed_is_one_marked_block_at_the_end():
    assert with_bed("127.0.0.1 localhost\n", some()) == "127.0.0.1 localhost\n" + block()


def test_an_empty_file_gets_the_block_alone():
    assert with_bed("", some()) == block()


def test_a_last_line_without_an_end_stays_a_line_of_its_own():
    assert with_bed("127.0.0.1 localhost", some()) == "127.0.0.1 localhost\n" + block()


def test_a_host_that_moved_has_its_new_address_only():
    text = "first\n" + block() + "last\n"
    assert with_bed(text, some(number=12)) == "first\nlast\n" + block(number=12)


def test_a_bed_whose_name_begins_like_another_is_another():
    text = block("some2") + block("some")
    assert without_bed(text, "some") == block("some2")


def test_a_name_is_no_pattern():
    assert without_bed(block("some"), "s.me") == block("some")


def test_a_block_written_twice_disappears_entirely():
    assert without_bed("first\n" + block() + "between\n" + block(number=12), "some") == "first\nbetween\n"


@given(TEXTS, BEDS)
def test_publishing_again_changes_nothing(text, one):
    once = with_bed(text, one)
    assert with_bed(once, one) == once


@given(TEXTS, BEDS)
def test_withdrawing_gives_back_the_text_as_it_was(text, one):
    assert without_bed(with_bed(text, one), one.name) == text


@given(TEXTS, BEDS)
def test_foreign_lines_keep_their_order_and_come_first(text, one):
    assert with_bed(text, one).startswith(text)


@given(TEXTS, BEDS, BEDS)
def test_a_bed_does_not_disturb_another(text, one, other):
    if one.name == other.name:
        return
    both = with_bed(with_bed(text, one), other)
    assert without_bed(both, one.name) == with_bed(text, other)
    assert without_bed(both, other.name) == with_bed(text, one)


@pytest.fixture
def hosts_file(tmp_path, monkeypatch):
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    monkeypatch.setattr(names, "HOSTS_FILE", path)
    return path


def test_the_file_is_changed_in_place_because_it_may_be_a_mount(hosts_file):
    before = hosts_file.stat().st_ino
    names.publish(some())
    assert hosts_file.read_text() == "127.0.0.1 localhost\n" + block()
    names.withdraw("some")
    assert hosts_file.read_text() == "127.0.0.1 localhost\n"
    assert hosts_file.stat().st_ino == before


def test_a_file_that_is_right_already_is_not_written(hosts_file):
    names.publish(some())
    before = hosts_file.stat().st_mtime_ns
    names.publish(some())
    assert hosts_file.stat().st_mtime_ns == before

# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks/imports.yml shows: whose, what, how much, where, since when, which attempt, and why."""

from __future__ import annotations

import pytest

from facility.drive.import_report import report, set_line, size

NOW = 1_700_000_000.0
ENTRY = {
    "login": "aadler", "name": "Day 3", "state": "waiting", "since": NOW - 600, "reason": "writer", "detail": "a.tif",
    "place": "", "files": 12, "bytes": 240_000_000, "attempts": 0,
}  # fmt: skip
NOTHING = {"waiting": [], "offered": [], "done": [], "stuck": []}


def test_a_set_is_shown_with_all_that_one_asks_for_first():
    line = set_line(ENTRY, NOW)
    assert line.startswith("aadler/Day 3 (12 files, 240.0 MB) waiting since 20")
    assert line.endswith('(10 min): "a.tif" is still being written')


def test_two_sets_of_one_name_can_be_told_apart():
    offered = {**ENTRY, "state": "offered", "reason": "", "place": "Day 3 (2)", "attempts": 1, "files": 1}
    assert "(1 file, 240.0 MB) offered as Day 3 (2) since" in set_line(offered, NOW)
    assert "attempt 2" in set_line(offered, NOW)


def test_a_folder_that_is_refused_says_why_in_its_own_words():
    refused = {**ENTRY, "state": "refused", "reason": "is no login", "since": 0, "detail": "", "name": ""}
    assert set_line(refused, NOW).endswith("refused: is no login")


def test_the_report_has_what_is_stuck_first_and_the_newest_image_before_older_ones():
    images = [
        {"image": number, "name": "x", "path": f"aadler/x{number}", "owner": "aadler", "time": NOW + number}
        for number in range(3)
    ]
    lines = report({**NOTHING, "waiting": [ENTRY], "stuck": [{**ENTRY, "state": "quarantined"}]}, images, NOW)
    assert [line for line in lines if not line.startswith(" ")] == [
        "Put aside, or refused: 1", "Waiting: 1", "Imported: 3 images, 0 sets",
    ]  # fmt: skip
    assert lines[-3].endswith("aadler/x2 -> image 2")


def test_of_a_long_queue_a_page_is_shown_and_the_rest_counted():
    lines = report({**NOTHING, "waiting": [ENTRY] * 20_000}, [], NOW)
    assert len(lines) < 60 and "  ... and 19950 more" in lines


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (17_948, "17.9 kB"), (4e13, "40.0 TB")])
def test_sizes_are_short(count, text):
    assert size(count) == text

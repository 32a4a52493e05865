# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that OMERO's database knows, looked for on the disk."""

from __future__ import annotations

import pytest

from facility.omero.missing_files import missing_files


@pytest.fixture
def root(tmp_path):
    (tmp_path / "alice_3").mkdir()
    (tmp_path / "alice_3" / "cells.png").write_bytes(b"1234")
    return tmp_path


def test_a_file_of_the_known_size_is_there_with_or_without_a_leading_slash(root):
    known = [{"file": "alice_3/cells.png", "size": 4}, {"file": "/alice_3/cells.png", "size": 4}]
    assert missing_files(root, known) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "alice_3/cells.png", "size": 5},
        {"file": "alice_3/gone.png", "size": 4},
        {"file": "bob_4/cells.png", "size": 4},
        {"file": "alice_3", "size": 4096},
    ],
)
def test_another_size_a_missing_file_and_a_folder_are_missing_with_all_that_is_known(root, entry):
    entry = {**entry, "login": "alice"}
    assert missing_files(root, [entry]) == [entry]


def test_a_name_that_leads_out_of_the_repository_is_refused(root):
    with pytest.raises(ValueError, match="leads out of"):
        missing_files(root / "alice_3", [{"file": "../../etc/passwd", "size": 1}])

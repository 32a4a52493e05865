# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to OMERO's database: asked for real in scenarios; here, that nobody's name becomes SQL."""

from __future__ import annotations

import pytest

import filter_plugins.facility as filters
from facility.omero import sql as omero_sql


def test_a_question_is_one_select_on_one_line():
    for query in (omero_sql.image_files(), omero_sql.image_count(), omero_sql.images_of_person("alice", 1, 2)):
        assert query.startswith("SELECT ")
        assert "\n" not in query
        assert ";" not in query


@pytest.mark.parametrize("login", ["", "Alice", "a'; DROP TABLE image", "a b", "alice\n"])
def test_what_is_no_login_gets_into_no_question(login):
    with pytest.raises(ValueError, match="is no login"):
        omero_sql.images_of_person(login, 1, 2)


def test_the_filter_gives_a_question_by_its_name():
    assert filters.omero_query("images_of_person", login="bob", begin="10", end="20") == (
        omero_sql.images_of_person("bob", 10, 20)
    )
    with pytest.raises(ValueError, match="image_count, image_files, images_of_person"):
        filters.omero_query("images")


def test_a_day_s_end_is_the_next_day_s_beginning_also_when_clocks_change():
    begin, end = (filters.local_moment("2026-10-25", "Europe/Berlin", days) for days in (0, 1))
    assert end - begin == 25 * 3600
    with pytest.raises(ValueError, match="is no day"):
        filters.local_moment("soon", "Europe/Berlin", days=1)

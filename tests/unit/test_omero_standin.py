# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's translation of OMERO's query language, against SQL that is really run."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2] / "testbed/standins/omero/archive/lib/standin"))
from omero_standin.hql import QueryError, Viewer, translate
from omero_standin.schema import TABLES, sql

EVERYBODY = Viewer(user=0, sees_all=True, readable_groups=(), group=None)
ALICE = Viewer(user=1, sees_all=False, readable_groups=(), group=None)
BOB = Viewer(user=2, sees_all=False, readable_groups=(20,), group=None)


class Images:
    """A few images of two people in a database that understands enough of PostgreSQL's SQL."""

    def __init__(self) -> None:
        self.database = sqlite3.connect(":memory:")
        for command in sql().split(";"):
            # SQLite has no serial numbers and no moments with a zone.
            self.database.execute(command.replace("bigserial", "integer").replace("timestamp with time zone", "real"))
        self.add("experimenter", id=1, omename="alice")
        self.add("experimenter", id=2, omename="bob")
        self.add("experimentergroup", id=10, name="rg-neuro")
        self.add("experimentergroup", id=20, name="rg-plant")
        self.add("event", id=7)
        for key, owner, group, name in ((1, 1, 10, "a.png"), (2, 1, 20, "b.png"), (3, 2, 20, "it's c.png")):
            owned: dict[str, Any] = {"owner_id": owner, "group_id": group, "creation_id": 7}
            self.add("fileset", id=key, **owned)
            self.add("filesetentry", id=key, fileset=key, clientpath=f"OMERO/DropBox/x/{name}", **owned)
            self.add("image", id=key, name=name, fileset=key, **owned)
        # An import that broke off: a fileset without images.
        self.add("fileset", id=9, owner_id=1, group_id=10, creation_id=7)
        self.add("filesetentry", id=9, fileset=9, clientpath="OMERO/DropBox/x/broken.png", owner_id=1, group_id=10,
                 creation_id=7)  # fmt: skip

    def add(self, table: str, **values: Any) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self.database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))

    def ask(self, text: str, viewer: Viewer = EVERYBODY, **parameters: Any) -> list[Any]:
        """The rows that a query gives; rows of one column as that column."""
        query = translate(text, viewer, lists=set())
        rows = self.database.execute(query.sql, parameters).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    yield Images()


def test_attributes_are_selected_by_their_names(images: Images) -> None:
    assert images.ask("select i.id, i.name from Image i order by i.id desc")[0] == (3, "it's c.png")
    assert images.ask("select count(i.id) from Image i") == [3]
    assert images.ask("select count(*) from Image as i where i.name = 'it''s c.png'") == [1]


def test_a_path_leads_through_other_objects(images: Images) -> None:
    query = "select i.details.owner.omeName, i.details.group.name from Image i where i.name = :name"
    assert images.ask(query, name="b.png") == [("alice", "rg-plant")]
    assert images.ask("select i.id from Image i where i.details.owner.id = 2") == [3]


def test_who_asks_sees_what_is_theirs_and_what_their_groups_share(images: Images) -> None:
    names = "select i.name from Image i order by i.id"
    assert images.ask(names) == ["a.png", "b.png", "it's c.png"]
    assert images.ask(names, ALICE) == ["a.png", "b.png"]
    assert images.ask(names, BOB) == ["b.png", "it's c.png"]
    assert images.ask(names, Viewer(1, False, (), group=20)) == ["b.png"]
    assert images.ask(names, Viewer(0, True, (), group=10)) == ["a.png"]


def test_an_or_does_not_open_what_others_keep(images: Images) -> None:
    assert images.ask("select i.id from Image i where i.id = 1 or i.id = 3", ALICE) == [1]
    assert images.ask("select i.id from Image i where 1 = 1 or 1 = 1 order by i.id", BOB) == [2, 3]


def test_the_queries_of_the_facility_itself_are_understood(images: Images) -> None:
    from facility.omero import imports

    paths = images.ask(imports._PATHS, pattern="OMERO/DropBox/x/%")
    assert sorted(paths) == [f"OMERO/DropBox/x/{name}" for name in ("a.png", "b.png", "it's c.png")]
    rows = images.ask(imports._IMAGES.replace("i.details.creationEvent.time", "i.id"), pattern="%b.png", since=0)
    assert rows == [(2, "b.png", "OMERO/DropBox/x/b.png", "alice", 2)]


def test_subqueries_lists_and_cases_are_understood(images: Images) -> None:
    without = "select f.id from Fileset f where not exists (select i.id from Image i where i.fileset = f.id)"
    assert images.ask(without) == [9]
    assert images.ask("select i.id from Image i where i.id in (1, 3) and i.name not like 'a%'") == [3]
    assert images.ask("select i.id from Image i where i.id in (select max(x.id) from Image x)") == [3]
    assert images.ask("select case when i.id = 1 then 'one' else 'more' end from Image i order by i.id")[:2] == [
        "one", "more",
    ]  # fmt: skip
    assert images.ask("select i.id from Image i where i.description is null and (i.id = 1 or i.id = 2)") == [1, 2]


def test_a_map_carries_its_names_and_an_object_its_class() -> None:
    query = translate("select new map(i.id as id, i as image) from Image i", EVERYBODY, set())
    assert query.as_map
    assert [(item.name, item.entity) for item in query.items] == [("id", ""), ("image", "Image")]
    assert [item.entity for item in translate("from Image", EVERYBODY, set()).items] == ["Image"]
    assert [item.entity for item in translate("select i from Image i join fetch i.pixels p", ALICE, set()).items] == [
        "Image"
    ]


def test_a_parameter_that_is_a_list_is_one_for_postgresql() -> None:
    query = translate("select i.id from Image i where i.id in (:ids)", EVERYBODY, {"ids"})
    assert "= ANY(CAST(:ids AS bigint[]))" in query.sql


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("select x.id from Nothing x", "no class Nothing"),
        ("select i.color from Image i", "Image has no color"),
        ("select i.id from Image i where evil(i.id) = 1", "no function evil"),
        ("select i.id from Image i where", "ends too early"),
        ("select i.id from Image i; drop table image", "cannot read '; drop table"),
        ("select i.id from Image i join j.pixels p", "no alias j"),
        ("delete Image", "expected 'from'"),
        ("", "expected 'from'"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(QueryError, match=re.escape(told)):
        translate(text, EVERYBODY, set())


@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_text_in_quotation_marks_stays_a_text(name: str) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    query = translate(f"select i.id from Image i where i.name = {quoted}", ALICE, set())
    assert query.sql.endswith(f'."name" = {quoted})')


WORDS = ["select", "from", "Image", "i", "where", "i.id", "=", "(", ")", ",", "1", ":x", "and", "or", "in", "not"]


@given(text=st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        translate(text, EVERYBODY, set())
    except QueryError:
        return


def test_every_class_can_be_listed(images: Images) -> None:
    for name in TABLES:
        assert isinstance(images.ask(f"select x.id from {name} x", ALICE), list)

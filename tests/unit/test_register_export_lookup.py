# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup plugin register_export: what a new register is filled with."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from facility.people import policy as policies
from facility.people.facts import Person
from facility.people.interchange import read_lines, written
from tests.conftest import REPOSITORY
from tests.unit.test_access_lookup import FACTS, PEOPLE, POLICY


@pytest.fixture
def look_up(tmp_path):
    lookup_loader.add_directory(str(REPOSITORY / "lookup_plugins"))

    def look_up(people=PEOPLE, facts=FACTS):
        (tmp_path / "people.yml").write_text(yaml.safe_dump({"people": people}))
        (tmp_path / "facts").mkdir(exist_ok=True)
        (tmp_path / "facts" / "2026.yml").write_text(yaml.safe_dump(facts))
        return lookup_loader.get("register_export").run([str(tmp_path)], {}, **POLICY)

    return look_up


def test_everybody_and_all_facts_are_there_but_no_administrator(look_up):
    (text,) = look_up()
    facts = read_lines(text, policies.validated(POLICY))
    assert {one.login for one in facts.all if isinstance(one, Person)} == {"alice", "bob", "sam"}
    assert {"s1", "a1", "b1"} < {one.id for one in facts.all}
    assert written(facts) == text


def test_a_register_that_makes_no_sense_is_refused(look_up):
    with pytest.raises(AnsibleError, match="nobody"):
        look_up(facts={"blocks": [{**FACTS["blocks"][0], "person": "nobody"}]})

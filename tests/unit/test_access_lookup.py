# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup plugin access: what playbooks get of the decisions."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from tests.conftest import REPOSITORY

INSTRUMENT = {
    "name": "sted", "title": "STED", "host": "mic1", "location": "Room 1", "biosafety": "none", "ppms_system_id": 1,
    "demands": ["safety"],
}  # fmt: skip
POLICY = {
    "research_groups": [{"name": "neuro", "title": "Neurons"}],
    "instruments": [INSTRUMENT],
    "time_zone": "Europe/Berlin",
    "requirements": [{"name": "safety", "title": "the safety briefing"}],
}
PEOPLE = [
    {"login": "alice", "given_name": "Alice", "family_name": "Adler", "mail": "a@example.org", "kind": "researcher",
     "research_group": "neuro", "valid_until": "2099-12-31"},
    {"login": "bob", "given_name": "Bob", "family_name": "Baer", "mail": "b@example.org", "kind": "researcher",
     "research_group": "neuro", "valid_until": "2099-12-31"},
    {"login": "sam", "given_name": "Sam", "family_name": "Stein", "mail": "s@example.org", "kind": "staff"},
    {"login": "ida", "given_name": "Ida", "family_name": "Ivanova", "mail": "i@example.org", "kind": "it_admin"},
]  # fmt: skip
NOTED = {"recorded_by": "sam", "recorded_at": "2026-01-12"}
HELD = {"state": "held", **NOTED}
FACTS = {
    "sessions": [
        {"id": "s1", "requirement": "safety", "date": "2026-01-12", "by": "sam", "form": "oral", **HELD},
    ],
    "attendances": [{"id": "a1", "session": "s1", "person": "alice", "result": "attended", **NOTED}],
    "blocks": [{"id": "b1", "person": "bob", "from": "2026-02-01", "reason": "left", **NOTED}],
}


@pytest.fixture
def look_up(tmp_path):
    lookup_loader.add_directory(str(REPOSITORY / "lookup_plugins"))

    def look_up(facts, **policy):
        (tmp_path / "people.yml").write_text(yaml.safe_dump({"people": PEOPLE}))
        (tmp_path / "facts").mkdir(exist_ok=True)
        (tmp_path / "facts" / "2026.yml").write_text(yaml.safe_dump(facts))
        return lookup_loader.get("access").run([str(tmp_path)], {}, **{**POLICY, **policy})[0]

    return look_up


def test_a_briefing_opens_the_instrument_and_a_block_shuts_the_account(look_up):
    found = look_up(FACTS)
    assert "instrument-sted" in found["alice"]["directory"]["groups"]
    assert found["alice"]["ppms"] == {"known": True, "rights": {"A": [1], "D": []}}
    assert found["bob"]["directory"]["enabled"] is False
    assert "instrument-sted" not in found["sam"]["directory"]["groups"]
    assert found["ida"] == {
        "login": "ida", "untouched": True, "directory": None, "ppms": None, "omero": None, "share": None, "wiki": None,
    }  # fmt: skip


def test_an_inventory_that_demands_nothing_opens_everything_to_everybody(look_up):
    free = {key: value for key, value in INSTRUMENT.items() if key != "demands"}
    found = look_up({}, instruments=[free], requirements=[])
    assert all("instrument-sted" in found[login]["directory"]["groups"] for login in ("alice", "bob", "sam"))
    assert all(all(found[login]["directory"]["doors"].values()) for login in ("alice", "bob", "sam"))
    # What nobody decides about stays as somebody made it.
    assert all(found[login]["ppms"]["rights"] == {"A": [], "D": []} for login in ("alice", "bob", "sam"))


def test_a_fact_that_makes_no_sense_stops_the_playbook_with_file_and_cure(look_up):
    wrong = {**FACTS, "attendances": [{**FACTS["attendances"][0], "person": "alcie"}]}
    with pytest.raises(AnsibleError, match=r'2026\.yml.*"alcie".*did you mean "alice"'):
        look_up(wrong)


def test_the_wiki_s_page_comes_from_the_same_register(look_up, tmp_path):
    look_up(FACTS)
    (text,) = lookup_loader.get("upcoming").run([str(tmp_path)], {}, address="https://r/", **POLICY)
    assert text.startswith("====== What ends soon ======")
    assert "[[https://r/me/|My doors]]" in text
    with pytest.raises(AnsibleError):
        lookup_loader.get("upcoming").run([str(tmp_path)], {}, **{**POLICY, "time_zone": "Mars/Base"})

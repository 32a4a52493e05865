# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup plugin register: the same check as register_info, for variables."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from tests.conftest import REPOSITORY

INSTRUMENT = {
    "name": "sted",
    "title": "STED",
    "host": "mic1",
    "location": "Room 1",
    "biosafety": "none",
    "ppms_system_id": 1,
}
FACILITY = {
    "research_groups": [{"name": "neuro", "title": "Neurons"}],
    "instruments": [INSTRUMENT],
    "time_zone": "Europe/Berlin",
}
PERSON = """
people:
  - {login: alice, given_name: Alice, family_name: Adler, mail: alice@example.org, kind: researcher, research_group: %s,
     valid_until: 2099-12-31}
"""


@pytest.fixture
def look_up(tmp_path):
    lookup_loader.add_directory(str(REPOSITORY / "lookup_plugins"))

    def look_up(text):
        (tmp_path / "people.yml").write_text(text)
        return lookup_loader.get("register").run([str(tmp_path)], {}, **FACILITY)

    return look_up


def test_a_valid_register_is_returned(look_up):
    assert [person["login"] for person in look_up(PERSON % "neuro")[0]["people"]] == ["alice"]


def test_a_register_with_a_problem_is_refused_with_file_and_cure(look_up):
    with pytest.raises(AnsibleError, match=r"people\.yml.*research_group.*physics"):
        look_up(PERSON % "physics")

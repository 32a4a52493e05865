# SPDX-License-Identifier: GPL-3.0-or-later
"""How one scenario is started: what molecule is given, and what is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from testbed import fast, phases, prepared, rooms, scenario


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Start a scenario with a molecule that ends with this status; return the environment that molecule got."""
    monkeypatch.setattr(scenario, "BUILD", tmp_path)
    monkeypatch.setattr(phases, "BUILD", tmp_path)
    monkeypatch.setattr(prepared, "FOLDER", tmp_path / "prepared")
    # What this machine really keeps is none of a test's business.
    monkeypatch.setattr(prepared, "podman", lambda *_, **__: "")
    monkeypatch.setattr(scenario, "subprocess", SimpleNamespace(run=lambda *_, **__: None))
    monkeypatch.setenv("PYTEST_ADDOPTS", "--durations=3")
    for switch in (fast.SWITCH, prepared.SWITCH):
        monkeypatch.delenv(switch, raising=False)
    given = {}

    def run(command, environment, file, **more):
        given.update(environment, command=command, more=more)
        return given["status"]

    def started(name, status=0):
        given.clear()
        given["status"] = status
        monkeypatch.setattr("sys.argv", ["testbed.scenario", name])
        assert scenario.main() == status
        return given

    monkeypatch.setattr(phases, "run", run)
    return started


def test_molecule_is_given_the_strategy_and_where_to_note_what_it_used(start, capfd):
    given = start("controller")
    assert given["command"] == ["molecule", "test", "--scenario-name", "controller"]
    assert given["ANSIBLE_STRATEGY"] == "facility_fast"
    assert (Path(given["ANSIBLE_CALLBACK_PLUGINS"]) / "facility_used.py").is_file()
    assert given["FACILITY_USED"].endswith("scenario-controller.used")
    assert "--durations=3 --junit-xml=" in given["PYTEST_ADDOPTS"]
    assert given["more"] == {"strategy": "facility_fast", "hosts": "new"}
    assert capfd.readouterr().out == ""


def test_the_scenario_that_stays_with_ansible_alone_says_so(start, capfd):
    (name,) = fast.PLAIN
    given = start(name)
    assert "ANSIBLE_STRATEGY" not in given
    assert given["more"]["strategy"] == "linear"
    assert "Ansible's own strategy" in capfd.readouterr().out


def test_a_scenario_whose_hosts_are_kept_prepares_them_for_that(start):
    for name in prepared.SCENARIOS:
        assert Path(start(name)["FACILITY_PREPARE"]).name == "keep.yml"
    assert "FACILITY_PREPARE" not in start("controller")


def test_a_scenario_with_prepared_hosts_used_what_they_used(start, monkeypatch, capfd):
    state = prepared.State("m", {}, "i", {}, ["/x/roles/base"], 0.0)
    began = prepared.Start({"FACILITY_STATE": "s"}, "Hosts as they were", {}, state)
    monkeypatch.setattr(prepared, "start", lambda name: began)
    ended = []
    monkeypatch.setattr(prepared, "end", lambda *arguments: ended.append(arguments) or "forgotten")
    given = start("controller", status=3)
    assert Path(given["FACILITY_USED"]).read_text() == "/x/roles/base\n"
    assert given["FACILITY_STATE"] == "s"
    assert given["more"]["hosts"] == "prepared"
    assert ended == [("controller", began, 3)]
    assert capfd.readouterr().out == "Hosts as they were\nforgotten\n"


def test_an_earlier_run_s_notes_are_no_longer_there(start, monkeypatch):
    place = Path(start("controller")["FACILITY_USED"])
    place.write_text("/x/roles/gone\n")
    assert Path(start("controller")["FACILITY_USED"]).read_text() == ""


def test_an_unknown_scenario_names_those_that_are_known(monkeypatch, capfd):
    monkeypatch.setattr("sys.argv", ["testbed.scenario", "no-such"])
    assert scenario.main() == 2
    assert "controller" in capfd.readouterr().err


def test_the_playbooks_in_prepare_s_place_are_there():
    books = prepared.REPOSITORY / ".config/molecule"
    assert {"keep.yml", "restore.yml"} <= {path.name for path in books.iterdir()}
    assert "${FACILITY_PREPARE:-prepare.yml}" in (books / "config.yml").read_text()
    assert rooms.room(".config/molecule/keep.yml") == rooms.REST

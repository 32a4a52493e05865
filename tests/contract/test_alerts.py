# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarm rules ask for figures that somebody writes, and name runbooks that are there. promtool tests the rest."""

from __future__ import annotations

import re

import yaml

from facility.backup.client import metrics as client
from facility.backup.server import metrics as server
from facility.drive.settle import metrics as settle
from facility.host.check import metrics as host
from tests.conftest import REPOSITORY

FILES = sorted(REPOSITORY.glob("roles/*/files/alerts/*.rules.yml"))
WRITTEN = set(server.METRICS) | set(client.METRICS) | set(settle.METRICS) | set(host.METRICS)


def rules():
    return [rule for file in FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def test_rules_ask_only_for_figures_that_are_written():
    asked = {name for rule in rules() for name in re.findall(r"\b(?:backup|settle|host)_[a-z_]+", rule["expr"])}
    assert len({name.partition("_")[0] for name in asked}) == len(FILES)
    assert asked - WRITTEN == set()


def test_each_file_of_rules_has_its_tests():
    for file in FILES:
        test = REPOSITORY / "tests/alerts" / file.name.replace(".rules.", ".test.")
        assert str(file.relative_to(REPOSITORY)) in test.read_text()
        written = {rule["alert"] for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]}
        assert [name for name in sorted(written) if name not in test.read_text()] == []


def test_every_alarm_says_what_to_do_and_names_a_runbook_that_is_there():
    for rule in rules():
        told = rule["annotations"]
        assert told["summary"], rule["alert"]
        if rule["alert"] != "Watchdog":
            assert told["description"], rule["alert"]
            assert (REPOSITORY / told["runbook"]).is_file(), rule["alert"]


def test_runbooks_that_programs_name_are_there():
    programs = (REPOSITORY / "src").rglob("*.py")
    named = {name for file in programs for name in re.findall(r"docs/runbooks/[\w-]+\.md", file.read_text())}
    assert named
    assert [name for name in sorted(named) if not (REPOSITORY / name).is_file()] == []

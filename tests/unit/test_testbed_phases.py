# SPDX-License-Identifier: GPL-3.0-or-later
"""The times of a scenario's phases, read off what molecule prints."""

from __future__ import annotations

import itertools
import json
import os
import sys

import pytest

from testbed import phases

SAID = """\
INFO     wiki ➜ discovery: scenario test matrix: destroy, create, prepare, converge
INFO     wiki ➜ destroy: Executing
INFO     wiki ➜ destroy: Executed: Successful
\x1b[36mINFO    \x1b[0m \x1b[1mwiki\x1b[0m ➜ create: Executing\x1b[0m
  │ TASK [Say ➜ create: Executing]
INFO     wiki ➜ create: Executed: Successful
INFO     wiki ➜ verify: Executing
INFO     wiki ➜ verify: Executing Testinfra tests found in molecule/wiki/tests/...
INFO     wiki ➜ verify: Executed: Successful
INFO     wiki ➜ destroy: Executing
INFO     wiki ➜ destroy: Executed: Successful
DETAILS
wiki ➜ destroy: Executed: Successful
"""


def test_each_phase_has_its_seconds_and_two_destructions_are_added(capfd):
    seconds = phases.timed(SAID.splitlines(keepends=True), clock=itertools.count(step=5).__next__)
    assert seconds == {"destroy": 10, "create": 5, "verify": 5}
    assert capfd.readouterr().out == SAID


@pytest.mark.parametrize("last", ["wiki ➜ converge: Executing\n", "wiki ➜ converge: Executing\nkilled\n"])
def test_a_phase_that_was_cut_off_counts(last):
    assert phases.timed(last.splitlines(keepends=True), clock=iter([3.0, 10.0]).__next__) == {"converge": 7}


def test_the_status_of_molecule_is_handed_on_and_the_times_are_kept_also_of_a_failure(tmp_path, capfd):
    program = "print('wiki ➜ create: Executing'); print('wiki ➜ create: Executed: Failed'); raise SystemExit(3)"
    file = tmp_path / "phases.json"
    assert phases.run([sys.executable, "-c", program], os.environ, file, strategy="linear") == 3
    assert json.loads(file.read_text()) == {"strategy": "linear", "phases": {"create": phases.read(file)["create"]}}
    assert "Failed" in capfd.readouterr().out


def test_no_times_are_nothing(tmp_path):
    assert phases.read(tmp_path / "none.json") == {}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that `make test` does not run, for they take long, can at least be started."""

from __future__ import annotations

import importlib

import pytest

from tests.conftest import REPOSITORY

MODULES = [
    ".".join(file.relative_to(REPOSITORY).with_suffix("").parts)
    for folder in ("tests/bench", "tests/faults")
    for file in sorted((REPOSITORY / folder).glob("*.py"))
]


def test_there_are_commands_to_look_at():
    assert {"tests.bench.__main__", "tests.faults.__main__"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_what_a_command_of_the_makefile_runs_can_be_imported(module):
    importlib.import_module(module)

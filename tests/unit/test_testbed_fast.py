"""Scenarios over Mitogen: which ones, and that a host gets every module that another imports."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import ansible.executor.module_common
import ansible_mitogen.module_finder
import pytest

from testbed import fast
from testbed.paths import REPOSITORY
from tests.conftest import OnePackage

NAME = "ansible.module_utils.facility"
TREE = {
    "facility/__init__.py": "",
    "facility/core/__init__.py": "from . import words\n",
    "facility/core/words.py": "",
    "facility/core/plan.py": "from .words import WORD\n",
    "facility/core/late.py": "",
    "facility/backup/__init__.py": "",
    "facility/backup/choice.py": "from ..core.plan import plan\n",
    "facility/backup/server/__init__.py": "",
    "facility/backup/server/copy.py": "def copy():\n    from ...core import late\n",
    "facility/backup/server/whole.py": "from . import copy\nfrom .. import choice\n",
    "facility/other.py": "",
}


def load():
    path = REPOSITORY / "testbed/strategy/facility_fast.py"
    spec = importlib.util.spec_from_file_location("facility_fast", path)
    module = importlib.util.module_from_spec(spec)
    original = ansible_mitogen.module_finder.scan
    try:
        spec.loader.exec_module(module)
        module.installed, module.original = ansible_mitogen.module_finder.scan, original
    finally:
        ansible_mitogen.module_finder.scan = original
    return module


@pytest.fixture(scope="module")
def strategy():
    return load()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    # Whatever other tests have imported by this name would be found in the tree's place.
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if not isinstance(finder, OnePackage)])
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def found(scan, folder: Path, text: str) -> dict[str, tuple[str, bool]]:
    (module := folder / "try_it.py").write_text(text)
    builtin = ansible.executor.module_common._MODULE_UTILS_PATH
    entries = scan("ansible_module_try_it", str(module), (str(folder), builtin))
    return {name: (path, is_package) for name, path, is_package in entries if name.startswith(NAME)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"from {NAME}.core.plan import plan", {"", ".core", ".core.plan", ".core.words"}),
        (f"import {NAME}.core", {"", ".core", ".core.words"}),
        (
            f"from {NAME}.backup.choice import chosen",
            {"", ".backup", ".backup.choice", ".core", ".core.plan", ".core.words"},
        ),
        (
            f"from {NAME}.backup.server import whole",
            {
                "", ".backup", ".backup.choice", ".backup.server", ".backup.server.copy", ".backup.server.whole",
                ".core", ".core.late", ".core.plan", ".core.words",
            },
        ),
        (f"from {NAME} import other", {"", ".other"}),
    ],
)  # fmt: skip
def test_a_host_gets_each_module_that_is_imported_and_no_other(strategy, tree, text, wanted):
    entries = found(strategy.installed, tree, text)
    assert set(entries) == {f"{NAME}{name}" for name in wanted}
    for name, (path, is_package) in entries.items():
        place = tree.joinpath(*name.removeprefix("ansible.module_utils.").split("."))
        assert Path(path) == (place / "__init__.py" if is_package else place.with_suffix(".py"))


def test_what_comes_with_ansible_is_searched_once(strategy, tree):
    """A search of each of its files again would cost more than Mitogen saves: modules of services import a hundred."""
    searched = []

    def search(name, path, search_path):
        searched.append(name)
        return strategy.original(name, path, search_path)

    builtin = ansible.executor.module_common._MODULE_UTILS_PATH
    (module := tree / "try_it.py").write_text(f"from ansible.module_utils import service\nimport {NAME}.other")
    search_path = (str(tree), str(Path(builtin).resolve()), builtin)
    found = strategy.completed(search)("ansible_module_try_it", str(module), search_path)
    assert len(found) > 2
    assert set(searched) == {"ansible_module_try_it", NAME, f"{NAME}.other"}


def test_the_trap_in_mitogen_is_still_there(strategy, tree):
    """When this fails, Mitogen follows relative imports itself, and testbed/strategy can go."""
    assert f"{NAME}.core.words" not in found(strategy.original, tree, f"from {NAME}.core.plan import plan")


def test_a_run_may_use_all_processors():
    """Mitogen would bind what it starts to some of them, and what those start, too."""
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import facility_fast, ansible_mitogen.affinity as a;"
        "before = os.sched_getaffinity(0);"
        "a.policy.assign_controller(); a.policy.assign_muxprocess(0); a.policy.assign_worker(); "
        "a.policy.assign_subprocess(); sys.exit(os.sched_getaffinity(0) != before)"
    )
    subprocess.run([sys.executable, "-c", program, REPOSITORY / "testbed/strategy"], check=True)


def test_all_but_one_scenario_are_fast():
    for name in sorted(path.parent.name for path in (REPOSITORY / "molecule").glob("*/molecule.yml")):
        extra, why = fast.strategy(name, {})
        assert bool(extra) != (name in fast.PLAIN), name
        assert bool(why) == (name in fast.PLAIN), name
    assert len(fast.PLAIN) == 1


def test_ansible_finds_the_strategy_where_the_environment_says_it_is():
    extra, _ = fast.strategy("wiki", {})
    assert (Path(extra["ANSIBLE_STRATEGY_PLUGINS"]) / f"{extra['ANSIBLE_STRATEGY']}.py").is_file()


def test_one_variable_turns_it_off():
    extra, why = fast.strategy("wiki", {"FACILITY_FAST": "0"})
    assert not extra
    assert "FACILITY_FAST=0" in why


@pytest.mark.parametrize("version", ["", "0.3.53"])
def test_without_the_pinned_mitogen_ansible_plays_alone_and_says_so(monkeypatch, version):
    monkeypatch.setattr(fast, "available", lambda: version)
    extra, why = fast.strategy("wiki", {})
    assert not extra
    assert "\n" not in why
    assert fast.pinned() in why
    assert (version or "none") in why


def test_the_environment_has_the_pinned_mitogen():
    assert fast.available() == fast.pinned()

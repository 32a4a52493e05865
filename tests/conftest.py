# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the repository importable, for modules of library/ as Ansible does it: src/ is ansible.module_utils."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from ansible.module_utils.testing import patch_module_args

from tests.register_site import browser, empty_site, site  # noqa: F401 - fixtures

REPOSITORY = Path(__file__).parents[1]
sys.path.append(str(REPOSITORY))

# How long an example takes says what else the machine is doing.
hypothesis.settings.register_profile("facility", deadline=None)
hypothesis.settings.load_profile("facility")


class OnePackage(MetaPathFinder, Loader):
    """Gives modules of library/ for ansible.module_utils.facility.x the very module facility.x that tests import.

    Two modules from one file would have two exception types of one name, and a test would patch the wrong one.
    """

    PREFIX = "ansible.module_utils."

    def __init__(self) -> None:
        self.specs: dict[str, ModuleSpec | None] = {}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        ours = f"{fullname}.".startswith(f"{self.PREFIX}facility.")
        return importlib.util.spec_from_loader(fullname, self) if ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.name.removeprefix(self.PREFIX))
        self.specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run, and importlib has just written the other name into it.
        module.__spec__ = self.specs[f"{self.PREFIX}{module.__name__}"]


sys.meta_path.insert(0, OnePackage())


def load(path: Path) -> ModuleType:
    """A Python file that is no part of a package: a module of library/ or a filter plugin."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader, f"{path} can't be imported: give it the ending .py"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def filters() -> ModuleType:
    """filter_plugins/facility.py."""
    return load(REPOSITORY / "filter_plugins" / "facility.py")


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a module of library/ as Ansible does: arguments checked against its spec, the result as JSON."""

    def run(name: str, arguments: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
        capsys.readouterr()
        with patch_module_args({**arguments, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            load(REPOSITORY / "library" / f"{name}.py").main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An Active Directory in memory, which the directory modules of this test reach instead of a server."""
    from facility.directory import port
    from tests.fake_directory import FakeDirectory

    fake = FakeDirectory()

    @contextlib.contextmanager
    def opened(server: Any) -> Iterator[FakeDirectory]:
        server.refuse_unsafe()
        yield fake

    monkeypatch.setattr(port, "open_directory", opened)
    yield fake

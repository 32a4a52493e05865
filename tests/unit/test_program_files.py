# SPDX-License-Identifier: GPL-3.0-or-later
"""A program's files are found from its package's name; what its host would not have is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facility.core.program_files import DEPENDENCIES, LOADED, ProgramFilesError, program_files
from facility.core.python_program import install
from tests.conftest import REPOSITORY

SOURCES = REPOSITORY / "src"
PROGRAM = "facility.lamp.timer"


@pytest.fixture
def found(tmp_path):
    """The program's files, when its __main__ and other files have these texts."""

    def found(main: str, allowed: dict[str, str] | None = None, **others: str) -> dict[str, str]:
        for name, text in {"facility/lamp/timer/__main__.py": main, **others}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            for folder in path.relative_to(tmp_path).parents:
                (tmp_path / folder / "__init__.py").touch()
        return program_files(PROGRAM, tmp_path, {PROGRAM: allowed or {}})

    return found


CORE = {"facility/core/clock.py": "NOW = 1\n", "facility/core/colour.py": "RED = 1\n"}
LAMP = {"facility/lamp/bulb.py": "", "facility/lamp/timer/hour.py": ""}
ALWAYS = {"facility/__init__.py", "facility/lamp/__init__.py", "facility/lamp/timer/__init__.py"}


@pytest.mark.parametrize(
    ("main", "more"),
    [
        ("", set()),
        ("import os.path\nfrom collections.abc import Mapping\nfrom __future__ import annotations", set()),
        ("from ...core.clock import NOW", {"core/__init__.py", "core/clock.py"}),
        ("from ...core import clock, colour", {"core/__init__.py", "core/clock.py", "core/colour.py"}),
        ("from facility.core.clock import NOW", {"core/__init__.py", "core/clock.py"}),
        ("import facility.core.clock", {"core/__init__.py", "core/clock.py"}),
        ("def late():\n    from ..bulb import x", {"lamp/bulb.py"}),
        ("import importlib\nimportlib.import_module('facility.lamp.bulb')", {"lamp/bulb.py"}),
        ("from .. import bulb", {"lamp/bulb.py"}),
    ],
)
def test_the_program_s_own_files_are_there_and_what_they_import_and_nothing_else(found, main, more):
    wanted = {*ALWAYS, "facility/lamp/timer/__main__.py", "facility/lamp/timer/hour.py"}
    assert set(found(main, **CORE, **LAMP)) == wanted | {f"facility/{name}" for name in more}


def test_imports_are_followed_through_other_files(found):
    files = found("from ..bulb import x", **CORE, **{"facility/lamp/bulb.py": "from ..core import clock"})
    assert files["facility/core/clock.py"] == "NOW = 1\n"
    assert "facility/core/colour.py" not in files


@pytest.mark.parametrize(
    ("main", "words"),
    [
        ("import requests", "timer/__main__.py, line 1 imports requests, which its host doesn't have"),
        ("x = 1\nfrom ansible.module_utils.basic import AnsibleModule", "line 2 imports ansible"),
        ("def late():\n    import yaml", "line 2 imports yaml.*declared: psycopg2"),
        ("import importlib\nimportlib.import_module('yaml')", "line 2 imports yaml"),
        ("import importlib\nname = 'os'\nimportlib.import_module(name)", "line 3: write the imported module's name"),
        ("from ...core.clok import NOW", "facility.core.clok is imported, and neither"),
    ],
)
def test_what_the_host_would_not_have_is_refused(found, main, words):
    with pytest.raises(ProgramFilesError, match=words):
        found(main, {"psycopg2": "python3-psycopg2"}, **CORE)


def test_a_declared_package_may_be_imported(found):
    assert found("import psycopg2.extras", {"psycopg2": "python3-psycopg2"})


@pytest.mark.parametrize(
    ("package", "words"),
    [("facility.lamp", "no program of the facility: facility.lamp.timer"), (PROGRAM, "no __main__.py")],
)
def test_what_is_no_program_is_refused(tmp_path, package, words):
    with pytest.raises(ProgramFilesError, match=words):
        program_files(package, tmp_path, {PROGRAM: {}})


def test_modules_of_packages_below_and_pages_come_along(found):
    below = {
        "facility/lamp/timer/views/page.py": "from ....core import clock",
        "facility/lamp/timer/pages/a.html": "<p>",
        "facility/lamp/timer/pages/a.css": "p {}",
        "facility/lamp/timer/notes.txt": "",
        "facility/lamp/b.html": "",
    }
    files = found("", **CORE, **below)
    more = {"core/__init__.py", "core/clock.py", "lamp/timer/views/__init__.py", "lamp/timer/views/page.py",
            "lamp/timer/pages/a.html", "lamp/timer/pages/a.css", "lamp/timer/pages/__init__.py"}  # fmt: skip
    assert set(files) == {*ALWAYS, "facility/lamp/timer/__main__.py", *(f"facility/{name}" for name in more)}
    assert files["facility/lamp/timer/pages/a.css"] == "p {}"


# Each has --help, but the register, where Django reads its settings first, and what is no command.
@pytest.mark.parametrize("package", sorted(set(DEPENDENCIES) - LOADED - {"facility.register"}))
def test_a_program_runs_from_its_files_alone_with_debian_s_python(tmp_path, package):
    install(tmp_path / "lib", program_files(package, SOURCES), check_mode=False)
    done = subprocess.run(
        ["/usr/bin/python3", "-m", package, "--help"], cwd="/", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "usage: " in done.stdout
    assert not list(Path(tmp_path).rglob("__pycache__"))


def test_the_register_runs_from_its_files_alone_with_its_libraries(tmp_path):
    install(tmp_path / "lib", program_files("facility.register", SOURCES), check_mode=False)
    (tmp_path / "key").write_text("k" * 50)
    files = {"database": "db", "policy_file": "policy.json", "secret_key_file": "key", "export_token_file": "token"}
    settings = "".join(f'{name} = "{tmp_path / file}"\n' for name, file in files.items())
    (tmp_path / "register.toml").write_text('hosts = ["register1.example.org"]\n' + settings)
    done = subprocess.run(
        [sys.executable, "-m", "facility.register", "help"], cwd="/", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib"), "PYTHONDONTWRITEBYTECODE": "1",
             "FACILITY_REGISTER": str(tmp_path / "register.toml")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"audit", "decide", "read_in", "write_out"} < set(done.stdout.split())

# SPDX-License-Identifier: GPL-3.0-or-later
"""src/facility keeps its walls: subjects apart, hosts' programs on what hosts have, every line typed and in one place.

Each rule is a function that gives the faults, so that it is tried on a counter-example, too.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from facility.core.program_files import DEPENDENCIES, LOADED, ON_CONTROLLER, ProgramFilesError, imported, program_files
from tests.conftest import REPOSITORY

SOURCES = REPOSITORY / "src"
FILES = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in sorted(SOURCES.rglob("*.py"))}
SHARED = ("core", "people")
# They belong to nothing that runs for a facility, and use libraries that have no types.
TESTS = ("tests/", "molecule/", ".config/molecule/")
MOST_LINES = 400

every_program = pytest.mark.parametrize("program", sorted(DEPENDENCIES))


def crossings(files: Mapping[str, str]) -> list[str]:
    """Imports from one subject into another; core imports nothing but core, people nothing but core and people."""
    found = []
    for name, text in files.items():
        subject = name.split("/")[1]
        allowed = {"core": {"core"}, "people": set(SHARED)}.get(subject, {subject, *SHARED})
        for line, target in imported(name, text):
            parts = target.split(".")
            if parts[0] == "facility" and (len(parts) < 2 or parts[1] not in allowed):
                found.append(f"{name}, line {line} imports {target}")
    return found


def loaded_packages(files: Mapping[str, str]) -> list[str]:
    """Packages whose __init__.py imports something, which Ansible would send along with each of their modules."""
    return [name for name, text in files.items() if name.endswith("__init__.py") and list(imported(name, text))]


def absolute_imports(files: Mapping[str, str]) -> list[str]:
    """Imports of the facility by its whole name: Ansible knows the package by another, and only relative ones hold."""
    return [
        f"{name}, line {node.lineno}"
        for name, text in files.items()
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("facility"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("facility") for alias in node.names))
    ]


def long_files(files: Mapping[str, str]) -> list[str]:
    return [name for name, text in files.items() if text.count("\n") >= MOST_LINES]


def untyped(files: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """Python files that mypy --strict doesn't see; of those that belong to the product."""
    if settings.get("strict") is not True:
        return list(files)
    loose = {"ignore_errors", "disable_error_code", "allow_untyped_defs", "disallow_untyped_defs"}
    loosened = [f"override {one['module']}" for one in settings.get("overrides", []) if loose & set(one)]
    excluded = [re.compile(pattern) for pattern in settings.get("exclude", [])]
    # OMERO's stand-in is written against a library without types; pyproject.toml says so.
    excluded = [pattern for pattern in excluded if pattern.pattern != "^testbed/standins/omero/archive/"]
    seen = tuple(f"{folder}/" for folder in settings["files"])
    return loosened + [
        file for file in files if not file.startswith(seen) or any(pattern.search(file) for pattern in excluded)
    ]


def python_files() -> list[str]:
    """Every file of the product that is Python, by its ending or its first line."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [file for file in listed if not file.startswith(TESTS) and is_python(REPOSITORY / file)]


def is_python(path: Path) -> bool:
    if path.suffix == ".py":
        return path.is_file()
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as file:
        return bool(re.match(rb"#!.*\bpython", file.readline()))


def test_subjects_do_not_import_each_other():
    assert FILES
    assert crossings(FILES) == [], "move what both need to core, or hand over values"


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        ("facility/drive/a.py", "from ..core.plan import Plan\nfrom ..people import register\nfrom . import b", 0),
        ("facility/drive/settle/a.py", "from ...core import plan\nfrom ..folders import x", 0),
        ("facility/drive/a.py", "from ..omero.files import x", 1),
        ("facility/drive/settle/a.py", "def late():\n    from ...backup import restic", 1),
        ("facility/drive/a.py", "import importlib\nimportlib.import_module('facility.omero.files')", 1),
        ("facility/core/a.py", "from ..people import register", 1),
        ("facility/people/a.py", "from ..drive import folders", 1),
        ("facility/drive/a.py", "import facility", 1),
    ],
)
def test_an_import_across_subjects_is_found(name, text, faults):
    assert len(crossings({name: text})) == faults


def test_packages_import_nothing():
    assert loaded_packages(FILES) == [], "import from the module that has it"
    assert loaded_packages({"facility/drive/__init__.py": "from .folders import x", "facility/a.py": "import os"})


def test_the_package_imports_itself_relatively():
    assert absolute_imports(FILES) == []
    assert (
        len(absolute_imports({"facility/a.py": "from facility.core import b\nimport facility.core.c\nimport os"})) == 2
    )


def test_files_are_small():
    assert long_files(FILES) == [], "split them"
    assert long_files({"facility/a.py": "\n" * MOST_LINES, "facility/b.py": "\n" * (MOST_LINES - 1)}) == [
        "facility/a.py"
    ]


def test_every_line_of_python_is_typed():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["mypy"]
    files = [file for file in python_files() if not file.startswith("testbed/standins/omero/archive/")]
    assert len(files) > len(FILES)
    assert untyped(files, settings) == [], "Python lies in src, library, filter_plugins, doc_fragments or testbed"


@pytest.mark.parametrize(
    ("file", "settings"),
    [
        ("roles/wiki/files/page.py", {}),
        ("roles/wiki/files/make-page", {}),
        ("src/facility/core/plan.py", {"strict": False}),
        ("src/facility/core/plan.py", {"exclude": ["core"]}),
        ("src/facility/core/plan.py", {"overrides": [{"module": ["facility.core"], "ignore_errors": True}]}),
    ],
)
def test_python_that_nobody_checks_is_found(file, settings):
    good = {"strict": True, "files": ["src", "library"]}
    assert untyped(["src/facility/core/plan.py", "library/a.py"], good) == []
    assert len(untyped([file], {**good, **settings})) == 1


def test_python_is_known_by_its_ending_or_its_first_line(tmp_path):
    texts = {"a.py": "", "b": "#!/usr/bin/env python3\n", "c": "#!/bin/sh\n# python\n", "d.txt": "#!/usr/bin/python3\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert [name for name in texts if is_python(tmp_path / name)] == ["a.py", "b"]


def test_every_package_that_can_be_run_is_a_declared_program():
    runnable = {name.removesuffix("/__main__.py").replace("/", ".") for name in FILES if name.endswith("/__main__.py")}
    assert runnable == {*DEPENDENCIES, *ON_CONTROLLER} - LOADED, "bring core/program_files.py and src together"


@every_program
def test_a_program_imports_what_its_host_has_and_all_that_is_declared_is_used(program):
    files = program_files(program, SOURCES)
    modules = {name: text for name, text in files.items() if name.endswith(".py")}
    used = {target.split(".")[0] for name, text in modules.items() for _, target in imported(name, text)}
    assert set(DEPENDENCIES[program]) - used == set(), "take out of core/program_files.py what is no longer imported"


@pytest.mark.parametrize("line", ["import yaml", "from ansible.module_utils.basic import x", "import requests.auth"])
def test_a_program_that_imports_what_its_host_lacks_is_found(tmp_path, line):
    for name, text in {**program_files("facility.drive.settle", SOURCES), "facility/core/settings.py": line}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(ProgramFilesError, match=r"core/settings\.py, line 1 imports"):
        program_files("facility.drive.settle", tmp_path)


@pytest.mark.parametrize("program", sorted(ON_CONTROLLER))
def test_a_command_of_the_controller_imports_what_the_lock_brings_and_no_role_brings_it_to_a_host(program):
    assert program not in DEPENDENCIES
    assert roles_of(program) == []
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {entry.partition("==")[0].partition("[")[0].lower() for entry in listed}
    locked |= {name.replace("-", "_") for name in locked}
    known = {"facility", *sys.stdlib_module_names, *locked, *({"yaml"} if "pyyaml" in locked else ())}
    folder = program.replace(".", "/")
    used = {target.split(".")[0] for name, text in FILES.items() if name.startswith(folder)
            for _, target in imported(name, text)}  # fmt: skip
    assert used - known == set(), "pin it in pyproject.toml and make lock"


def roles_of(program: str) -> list[Path]:
    """The roles that install a program."""
    call = re.compile(rf"'{re.escape(program)}' *\| *program_files")
    return [role for role in (REPOSITORY / "roles").iterdir() if call.search(text_of(role))]


def text_of(role: Path) -> str:
    files = [path for ending in ("yml", "lock") for path in sorted(role.rglob(f"*.{ending}"))]
    return "\n".join(path.read_text() for path in files)


@every_program
def test_the_role_of_a_program_installs_what_it_imports(program):
    roles = roles_of(program)
    assert len(roles) == 1, f"one role brings {program}"
    missing = [package for package in DEPENDENCIES[program].values() if package not in text_of(roles[0])]
    assert missing == [], f"let role {roles[0].name} install them"


REGISTER = "facility.register"
LIBRARIES = {"django", "django_auth_ldap", "ldap", "gunicorn", "icalendar", "openpyxl"}


# It is loaded by OMERO.web, which is made with Django, too.
WITH_OMERO_WEB = {"facility/omero/web_limits.py"}


def foreign_libraries(files: Mapping[str, str]) -> list[str]:
    """Imports of what the register's own environment alone has, in what isn't the register's."""
    return [
        f"{name}, line {line} imports {target}"
        for name, text in files.items()
        if not name.startswith("facility/register/") and name not in WITH_OMERO_WEB
        for line, target in imported(name, text)
        if target.split(".")[0] in LIBRARIES
    ]


def test_the_register_alone_imports_its_libraries():
    # The port to the directory runs on the controller, where requirements.lock has ldap.
    files = {name: text for name, text in FILES.items() if not name.startswith("facility/directory/")}
    assert foreign_libraries(files) == []
    assert foreign_libraries({"facility/people/a.py": "def late():\n    from django.db import models"})
    assert foreign_libraries({"facility/register/a.py": "import django"}) == []


def test_the_register_s_libraries_are_locked_with_hashes():
    lock = (REPOSITORY / "roles/register/files/requirements.lock").read_text()
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==\S+ \\$\n    --hash=sha256:", lock))
    assert locked == set(re.findall(r"(?m)^([a-z0-9-]+)==", lock))
    wanted = {package for package in DEPENDENCIES[REGISTER].values() if not package.startswith("python3-")}
    assert wanted - locked == set(), "make lock"
    assert {"python-ldap", "pyasn1", "pyasn1-modules"} & locked == set(), "they are Debian's"


def test_a_program_that_no_role_brings_is_found():
    assert roles_of("facility.lamp.timer") == []

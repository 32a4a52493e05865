# SPDX-License-Identifier: GPL-3.0-or-later
"""A program's files, found from the name of its package: its own modules, and all that they import of the facility.

This runs on the controller. A host has Debian's Python and nothing else, so an import of anything that is neither in
the standard library nor declared in DEPENDENCIES is refused here, before a file is sent. Templates, style sheets and
translations in the program's package go with it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .python_program import KINDS, MODULE

DEPENDENCIES: Mapping[str, Mapping[str, str]] = {
    "facility.backup.client": {"psycopg2": "python3-psycopg2"},
    "facility.backup.server": {},
    "facility.drive.settle": {},
    "facility.host.check": {},
    "facility.host.restarts": {},
    # It runs in OMERO's virtual environment.
    "facility.omero.dropbox_monitor": {"omero": "omero-py", "Ice": "zeroc-ice", "Glacier2": "zeroc-ice"},
    # OMERO.web loads it as middleware, in its virtual environment.
    "facility.omero.web_limits": {"django": "omero-web"},
    # It has a virtual environment of its own, from roles/register/files/requirements.lock, beside Debian's packages.
    "facility.register": {
        "django": "django",
        "django_auth_ldap": "django-auth-ldap",
        "icalendar": "icalendar",
        "ldap": "python3-ldap",
        "openpyxl": "openpyxl",
        "rich": "rich",
        "typer": "typer",
        "yaml": "python3-yaml",
    },
}
"""The programs, and what each may import besides: module -> the package that the program's role installs."""

LOADED = frozenset({"facility.omero.web_limits"})
"""Modules among them that are no commands: another's program loads them."""

ON_CONTROLLER = frozenset({"facility.people", "facility.reconcile"})
"""Commands that no role brings anywhere: they run in the checkout, with the libraries of requirements.lock."""


class ProgramFilesError(Exception):
    """A program can't be put together; the message names the file and the cure."""


def program_files(
    package: str, sources: Path, dependencies: Mapping[str, Mapping[str, str]] = DEPENDENCIES
) -> dict[str, str]:
    """All files that a program needs on its host.

    Args:
        package: The program's package, as facility.drive.settle.
        sources: The folder in which the package facility lies.
        dependencies: For each program, what it may import besides: module -> package that brings it.

    Returns:
        The text of each file by its path below sources, as facility/drive/settle/engine.py.

    Raises:
        ProgramFilesError: for an unknown program, a module that isn't there, or an import that the host would not have.
    """
    if package not in dependencies:
        raise ProgramFilesError(f"{package} is no program of the facility: {', '.join(sorted(dependencies))}")
    folder = sources.joinpath(*package.split("."))
    if package not in LOADED and not (folder / "__main__.py").is_file():
        raise ProgramFilesError(f"{package} has no __main__.py in {folder}: name a package that can be run")
    files = {
        path.relative_to(sources).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in KINDS and path.suffix != MODULE
    }
    waiting = [package, *sorted(_module(path, sources) for path in folder.rglob(f"*{MODULE}"))]
    while waiting:
        path = _file(waiting.pop(), sources)
        name = path.relative_to(sources).as_posix()
        if name in files:
            continue
        files[name] = path.read_text(encoding="utf-8")
        waiting += _followed(name, files[name], sources, dependencies[package])
    return dict(sorted(files.items()))


def imported(name: str, text: str) -> Iterator[tuple[int, str]]:
    """What a module of the facility imports, wherever in it: (line, absolute name).

    Of ``from a import b`` it gives a.b; a relative import is made absolute; ``import_module("a.b")`` counts as well.

    Args:
        name: The file's path below the sources, as facility/core/plan.py.
        text: The file's content.

    Raises:
        ProgramFilesError: when import_module is called with a name that isn't written there.
    """
    parents = name.split("/")[:-1]
    for node in ast.walk(ast.parse(text, name)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{whole}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node.func) in {"import_module", "__import__"}:
            if not node.args or not isinstance(node.args[0], ast.Constant) or not isinstance(node.args[0].value, str):
                raise ProgramFilesError(f"{name}, line {node.lineno}: write the imported module's name as a text")
            yield node.lineno, node.args[0].value


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _followed(name: str, text: str, sources: Path, allowed: Mapping[str, str]) -> Iterator[str]:
    """The facility's modules that a file needs: the packages that it lies in, and what it imports."""
    parts = name.split("/")[:-1]
    yield from (".".join(parts[: depth + 1]) for depth in range(len(parts)))
    for line, target in imported(name, text):
        top = target.split(".")[0]
        if top == "facility":
            # The last part may be a name in a module; a misspelt module is refused when its file is looked for.
            yield target if _exists(target, sources) else target.rpartition(".")[0]
        elif top not in sys.stdlib_module_names and top not in allowed:
            also = ", ".join(sorted(allowed)) or "nothing else"
            raise ProgramFilesError(
                f"{name}, line {line} imports {top}, which its host doesn't have: use the standard library, or declare"
                f" the package in core/program_files.py and install it in the role (declared: {also})"
            )


def _exists(module: str, sources: Path) -> bool:
    path = sources.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _module(path: Path, sources: Path) -> str:
    parts = path.relative_to(sources).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _file(module: str, sources: Path) -> Path:
    path = sources.joinpath(*module.split("."))
    for found in (path / "__init__.py", path.with_suffix(".py")):
        if found.is_file():
            return found
    raise ProgramFilesError(f"{module} is imported, and neither {path}.py nor {path / '__init__.py'} is there")

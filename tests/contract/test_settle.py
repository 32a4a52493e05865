# SPDX-License-Identifier: GPL-3.0-or-later
"""A waiting set of settle has one writer: waiting.py assigns its fields, incoming.py alone calls what changes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.conftest import REPOSITORY

SETTLE = REPOSITORY / "src/facility/drive/settle"
FILES = {path.name: path.read_text() for path in sorted(SETTLE.rglob("*.py"))}
OWNER, CALLER = "waiting.py", "incoming.py"
MUTATORS = {"add", "clear", "difference_update", "discard", "intersection_update", "pop", "remove", "update"}


def waiting_set(text: str) -> ast.ClassDef:
    """The class of a waiting set."""
    return next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == "Waiting")


def fields(text: str) -> set[str]:
    return {
        node.target.id
        for node in waiting_set(text).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def changing_methods(text: str) -> set[str]:
    """The methods that assign a field of their own set, or change what is in it."""
    names = fields(text)
    return {
        method.name
        for method in waiting_set(text).body
        if isinstance(method, ast.FunctionDef) and any(changed(method, names))
    }


def changed(tree: ast.AST, names: set[str]) -> Iterator[ast.Attribute]:
    """Each attribute of one of these names that is assigned, deleted, or changed by a method of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del) and node.attr in names:
            yield node
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in MUTATORS
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr in names
        ):
            yield node.func.value


def of_self(node: ast.Attribute) -> bool:
    """Whether an object's own attribute is meant, which in another file is none of a waiting set's."""
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def writers(files: Mapping[str, str]) -> list[str]:
    """Where a waiting set is changed by somebody else, also by setattr, which hides the field's name."""
    names, methods = fields(files[OWNER]), changing_methods(files[OWNER])
    found = []
    for file, text in files.items():
        if file == OWNER:
            continue
        tree = ast.parse(text)
        found += [
            f"{file}, line {node.lineno} changes .{node.attr}" for node in changed(tree, names) if not of_self(node)
        ]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"setattr", "__setattr__"}:
                found.append(f"{file}, line {node.lineno} calls {node.func.attr}")
            if isinstance(node.func, ast.Name) and node.func.id in {"setattr", "delattr"}:
                found.append(f"{file}, line {node.lineno} calls {node.func.id}")
            if file != CALLER and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
                found.append(f"{file}, line {node.lineno} calls .{node.func.attr}()")
    return found


def test_nobody_but_its_owner_changes_a_waiting_set():
    assert len(fields(FILES[OWNER])) > 5 and len(changing_methods(FILES[OWNER])) > 5
    assert writers(FILES) == [], "let incoming.py have a method that says what happened"


def test_all_that_changes_a_waiting_set_is_used():
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(FILES[CALLER]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert changing_methods(FILES[OWNER]) - called == set(), "remove it"


@pytest.mark.parametrize(
    "line",
    [
        "waiting.claimed = True",
        "self.waiting.pause += 1",
        "first, waiting.event = 1, 2",
        "for waiting.event in times: pass",
        "del waiting.cause",
        "waiting.items.add('a.tif')",
        "waiting.items |= {'a.tif'}",
        "setattr(waiting, 'gone', True)",
        "object.__setattr__(waiting, 'gone', True)",
    ],
)
@pytest.mark.parametrize("file", ["engine.py", CALLER])
def test_a_second_writer_is_found(file, line):
    assert len(writers({**FILES, file: f"{FILES[file]}\n{line}\n"})) == 1


def test_a_change_that_does_not_come_from_incoming_is_found():
    for method in changing_methods(FILES[OWNER]):
        assert writers({**FILES, "review.py": f"waiting.{method}(1)"}) == [f"review.py, line 1 calls .{method}()"]
        assert writers({**FILES, CALLER: f"waiting.{method}(1)"}) == []


@pytest.mark.parametrize(
    "line",
    ["self.gone = 1", "print(waiting.claimed, waiting.names)", "waiting = None", "report.items()", "found.add(1)"],
)
def test_reading_a_waiting_set_is_no_change(line):
    assert writers({**FILES, "engine.py": line}) == []

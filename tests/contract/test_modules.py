# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module of library/ does what its documentation says, and is small."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY, load

MODULES = sorted((REPOSITORY / "library").glob("*.py"))
PROGRAM_FOLDERS = ("library", "src", "filter_plugins", "testbed", "reconcile", "tests", "molecule")
MOST_LINES = 400
MOST_LINES_OF_MAIN = 25
# What an option that says nothing about it means.
DEFAULTS = {"type": "str", "required": False, "default": None, "choices": None, "elements": None}

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


class Told(Exception):  # noqa: N818 - not an error, but the way out of main()
    """Carries what main() told AnsibleModule."""


def told_to_ansible(path: Path) -> dict[str, Any]:
    module = load(path)

    def stop(**arguments: Any) -> None:
        raise Told(arguments)

    assert hasattr(module, "AnsibleModule"), f"{path.name} must import AnsibleModule by name"
    module.AnsibleModule = stop
    with pytest.raises(Told) as told:
        module.main()
    arguments: dict[str, Any] = told.value.args[0]
    return arguments


def documented(path: Path, name: str) -> Any:
    text = getattr(load(path), name, None)
    assert text, f"{path.name} has no {name}: write it above the imports"
    told = yaml.safe_load(text)
    if name == "DOCUMENTATION":
        for fragment in told.get("extends_documentation_fragment", []):
            shared = load(REPOSITORY / "doc_fragments" / f"{fragment}.py").ModuleDocFragment.DOCUMENTATION
            told["options"] = {**yaml.safe_load(shared)["options"], **told.get("options", {})}
    return told


def shapes(options: dict[str, Any], inner: str, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Every option with its dotted name, whether it comes from the documentation or the argument spec."""
    found: dict[str, dict[str, Any]] = {}
    for name, option in (options or {}).items():
        found[prefix + name] = {key: option.get(key, default) for key, default in DEFAULTS.items()}
        found.update(shapes(option.get(inner) or {}, inner, f"{prefix}{name}."))
    return found


def test_there_are_modules_to_check():
    assert MODULES, "library/ is empty: these tests would prove nothing"


@every_module
def test_the_documented_options_are_the_argument_spec(path):
    in_code = shapes(told_to_ansible(path)["argument_spec"], "options")
    in_words = shapes(documented(path, "DOCUMENTATION")["options"], "suboptions")
    assert in_words == in_code, f"{path.name}: bring DOCUMENTATION and the argument spec together"


@every_module
def test_every_option_and_return_value_is_described(path):
    documentation = documented(path, "DOCUMENTATION")
    assert documentation["module"] == path.stem, f"{path.name}: set module: {path.stem}"
    assert documentation["short_description"], f"{path.name} needs a short_description"
    assert "check_mode" in documentation["attributes"], f"{path.name} must say what it does in check mode"
    # A comma in an unquoted text between braces would cut it and make a key of the rest.
    assert all(set(value) == {"support", "description"} for value in documentation["attributes"].values())

    def undescribed(options, inner):
        for name, option in (options or {}).items():
            if not option.get("description"):
                yield name
            yield from undescribed(option.get(inner), inner)

    assert list(undescribed(documentation["options"], "suboptions")) == []
    returned = documented(path, "RETURN")
    assert [name for name, value in returned.items() if not {"description", "returned", "type"} <= set(value)] == []


@every_module
def test_the_examples_use_options_that_exist(path):
    spec = told_to_ansible(path)["argument_spec"]
    tasks = [task for task in documented(path, "EXAMPLES") if path.stem in task]
    assert tasks, f"{path.name}: EXAMPLES must use {path.stem}"
    for task in tasks:
        unknown = set(task[path.stem] or {}) - set(spec)
        assert not unknown, f"{path.name}: an example uses unknown options {sorted(unknown)}"
        missing = {name for name, option in spec.items() if option.get("required")} - set(task[path.stem] or {})
        assert not missing, f"{path.name}: an example lacks required options {sorted(missing)}"
        assert task.get("name"), f"{path.name}: give every example's task a name"


@every_module
def test_every_module_can_be_asked_without_changing_anything(path):
    assert told_to_ansible(path).get("supports_check_mode") is True, f"{path.name}: support check mode"


@every_module
def test_options_that_hold_passwords_are_not_logged(path):
    def loose(options, prefix=""):
        for name, option in options.items():
            # An option with choices, such as update_password, holds no secret.
            secret = name.endswith(("password", "secret", "token", "api_key")) and "choices" not in option
            if secret and option.get("no_log") is not True:
                yield prefix + name
            yield from loose(option.get("options") or {}, f"{prefix}{name}.")

    assert list(loose(told_to_ansible(path)["argument_spec"])) == [], f"{path.name}: set no_log: True"


def ends_the_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"exit_json", "fail_json"}


@every_module
def test_main_is_short_and_alone_ends_the_module(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mains = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    assert len(mains) == 1, f"{path.name} needs one main()"
    lines = (mains[0].end_lineno or 0) - mains[0].lineno + 1
    assert lines <= MOST_LINES_OF_MAIN, f"{path.name}: main() has {lines} lines: move the thinking to src/facility"
    inside = sum(ends_the_module(node) for node in ast.walk(mains[0]))
    assert inside == sum(ends_the_module(node) for node in ast.walk(tree)), f"{path.name}: only main() ends the module"


def test_the_thinking_never_ends_a_module():
    files = sorted((REPOSITORY / "src").rglob("*.py"))
    ending = [
        file.name for file in files if any(ends_the_module(node) for node in ast.walk(ast.parse(file.read_text())))
    ]
    assert files
    assert ending == [], "raise an exception instead, and let main() of the module end it"


def test_python_files_stay_small():
    files = [file for folder in PROGRAM_FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    assert files
    for file in files:
        lines = file.read_text(encoding="utf-8").count("\n")
        assert lines < MOST_LINES, f"{file.relative_to(REPOSITORY)} has {lines} lines: split it"


def test_what_ansible_copies_to_other_hosts_says_its_licence():
    folders = ("library", "src", "filter_plugins")
    files = [file for folder in folders for file in (REPOSITORY / folder).rglob("*.py")]
    silent = [file.name for file in files if "SPDX-License-Identifier: GPL-3.0-or-later" not in file.read_text()[:200]]
    assert files
    assert silent == [], "begin them with the SPDX line of the other files"


def test_no_file_has_a_name_that_says_nothing():
    files = [file for folder in PROGRAM_FOLDERS for file in (REPOSITORY / folder).rglob("*.py")]
    nameless = [file.name for file in files if file.stem in {"utils", "util", "helpers", "helper", "misc", "common"}]
    assert nameless == [], "name the file for what it knows"

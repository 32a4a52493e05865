# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has the same shape, and knows only itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

ROLES = sorted(path for path in (REPOSITORY / "roles").glob("*") if path.is_dir())
MOST_TASK_LINES = 100
MOST_DEFAULT_LINES = 40
REQUIRED_FILES = (
    "README.md",
    "defaults/main.yml",
    "meta/argument_specs.yml",
    "tasks/main.yml",
    "tasks/preflight.yml",
    "tasks/verify.yml",
)
SHELLS = {"command", "shell", "raw"}

every_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's own tags (!vault, !unsafe) read as text."""


_Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def options(role: Path) -> dict[str, Any]:
    specs = read(role / "meta/argument_specs.yml")["argument_specs"]
    return {name: option for entry in specs.values() for name, option in (entry.get("options") or {}).items()}


def defaults(role: Path) -> dict[str, Any]:
    found: dict[str, Any] = read(role / "defaults/main.yml") or {}
    return found


def tasks_in(path: Path) -> list[dict[str, Any]]:
    """All tasks of a task file or playbook, those inside blocks, too."""

    def flat(entries):
        for entry in entries or []:
            if not isinstance(entry, dict):
                continue
            sections = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
            if not any(section in entry for section in sections):
                yield entry
            for section in sections:
                yield from flat(entry.get(section))

    return list(flat(read(path)))


def role_texts(role: Path) -> dict[Path, str]:
    """What a role's files say, without comments (in YAML and Jinja)."""
    folders = ("defaults", "vars", "tasks", "handlers", "templates", "meta")
    files = [file for folder in folders for file in sorted((role / folder).rglob("*")) if file.is_file()]
    return {file: re.sub(r"(?m)^\s*#.*$", "", file.read_text(encoding="utf-8")) for file in files}


def tried_roles() -> set[str]:
    """The roles that some scenario converges, and then looks at."""
    books = (REPOSITORY / "molecule").glob("*/converge.yml")
    plays = [play for book in books for play in yaml.safe_load(book.read_text(encoding="utf-8"))]
    return {role for play in plays for role in play.get("roles", [])}


def task_files() -> list[Path]:
    found = [file for role in ROLES for folder in ("tasks", "handlers") for file in (role / folder).glob("*.yml")]
    return sorted([*found, *(REPOSITORY / "playbooks").rglob("*.yml")])


def test_there_are_roles_to_check():
    assert ROLES, "roles/ is empty: these tests would prove nothing"


@every_role
def test_a_role_has_every_file_that_a_role_has(role):
    missing = [name for name in REQUIRED_FILES if not (role / name).is_file()]
    assert missing == [], f"roles/{role.name} lacks {missing}: see docs/add-a-service.md"
    assert role.name in tried_roles(), f"roles/{role.name} is in no scenario: write molecule/{role.name}/converge.yml"


@every_role
def test_every_default_is_specified_and_carries_the_role_s_name(role):
    unspecified = sorted(set(defaults(role)) - set(options(role)))
    assert unspecified == [], f"roles/{role.name}: add {unspecified} to meta/argument_specs.yml"
    names = set(defaults(role)) | set(options(role))
    foreign = sorted(name for name in names if not name.startswith((f"{role.name}_", f"__{role.name}_")))
    assert foreign == [], f"roles/{role.name}: begin {foreign} with {role.name}_"


@every_role
def test_every_specified_option_says_its_type_and_what_it_is(role):
    silent = [name for name, option in options(role).items() if not {"type", "description"} <= set(option)]
    assert silent == [], f"roles/{role.name}: give {silent} a type and a description"


@every_role
def test_what_is_required_has_no_default(role):
    both = [name for name, option in options(role).items() if option.get("required") and name in defaults(role)]
    assert both == [], f"roles/{role.name}: remove the default of {both}, or required: true"


@every_role
def test_no_default_is_a_password(role):
    secrets = {
        name: value for name, value in defaults(role).items() if re.search(r"password$|secret$|key$|token$", name)
    }
    # A path to a key, or an expression, is no key.
    given = [name for name, value in secrets.items() if isinstance(value, str) and not re.match(r"/|\{\{|$", value)]
    assert given == [], f"roles/{role.name}: remove the defaults of {given}; a site gives them from its vault"


@every_role
def test_a_role_s_interface_stays_short(role):
    lines = (role / "defaults/main.yml").read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_DEFAULT_LINES, f"roles/{role.name}/defaults/main.yml has {lines} lines: offer less"
    for file in sorted((role / "tasks").glob("*.yml")):
        lines = file.read_text(encoding="utf-8").count("\n")
        assert lines <= MOST_TASK_LINES, f"{shown(file)} has {lines} lines: split it"


@every_role
def test_a_role_asks_no_other_host_and_no_other_role(role):
    others = {name for other in ROLES if other != role for name in options(other)} - set(options(role))
    for file, text in role_texts(role).items():
        crossing = re.search(r"\b(?:groups\s*\[|groups\.|hostvars)", _expressions(text))
        assert not crossing, f"{shown(file)} reads {crossing.group()}: pass it in through wiring.yml"
        used = sorted(others & set(re.findall(r"\w+", _expressions(text))))
        assert used == [], f"{shown(file)} reads another role's {used}: pass it in through wiring.yml"


def _expressions(text: str) -> str:
    """The Jinja expressions and conditions of a file; elsewhere a word like base_packages is only a word."""
    found = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.DOTALL)
    return "\n".join(found + re.findall(r"(?m)^\s*(?:when|that|failed_when|changed_when|until):.*$", text))


@pytest.mark.parametrize("file", task_files(), ids=shown)
def test_a_task_that_runs_a_command_says_when_that_is_a_change(file):
    for task in tasks_in(file):
        modules = {key.rpartition(".")[2] for key in task}
        if modules & SHELLS:
            name = task.get("name", "a task without a name")
            creates = any(isinstance(v, dict) and {"creates", "removes"} & set(v) for v in task.values())
            creates = creates or bool({"creates", "removes"} & set(task.get("args") or {}))
            assert "changed_when" in task or creates, f'{shown(file)}, "{name}": set changed_when'


@pytest.mark.parametrize("file", task_files(), ids=shown)
def test_a_task_that_names_a_password_keeps_it_out_of_the_log(file):
    for task in tasks_in(file):
        written = {key: value for key, value in task.items() if key.rpartition(".")[2] in SHELLS | {"set_fact"}}
        loose = re.search(r"\{\{[^}]*(?:password|secret)\b[^}]*\}\}", str(written)) and not task.get("no_log")
        assert not loose, f'{shown(file)}, "{task.get("name")}": set no_log: true'


def test_the_whole_facility_is_a_list_of_playbooks():
    site = read(REPOSITORY / "playbooks/site.yml")
    assert site
    for play in site:
        imports = {key.rpartition(".")[2] for key in play} - {"name", "when", "tags", "vars"}
        assert imports == {"import_playbook"}, "playbooks/site.yml only imports: put this play into its own playbook"
        name = next(value for key, value in play.items() if key.endswith("import_playbook"))
        assert (REPOSITORY / "playbooks" / name).is_file(), f"playbooks/{name} doesn't exist: write it, or remove it"


# A name is read alone, at night: it begins with its object, and says plainly what is done.
QUAINT = re.compile(
    r"^(?:It|Its|They|Their|Them|What|Whatever|Who|Whoever|Whose|This|That|Those|There|Nothing|Everybody|Somebody)\b"
    r"|\b(?:told|looked (?:at|for|up)|mended|in earnest|makes sense)\b"
)


@pytest.mark.parametrize("file", task_files(), ids=shown)
def test_a_task_s_name_says_its_object_plainly(file):
    names = [str(task.get("name", "")) for task in tasks_in(file)]
    assert [name for name in names if QUAINT.search(name)] == [], f"{shown(file)}: see docs/style-guide.md, Roles"


def test_a_quaint_name_is_found():
    assert QUAINT.search("It holds what the facility needs")
    assert QUAINT.search("What would go is told")
    assert not QUAINT.search("The virtual environment has all required packages")


def unended(tasks: list[dict[str, Any]], role: str) -> list[str]:
    """Tasks that install a role's packages and after which check mode goes on, on a host that has none of them."""
    found = f"ansible_check_mode and __{role}_installed is changed"
    return [
        str(task.get("name"))
        for task, following in zip(tasks, [*tasks[1:], {}], strict=True)
        if task.get("register") == f"__{role}_installed"
        and (following.get("ansible.builtin.meta"), following.get("when")) != ("end_role", found)
    ]


@every_role
def test_check_mode_ends_on_a_host_without_the_role_s_packages(role):
    for file in sorted((role / "tasks").glob("*.yml")):
        faults = unended(tasks_in(file), role.name)
        assert faults == [], f"{shown(file)}: put meta: end_role after {faults}, see docs/style-guide.md, Roles"


def test_a_role_that_goes_on_in_check_mode_is_found():
    install = {"name": "Packages are installed", "register": "__wiki_installed"}
    end = {"ansible.builtin.meta": "end_role", "when": "ansible_check_mode and __wiki_installed is changed"}
    assert unended([install, end], "wiki") == []
    assert unended([install], "wiki") == unended([install, {**end, "when": "ansible_check_mode"}], "wiki") != []


@every_role
def test_what_a_task_registers_hides_no_variable_of_the_role(role):
    registered = [
        task["register"]
        for file in sorted((role / "tasks").glob("*.yml"))
        for task in tasks_in(file)
        if "register" in task
    ]
    lists = {**defaults(role), **((read(role / "vars/main.yml") or {}) if (role / "vars/main.yml").is_file() else {})}
    assert sorted(set(registered) & set(lists)) == [], f"roles/{role.name}: a result wins over a variable: rename one"


def test_a_handler_s_name_is_one_role_s_alone():
    """Of two roles in one play the last one's handler would run for both, with the variables of the other unset."""
    owners: dict[str, list[str]] = {}
    for file in (role / "handlers" / "main.yml" for role in ROLES):
        for handler in yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else []:
            owners.setdefault(handler["name"], []).append(file.parent.parent.name)
    assert {name: roles for name, roles in owners.items() if len(roles) > 1} == {}

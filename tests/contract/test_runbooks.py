# SPDX-License-Identifier: GPL-3.0-or-later
"""What a runbook says to type at night is there: playbooks, their variables, units, programs, options and folders."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from facility.backup.server import __main__ as backup_server
from tests.conftest import REPOSITORY
from tests.contract.test_roles import ROLES, defaults, read, role_texts
from tests.runbook_commands import Block, all_blocks, commands, harmless

BLOCKS = all_blocks()
COMMANDS = [(block, command) for block in BLOCKS for command in commands(block.text)]
VERBS = {
    *("start", "stop", "restart", "try-restart", "status", "is-active", "enable", "disable", "mask", "unmask"),
    *("list-timers", "list-units", "reset-failed"),
}
# Of packages, and not named by a role.
UNITS = {"samba-ad-dc", "postgresql@15-main"}
# What a person needs on the way, on any host.
ELSEWHERE = ("/root", "/tmp", "/mnt", "/back", "/dev", "/etc/hosts", "/var/log", "/srv/facility", "/bin/true", "/locks")
PLAYBOOK_OPTIONS = {"--limit", "--check", "--diff", "--tags", "-l", "-i"}
EXAMPLE_HOSTS = {"dc3.imaging.example.org", "HOST", "localhost"}
# Of the system, so that nothing in them is known for their sake.
SYSTEM_FOLDERS = {
    *(
        "/usr/local",
        "/usr/share",
        "/usr/lib",
        "/usr/bin",
        "/usr/sbin",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/sbin",
    ),
    *("/var/lib", "/var/cache", "/var/spool", "/etc/systemd", "/etc/systemd/system", "/etc/ssl"),
}


@cache
def all_of_the_roles() -> str:
    return "\n".join(text for role in ROLES for text in role_texts(role).values())


@cache
def all_of_the_example() -> str:
    listed = ["git", "ls-files", "inventories/example"]
    names = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.split()
    return "\n".join((REPOSITORY / name).read_text(encoding="utf-8") for name in names)


@cache
def role_values() -> dict[str, str]:
    """Variables of all roles that are text, with what other variables they name filled in."""
    raw: dict[str, Any] = {}
    for role in ROLES:
        file = role / "vars/main.yml"
        raw |= {**((read(file) or {}) if file.is_file() else {}), **defaults(role)}
    known = {name: value for name, value in raw.items() if isinstance(value, str)}
    for _ in range(4):
        known = {name: _filled(value, known) for name, value in known.items()}
    return known


def _filled(value: str, known: dict[str, str]) -> str:
    try:
        return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(value).render(known)
    except Exception:  # Ansible's filters, lookups and facts: such a value is no path of ours.
        return value


@cache
def paths() -> frozenset[str]:
    """Absolute paths of at least two parts that roles know, filled in."""
    # The example's own folders are not the defaults.
    text = _variables_filled(all_of_the_roles() + all_of_the_example())
    found = re.findall(r"(?<![\w.}])(/[A-Za-z][\w.@-]*(?:/[\w.@-]+)*)", text)
    return frozenset(one for one in [*found, *role_values().values()] if re.fullmatch(r"/\w[\w.@-]*(/[\w.@-]+)*", one))


def _variables_filled(text: str) -> str:
    return re.sub(r"\{\{ ?(\w+) ?\}\}", lambda match: role_values().get(match[1], match[0]), text)


def unit_known(name: str) -> bool:
    """Whether some role brings a unit, by its name with or without its kind, instance or wildcard."""
    if name.startswith("facility-job-") and not name.endswith("*"):
        return name.removeprefix("facility-job-") in all_of_the_example()
    stem = re.sub(r"\.(service|timer|socket|target)$", "", name).split("@")[0].rstrip("*-")
    return name in UNITS or bool(re.search(rf"(?<![\w-]){re.escape(stem)}(?=[@.\-\s'\",\]}}/]|$)", all_of_the_roles()))


def wrong_with(command: list[str]) -> Iterator[str]:
    """What of a command is not there."""
    name, arguments = command[0], command[1:]
    if name == "ansible-playbook":
        yield from _wrong_playbook(arguments)
    elif name == "systemctl":
        verb, *units = [one for one in arguments if not one.startswith("-")]
        yield from [f"systemctl has no {verb}"] if verb not in VERBS else []
        yield from (f"no role brings {unit}" for unit in units if not unit_known(unit))
    elif name == "journalctl":
        following = pairwise(arguments)
        yield from (f"no role brings {unit}" for option, unit in following if option == "-u" and not unit_known(unit))
    elif name == "facility-backup-server":
        yield from _wrong_backup_server(arguments)
    elif name == "facility-register" and arguments:
        built_in = arguments[0] in {"migrate"}
        file = REPOSITORY / f"src/facility/register/management/commands/{arguments[0]}.py"
        yield from [] if built_in or file.is_file() else [f"the register has no command {arguments[0]}"]
    elif name.startswith("facility-") and name not in all_of_the_roles():
        yield f"no role brings {name}"
    yield from (f"no role knows {path}" for path in _paths_in(command) if not path_known(path))


def _wrong_playbook(arguments: list[str]) -> Iterator[str]:
    book = REPOSITORY / arguments[0]
    if not book.is_file():
        yield f"{arguments[0]} is not there"
        return
    text = _with_imports(book)
    hosts = {
        *yaml.safe_load((REPOSITORY / "inventories/example/hosts.yml").read_text())["all"]["hosts"],
        *EXAMPLE_HOSTS,
    }
    rest = iter(arguments[1:])
    for option in rest:
        value = next(rest, "") if option in {"-e", "--limit", "-l", "-i"} else ""
        if option == "-e":
            variable = value.partition("=")[0]
            yield from [] if re.search(rf"\b{variable}\b", text) else [f"{arguments[0]} has no variable {variable}"]
        elif option in {"--limit", "-l"}:
            yield from (f"{one} is not in the inventory" for one in value.split(",") if one not in hosts)
        elif option not in PLAYBOOK_OPTIONS:
            yield f"ansible-playbook is given {option}"


def _with_imports(book: Path) -> str:
    text = book.read_text(encoding="utf-8")
    named = re.findall(r"(?:import_playbook|include_tasks|import_tasks): (\S+\.yml)", text)
    return text + "".join(_with_imports(book.parent / one) for one in named if (book.parent / one).is_file())


def _wrong_backup_server(arguments: list[str]) -> Iterator[str]:
    try:
        backup_server._parser().parse_args(["--config", "x", *arguments])
    except SystemExit:
        yield f"facility-backup-server refuses {' '.join(arguments)}"


def _paths_in(command: list[str]) -> list[str]:
    """Folders and files of a host that a command names; not those within a backup (--include, latest:…)."""
    kept = [
        word for before, word in zip(["", *command], command, strict=False) if before not in {"--include", "--grep"}
    ]
    found = [re.split(r"[*{$…<]", word)[0].rstrip("/") for word in kept if re.match(r"/\w", word)]
    return [one for one in found if one.count("/") > 1]


def path_known(path: str) -> bool:
    """Whether a role knows a path, a folder above it that is its own, or something in it."""
    if path.startswith(ELSEWHERE):
        return True
    above = [str(one) for one in (Path(path), *Path(path).parents) if len(one.parts) > 2 or str(one) == "/OMERO"]
    own = paths() - SYSTEM_FOLDERS | {"/OMERO"}
    return any(one in own for one in above) or any(one.startswith(f"{path}/") for one in own)


def test_there_are_commands_to_look_at():
    assert len(COMMANDS) > 200
    assert sum(harmless(block.text) for block in BLOCKS) > 20


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_what_a_runbook_says_to_type_is_shell(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), block.text


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_what_a_runbook_names_is_there(block: Block):
    # What its own commands write is there for those that follow.
    written = {f"no role knows {path}" for path in re.findall(r">\s*(/\S+)", block.text)}
    found = [wrong for command in commands(block.text) for wrong in wrong_with(command) if wrong not in written]
    assert found == [], f"docs/runbooks/{block}: {block.text}"


@pytest.mark.parametrize(
    "book", sorted({one[1] for _, one in COMMANDS if one[0] == "ansible-playbook" and len(one) > 1}), ids=str
)
def test_a_playbook_that_a_runbook_names_is_one(book):
    done = subprocess.run(
        ["ansible-playbook", "--syntax-check", "-i", "inventories/example/hosts.yml", book],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("ansible-playbook playbooks/ops/restore_all.yml", "playbooks/ops/restore_all.yml is not there"),
        (
            "ansible-playbook playbooks/ops/restore_person.yml -e restore_person_to=a",
            "has no variable restore_person_to",
        ),
        ("ansible-playbook playbooks/base.yml --limit wiki9.imaging.example.org", "is not in the inventory"),
        ("systemctl start backup-inspector", "no role brings backup-inspector"),
        ("systemctl begin backup-inspect", "systemctl has no begin"),
        ("journalctl -u omero-witness -n 3", "no role brings omero-witness"),
        ("facility-backup-server forget", "refuses forget"),
        ("facility-backup-server erase --path /x --repository a", "refuses erase"),
        ("facility-register load - < x", "no command load"),
        ("facility-restore latest", "no role brings facility-restore"),
        ("cd /; runuser -u postgres -- ls /var/lib/facility/backups | less", "no role knows /var/lib/facility/backups"),
        ("python3 -m json.tool /var/lib/keeper/report.json  # the report", "no role knows /var/lib/keeper"),
    ],
)
def test_what_is_not_there_is_found(line, wrong):
    found = [one for command in commands(line) for one in wrong_with(command)]
    assert len(found) == 1
    assert wrong in found[0]


@pytest.mark.parametrize(
    "line",
    [
        "systemctl start backup-retain", "rm /etc/hosts", "journalctl --vacuum-time=1s", "cd / && systemctl stop x",
        "restic_of HOST list locks", "df -h > /root/x", "psql -U postgres -c 'ALTER SYSTEM RESET x'",
        "psql -U postgres -c 'SELECT 1; DROP TABLE x'", "ls $(rm x)", "grep x /etc/hosts | tee /etc/hosts",
    ],
)  # fmt: skip
def test_what_changes_something_is_not_taken_for_harmless(line):
    assert not harmless(line)

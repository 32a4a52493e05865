# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps need no second run: only those of which everything is as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import passes, rooms, steps, suite
from testbed.passes import Passes
from testbed.paths import REPOSITORY
from testbed.steps import Step, finish, run_all

DAY = 24 * 3600
FILES = (
    ".config/molecule/config.yml", ".gitignore", "CHANGELOG.md", "Makefile", "ansible.cfg", "docs/wiki.md",
    "filter_plugins/facility.py",
    "inventories/example/hosts.yml", "library/thing.py", "molecule/base/molecule.yml",
    "molecule/wiki/tests/test_wiki.py",
    "playbooks/wiki.yml", "pyproject.toml", "requirements.lock", "roles/base/defaults/main.yml",
    "roles/base/meta/facility.yml", "roles/base/tasks/main.yml", "roles/wiki/README.md",
    "roles/wiki/files/page.txt", "roles/wiki/tasks/main.yml", "src/facility/core/plan.py", "testbed/hosts/driver.py",
    "tests/alerts/backup.test.yml", "tests/scenario.py", "tests/unit/test_plan.py",
)  # fmt: skip
ROOMS = {"molecule/wiki", "roles/wiki", "tests", rooms.REST}
"""What scenario wiki depends on in the tests below."""
OF_NO_MATTER = {
    "CHANGELOG.md", "docs/wiki.md", "roles/wiki/README.md", "molecule/base/molecule.yml", "roles/base/tasks/main.yml",
    "tests/alerts/backup.test.yml", "tests/unit/test_plan.py", "inventories/example/hosts.yml", "playbooks/wiki.yml",
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path):
    top = tmp_path / "checkout"
    for name in FILES:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(f"first of {name}\n")
    (top / ".gitignore").write_text("/secrets/\n")
    subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)
    subprocess.run(["git", "add", "."], cwd=top, check=True)
    return top


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seen(checkout, tmp_path, clock):
    """What a run that begins now knows of earlier ones."""
    return lambda: Passes(tmp_path / "passes", checkout, clock)


def noted(seen, names=frozenset(ROOMS)):
    assert seen().note("scenario: wiki", names, passed=7, skipped=0)


def test_a_step_holds_while_nothing_changes(seen, clock):
    assert seen().known("scenario: wiki") is None
    noted(seen)
    clock.now += 3600
    found = seen().known("scenario: wiki")
    assert (found.passed, found.at) == (7, 1_000_000.0)
    assert seen().known("scenario: base") is None


@pytest.mark.parametrize("name", sorted(set(FILES) - OF_NO_MATTER))
def test_a_change_of_anything_that_it_depends_on_ends_it(seen, checkout, name):
    noted(seen)
    text = (checkout / name).read_text()
    (checkout / name).write_text("second\n")
    assert seen().known("scenario: wiki") is None
    (checkout / name).write_text(text)
    assert seen().known("scenario: wiki")


@pytest.mark.parametrize("name", sorted(OF_NO_MATTER))
def test_other_changes_do_not(seen, checkout, name):
    noted(seen)
    (checkout / name).write_text("second\n")
    assert seen().known("scenario: wiki")


@pytest.mark.parametrize("name", sorted(set(FILES)))
def test_what_looks_at_everything_depends_on_everything(seen, checkout, name):
    noted(seen, {rooms.ALL})
    (checkout / name).write_text("second\n")
    assert seen().known("scenario: wiki") is None


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("docs/wiki.md", True), ("molecule/wiki/tests/test_wiki.py", True), ("tests/unit/test_plan.py", True),
        ("roles/base/tasks/main.yml", False), ("playbooks/wiki.yml", False), ("inventories/example/hosts.yml", False),
        ("tests/acceptance/test_new.py", False), ("library/thing.py", False),
    ],
)  # fmt: skip
def test_a_facility_depends_on_all_but_documents_and_other_tests(seen, checkout, name, holds):
    noted(seen, {rooms.SITE})
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("second\n")
    assert bool(seen().known("scenario: wiki")) == holds


def test_files_that_come_go_or_become_programs_are_changes(seen, checkout):
    noted(seen)
    new = checkout / "roles/wiki/tasks/new.yml"
    new.write_text("")
    assert seen().known("scenario: wiki") is None
    new.unlink()
    assert seen().known("scenario: wiki")
    page = checkout / "roles/wiki/files/page.txt"
    page.chmod(0o755)
    assert seen().known("scenario: wiki") is None
    page.unlink()
    assert seen().known("scenario: wiki") is None
    page.symlink_to("main.yml")
    assert seen().known("scenario: wiki") is None


def test_a_link_into_another_room_names_that_room(checkout):
    link = checkout / "molecule/wiki/inventory/wiring.yml"
    link.parent.mkdir()
    link.symlink_to("../../../inventories/example/hosts.yml")
    assert "inventories" in rooms.mentioned("molecule/wiki", {"inventories", "playbooks"}, checkout)


def test_what_git_ignores_is_none(seen, checkout):
    noted(seen)
    (checkout / "secrets").mkdir()
    (checkout / "secrets/key").write_text("made by a run")
    assert seen().known("scenario: wiki")


def test_the_machine_its_packages_and_images_and_the_environment_count(seen, monkeypatch, tmp_path):
    monkeypatch.setattr(passes, "PACKAGES", packages := tmp_path / "status")
    monkeypatch.setattr(passes, "tag", lambda name: f"{name}:1")
    packages.write_text("Package: podman\nVersion: 1\n")
    noted(seen)
    with monkeypatch.context() as changed:
        changed.setenv("FACILITY_FAST", "0")
        assert seen().known("scenario: wiki") is None
    with monkeypatch.context() as changed:
        changed.setenv("SOMETHING_ELSE", "0")
        assert seen().known("scenario: wiki")
    with monkeypatch.context() as changed:
        changed.setattr(passes, "tag", lambda name: f"{name}:2")
        assert seen().known("scenario: wiki") is None
    with monkeypatch.context() as changed:
        changed.setattr(passes.platform, "uname", lambda: ("Linux", "other"))
        assert seen().known("scenario: wiki") is None
    packages.write_text("Package: podman\nVersion: 2\n")
    assert seen().known("scenario: wiki") is None


@pytest.mark.parametrize(("later", "holds"), [(DAY, True), (DAY + 1, False), (-1, False)])
def test_it_holds_for_a_day_and_a_clock_that_was_set_back_is_not_trusted(seen, clock, later, holds):
    noted(seen)
    clock.now += later
    assert bool(seen().known("scenario: wiki")) == holds


def test_an_edit_during_the_run_is_no_pass(seen, checkout):
    during = seen()
    (checkout / "roles/wiki/tasks/main.yml").write_text("second\n")
    assert not during.note("scenario: wiki", ROOMS, passed=7, skipped=0)
    assert seen().known("scenario: wiki") is None


@pytest.mark.parametrize("names", [set(), {"roles/no-such"}])
def test_a_step_that_says_nothing_or_nonsense_of_its_inputs_is_no_pass(seen, names):
    assert not seen().note("scenario: wiki", names, passed=7, skipped=0)
    assert seen().known("scenario: wiki") is None


def test_a_file_that_is_half_there_is_no_pass_and_no_fault(seen, tmp_path):
    noted(seen)
    (file,) = (tmp_path / "passes").iterdir()
    file.write_text(file.read_text()[:40])
    assert seen().known("scenario: wiki") is None
    noted(seen)
    assert seen().known("scenario: wiki")


def test_old_passes_go_away(seen, checkout, clock, tmp_path):
    noted(seen)
    clock.now += DAY + 1
    (checkout / "ansible.cfg").write_text("second\n")
    noted(seen)
    assert len(list((tmp_path / "passes").iterdir())) == 1


def test_a_second_run_takes_good_steps_over_and_counts_them(seen, capfd, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LOGS", tmp_path / "logs")
    plan = [step(tmp_path, "one"), step(tmp_path, "two", rooms=None)]
    assert finish(*run_all(plan, seen(), again=False)) == 0
    assert finish(*run_all(plan, seen(), again=False)) == 0
    printed = capfd.readouterr().out
    assert ran(tmp_path) == ["one", "two", "two"]
    assert "[1/2] one: good since 1970-01-12" in printed
    assert printed.splitlines()[-1] == "2 passed, 0 failed"
    assert "make test ALL=1" in printed
    run_all(plan, seen(), again=True)
    assert ran(tmp_path) == ["one", "two", "two", "one", "two"]


def test_a_step_that_failed_runs_again_and_what_belongs_together_with_it(seen, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LOGS", tmp_path / "logs")
    good = [step(tmp_path, "alone"), step(tmp_path, "first", together="facility")]
    bad = step(tmp_path, "second", "raise SystemExit(1)", together="facility")
    assert run_all([*good, bad], seen(), again=False)[1] is False
    run_all([*good, bad], seen(), again=False)
    assert ran(tmp_path) == ["alone", "first", "second", "first", "second"]


def step(folder, name, program="pass", **more):
    program = f"open({str(folder / 'ran')!r}, 'a').write('{name} '); {program}"
    return Step(name, [sys.executable, "-c", program], f"make {name}", **{"rooms": lambda: ROOMS, **more})


def ran(folder):
    return (folder / "ran").read_text().split()


def test_without_git_everything_runs_and_one_line_says_so(tmp_path, capfd, monkeypatch):
    with pytest.raises(rooms.RoomsError, match="git lists no files"):
        rooms.digests(tmp_path)
    monkeypatch.setattr(suite, "Passes", lambda: rooms.digests(tmp_path))
    assert suite.earlier_passes() is None
    assert len(capfd.readouterr().out.splitlines()) == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(rooms.RoomsError, match="can't be started"):
        rooms.digests(tmp_path)


def test_every_step_of_the_suite_says_what_it_depends_on():
    plan = [
        *suite.lint_steps(), *suite.scenario_steps(), suite.conformance_step(), suite.beds_step(),
        *suite.acceptance_steps(),
    ]  # fmt: skip
    assert all(step.rooms for step in plan)
    assert {step.together for step in suite.acceptance_steps()} == {"facility"}


def test_each_scenario_names_its_own_rooms():
    known = set(rooms.digests())
    for name in sorted(path.parent.name for path in (REPOSITORY / "molecule").glob("*/molecule.yml")):
        assert {f"molecule/{name}", "tests"} <= rooms.mentioned(f"molecule/{name}", known)
    assert "tests/alerts" in rooms.mentioned("molecule/backup_server", known)
    assert {"playbooks", "inventories"} <= rooms.mentioned("molecule/backup", known)


def test_ansible_notes_the_roles_and_files_that_it_really_used(tmp_path):
    """Roles of a play, roles that are included, and tasks of another file: for each a line that leads to its room."""
    for role, text in {
        "one": "- {debug: , changed_when: true, notify: Later}",
        "two": "- {debug: }",
        "three": "",
    }.items():
        (tmp_path / "roles" / role / "tasks").mkdir(parents=True)
        (tmp_path / "roles" / role / "tasks/main.yml").write_text(text + "\n")
    (tmp_path / "more.yml").write_text("- include_role: {name: two}\n")
    (tmp_path / "book.yml").write_text(
        "- {hosts: localhost, gather_facts: false, roles: [one], tasks: [{include_tasks: more.yml}],\n"
        "   handlers: [{name: Later, import_tasks: handlers.yml}]}\n"
    )
    (tmp_path / "handlers.yml").write_text("- {name: Later, debug: }\n")
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(REPOSITORY / "testbed/callback"),
        "FACILITY_USED": str(tmp_path / "used"),
    }
    (tmp_path / "none.cfg").write_text("")
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "book.yml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    used = (tmp_path / "used").read_text().splitlines()
    assert rooms.of_paths(used, tmp_path) == {"roles/one", "roles/two", rooms.REST}
    assert str(tmp_path / "handlers.yml") in used
    assert len(used) == len(set(used))


def test_a_pass_of_another_version_is_none(seen, tmp_path):
    noted(seen)
    (file,) = (tmp_path / "passes").iterdir()
    file.write_text(file.read_text().replace('"passed"', '"good"'))
    assert seen().known("scenario: wiki") is None

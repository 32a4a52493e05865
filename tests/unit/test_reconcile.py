# SPDX-License-Identifier: GPL-3.0-or-later
"""A small facility on this machine is compared with what it should be, by real runs of Ansible."""

import json
import os
import signal
import subprocess
import sys

import pytest
import yaml

from facility.core.lock import LockedError, locked
from facility.reconcile import __main__ as command
from tests.conftest import REPOSITORY
from tests.scenario import wait_until

HOSTS = """
all:
  hosts:
    localhost: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
SECRET = "canary-Ew3kQ9"
ANSWER = '[{"host": "localhost", "service": "wiki", "ok": {{ wiki_works | to_json }}, "message": "no answer"}]'


def book(*tasks, hosts="localhost"):
    return yaml.safe_dump([{"name": "Play", "hosts": hosts, "gather_facts": False, "tasks": list(tasks)}])


def file(name, path, content, **more):
    return {"name": name, "ansible.builtin.copy": {"content": content, "dest": str(path), "mode": "0600"}, **more}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A checkout with two services, each with one file, and its inventory beside it."""
    checkout, inventory = tmp_path / "checkout", tmp_path / "inventory"
    (checkout / "playbooks").mkdir(parents=True)
    (inventory / "group_vars" / "all").mkdir(parents=True)
    books = {
        "preflight": book(
            {"name": "The inventory is valid", "ansible.builtin.assert": {"that": "wiki_works is defined"}}
        ),
        "wiki": book(file("The wiki has its settings", tmp_path / "wiki.conf", "title=Wiki\n")),
        "omero": book(file("OMERO has its password", tmp_path / "omero.conf", f"password={SECRET}\n")),
        "devices": book(file("Nowhere", tmp_path / "nowhere", "x"), hosts="nobody"),
        "people_verdict": book({"name": "Nothing", "ansible.builtin.debug": {"msg": ""}}),
        "verify": book(file("The results are in the report's file", "{{ verify_report }}", ANSWER)),
        "site": "".join(
            f"- ansible.builtin.import_playbook: {name}.yml\n"
            for name in ("preflight", "wiki", "omero", "devices", "people_verdict")
        ),
    }
    for name, text in books.items():
        (checkout / "playbooks" / f"{name}.yml").write_text(text)
    (checkout / "ansible.cfg").write_text("[defaults]\n")
    (inventory / "hosts.yml").write_text(HOSTS)
    (inventory / "group_vars" / "all" / "facility.yml").write_text("facility_name: Imaging\nwiki_works: true\n")
    (tmp_path / "wiki.conf").write_text("title=Wiki\n")
    (tmp_path / "omero.conf").write_text(f"password={SECRET}\n")
    for path in (tmp_path / "wiki.conf", tmp_path / "omero.conf"):
        path.chmod(0o600)
    for words in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(checkout), *words], check=True)
    monkeypatch.setattr(command, "_REPOSITORY", checkout)
    return tmp_path


@pytest.fixture
def compared(site, capsys):
    """Compare; give the exit status and the report."""

    def compared(*more):
        status = command.main(["-i", str(site / "inventory/hosts.yml"), "--reports", str(site / "reports"), *more])
        report = site / "reports" / "report.json"
        return status, json.loads(report.read_text()) if report.exists() else {}

    return compared


def free(lock):
    try:
        with locked(lock):
            return True
    except LockedError:
        return False


def everything_written(folder):
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def test_what_is_as_it_should_be_is_clean_and_says_how_much_was_looked_at(compared, site):
    status, report = compared()
    assert (status, report["status"], report["needs_person"]) == (0, 0, [])
    assert report["services"]["wiki"] == {"tasks": 1, "skipped": 0, "hosts": 1}
    assert report["services"]["devices"]["tasks"] == 0
    assert [one["ok"] for one in report["asked"]] == [True]
    assert "Nothing to do" in (site / "reports" / "report.html").read_text()


def test_what_was_changed_by_hand_is_found_and_nothing_else_and_no_secret_is_told(compared, site, capsys):
    (site / "omero.conf").write_text("password=somebody's\n")
    status, report = compared()
    assert status == 2
    assert [(one["service"], one["task"]) for one in report["drift"]] == [("omero", "OMERO has its password")]
    assert str(site / "omero.conf") in report["drift"][0]["files"][0]
    assert "playbooks/omero.yml --check --diff --limit localhost" in report["needs_person"][0]
    assert (site / "omero.conf").read_text() == "password=somebody's\n", "it only looks"
    for text in (everything_written(site / "reports"), capsys.readouterr().out):
        assert SECRET not in text and "somebody's" not in text


def test_what_the_policy_allows_is_mended_and_the_rest_is_left(compared, site):
    (site / "inventory" / "reconcile.yml").write_text("mend: [wiki]\n")
    for name in ("wiki.conf", "omero.conf"):
        (site / name).write_text("by hand\n")
    status, report = compared("--no-mending", "--only", "wiki", "omero")
    assert (status, len(report["drift"]), report["mended"]) == (2, 2, [])
    status, report = compared()
    assert (site / "wiki.conf").read_text() == "title=Wiki\n"
    assert (site / "omero.conf").read_text() == "by hand\n"
    assert (status, [one["service"] for one in report["mended"]]) == (2, ["wiki"])
    assert [one["service"] for one in report["drift"]] == ["omero"]
    assert "What was mended" in (site / "reports" / "report.html").read_text()
    (site / "inventory" / "reconcile.yml").write_text("mend: [wiki, omero]\n")
    assert compared("--only", "omero")[0] == 0


def test_a_service_that_does_not_work_is_worse_than_what_differs(compared, site):
    (site / "inventory/group_vars/all/facility.yml").write_text("facility_name: Imaging\nwiki_works: false\n")
    (site / "wiki.conf").write_text("by hand\n")
    status, report = compared()
    assert status == 3
    assert report["needs_person"][0] == "localhost: wiki does not answer as it should: no answer"
    assert len(report["needs_person"]) == 2


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (("checkout/playbooks/wiki.yml", "[]"), "differs from its commit (playbooks/wiki.yml)"),
        (("inventory/hosts.yml", "all: [broken"), "looked at nothing"),
        (("inventory/reconcile.yml", "mend: [wikki]\n"), "did you mean wiki?"),
        (("inventory/reconcile.yml", "mends: []\nmend: x\n"), "mends: unknown key"),
        (("inventory/group_vars/all/facility.yml", "wiki_works: true\n"), "facility_name"),
        (("inventory/group_vars/all/facility.yml", "facility_name: x\n"), "the inventory is not valid"),
    ],
)
def test_what_can_not_be_used_is_told_in_a_line_and_the_last_report_stays(compared, site, spoilt, words, capsys):
    (site / "reports").mkdir()
    (site / "reports" / "report.json").write_text('{"status": 0}')
    (site / spoilt[0]).write_text(spoilt[1])
    status, report = compared()
    assert status == 4
    assert words in capsys.readouterr().out
    assert report == {"status": 0}


def test_two_runs_at_once_are_one_and_one_that_was_killed_is_told_by_the_next(compared, site, capsys):
    wait = {"name": "Waits", "ansible.builtin.wait_for": {"path": str(site / "go")}, "check_mode": False}
    (site / "checkout/playbooks/wiki.yml").write_text(book(wait))
    line = (
        "from pathlib import Path; from facility.reconcile import __main__ as reconcile; "
        f"reconcile._REPOSITORY = Path({str(site / 'checkout')!r}); reconcile.main()"
    )
    words = ["-i", str(site / "inventory/hosts.yml"), "--reports", str(site / "reports"), "--accept-changes"]
    first = subprocess.Popen(
        [sys.executable, "-c", line, *words],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until((site / "reports" / "under-way").exists, "the first run is under way")
        assert compared("--accept-changes")[0] == 4
        assert "another comparison is under way" in capsys.readouterr().out
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    (site / "go").touch()
    # What it had begun to start holds the lock for a moment longer.
    wait_until(lambda: free(site / "reports" / "lock"), "the lock is free")
    status, report = compared("--accept-changes")
    assert status == 0
    assert report["broken_off"]
    assert "never ended" in report["needs_person"][-1]
    assert compared("--accept-changes")[1]["broken_off"] == ""

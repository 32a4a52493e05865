# SPDX-License-Identifier: GPL-3.0-or-later
"""People and groups that the facility gives OMERO by itself: one playbook of many steps, told step by step."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
NAME = "omero1.omero.test"
KEY = uuid.uuid4().hex[:8]
LOGIN, ONE, TWO = f"local-{KEY}", f"one-{KEY}", f"two-{KEY}"
PERSON = {
    "login": LOGIN, "first_name": "Lo", "last_name": "Käl", "password": "Secret-of-a-local",
    "groups": {"set": [ONE, TWO]}, "default_group": ONE,
}  # fmt: skip
CHANGED = {"login": LOGIN, "password": "Another-secret-then"}
OPEN = {"groups": [{"name": ONE, "permissions": "read-annotate", "description": "Für alle"}]}


def user(change=None, **options):
    return "omero_user", {"users": [change or {"login": LOGIN}], **options}


def log_in(password):
    return "omero_info", {"user": LOGIN, "password": password}


STEPS = {
    "groups, tried": ("check", "omero_group", {"groups": [{"name": ONE}, {"name": TWO}]}),
    "groups": ("omero_group", {"groups": [{"name": ONE}, {"name": TWO}]}),
    "group opened": ("omero_group", OPEN),
    "group opened again": ("omero_group", OPEN),
    "group left alone": ("omero_group", {"groups": [{"name": ONE}]}),
    "person, tried": ("check", *user(PERSON)),
    "person": user(PERSON),
    "person again": user(PERSON),
    "seen": log_in("Secret-of-a-local"),
    "membership removed": user({"login": LOGIN, "default_group": TWO, "groups": {"remove": [ONE]}}),
    "membership added": user({"login": LOGIN, "groups": {"add": [ONE]}}),
    "membership added again": user({"login": LOGIN, "groups": {"add": [ONE]}}),
    "seen then": log_in("Secret-of-a-local"),
    "password not asked for": user(CHANGED),
    "password asked for": user(CHANGED, update_password="always"),
    "old password": log_in("Secret-of-a-local"),
    "new password": log_in("Another-secret-then"),
    "gone, tried": ("check", *user(state="inactive")),
    "gone": user(state="inactive"),
    "gone again": user(state="inactive"),
    "log-in of who left": log_in("Another-secret-then"),
    "back": user(),
    "log-in of who is back": log_in("Another-secret-then"),
    "from the directory": user({"login": "stranger", "from_directory": True}),
    "group unknown": user({"login": "somebody", "groups": {"add": ["nowhere"]}}),
    "groups said twice": user({"login": "somebody", "groups": {"add": ["user"], "set": ["user"]}}),
    "password missing": user({"login": "somebody", "groups": {"add": ["user"]}}),
    "no password": ("omero_info", {"password": ""}),
    "other name": ("omero_info", {"host": "localhost"}),
    "other port": ("omero_info", {"port": 4}),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each step told."""
    root = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "root").read_text().strip()
    given = {"host": NAME, "password": root, "ca_file": "/etc/facility/tls/ca.crt"}
    tasks = [
        {"name": name, step[-2]: {**given, **step[-1]}, "check_mode": step[0] == "check", "ignore_errors": True}
        for name, step in STEPS.items()
    ]
    python = {"ansible_python_interpreter": "/opt/omero/server/venv/bin/python"}
    book = tmp_path_factory.mktemp("people") / "people.yml"
    book.write_text(json.dumps([{"hosts": NAME, "gather_facts": False, "vars": python, "tasks": tasks}]))
    command = ["ansible-playbook", "-i", os.environ["MOLECULE_INVENTORY_FILE"], str(book)]
    configuration = os.environ["MOLECULE_PROJECT_DIRECTORY"] + "/ansible.cfg"
    environment = {**os.environ, "ANSIBLE_CONFIG": configuration, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    answer = json.loads(done.stdout[done.stdout.index("{") :])
    return {task["task"]["name"]: task["hosts"][NAME] for task in answer["plays"][0]["tasks"]}


def test_a_new_group_is_private_and_opens_on_request_only(told):
    assert told["groups, tried"]["created"] == told["groups"]["created"] == [ONE, TWO]
    assert told["group opened"]["updated"] == [ONE]
    assert not told["group opened again"]["changed"]
    assert not told["group left alone"]["changed"]
    groups = told["seen"]["groups"]
    assert groups[ONE] == {"permissions": "rwra--", "description": "Für alle", "ldap": False}
    assert groups[TWO]["permissions"] == "rw----"


def test_a_new_person_gets_in_and_a_second_run_changes_nothing(told):
    assert told["person, tried"]["created"] == told["person"]["created"] == [LOGIN]
    assert not told["person again"]["changed"]
    person = told["seen"]["users"][LOGIN]
    assert (person["groups"], person["default_group"]) == ([ONE, TWO], ONE)
    assert (person["first_name"], person["last_name"], person["ldap"]) == ("Lo", "Käl", False)


def test_memberships_are_removed_and_added_and_the_default_group_is_another(told):
    assert told["membership removed"]["updated"] == told["membership added"]["updated"] == [LOGIN]
    assert not told["membership added again"]["changed"]
    person = told["seen then"]["users"][LOGIN]
    assert (person["groups"], person["default_group"]) == ([ONE, TWO], TWO)


def test_a_password_is_changed_on_request_only_and_never_shown(told):
    assert not told["password not asked for"]["changed"]
    assert told["password asked for"]["changed"]
    assert "OMERO refuses the log-in" in told["old password"]["msg"]
    assert "users" in told["new password"]
    for word in ("Secret-of-a-local", "Another-secret-then"):
        assert word not in json.dumps(told)


def test_who_left_can_not_log_in_and_can_when_they_return(told):
    assert told["gone, tried"]["updated"] == told["gone"]["updated"] == [LOGIN]
    assert not told["gone again"]["changed"]
    assert "OMERO refuses the log-in" in told["log-in of who left"]["msg"]
    assert told["back"]["updated"] == [LOGIN]
    assert "users" in told["log-in of who is back"]


def test_somebody_whom_the_directory_does_not_let_in_is_told_as_unknown(told):
    assert told["from the directory"]["unknown"] == ["stranger"]
    assert not told["from the directory"]["changed"]


@pytest.mark.parametrize(
    ("step", "cure"),
    [
        ("group unknown", "no group nowhere; make it first, with the module omero_group"),
        ("groups said twice", "give either set, or add and remove"),
        ("password missing", "has no password"),
        ("no password", "correct user or password"),
        ("other name", "the certificate is not accepted"),
        ("other port", "is omero-server.service up?"),
    ],
)
def test_nonsense_is_refused_in_one_line_with_the_cure(told, step, cure):
    assert told[step]["failed"]
    assert cure in told[step]["msg"]
    assert "\n" not in told[step]["msg"]
    assert "Traceback" not in json.dumps(told[step])

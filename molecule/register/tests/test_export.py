# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller fetches, what is kept, and how it comes back."""

import json
import shlex
from contextlib import contextmanager

import pytest

from tests.scenario import played

DATABASE = "/var/lib/register/register.sqlite3"


@pytest.fixture
def fetch(visitor, secret):
    return lambda **headers: visitor.open("export", headers={"Authorization": f"Bearer {secret('token')}", **headers})


def sql(host, words, user="register"):
    code = f"import sqlite3; c = sqlite3.connect({DATABASE!r}); print(c.execute({words!r}).fetchall()); c.commit()"
    return host.run(f"runuser -u {user} -- python3 -c {shlex.quote(code)}")


@contextmanager
def stopped(host):
    """The register stands still, and its database is gone."""
    units = "register.socket register.service"
    host.run_expect([0], f"systemctl stop {units} && rm {DATABASE}*")
    try:
        yield
    finally:
        host.run_expect([0], f"systemctl start {units}")


def test_the_export_is_what_the_register_was_filled_with(fetch, seed):
    answer = fetch()
    assert answer.status == 200
    assert answer.text == seed
    assert '"login":"bert"' in answer.text
    # An IT administrator is in no export.
    assert '"login":"ida"' not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_controller_that_has_it_gets_it_no_second_time(fetch):
    tag = fetch().headers["ETag"]
    again = fetch(**{"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert fetch(**{"If-None-Match": '"0-other"'}).status == 200


@pytest.mark.parametrize("shown", [None, "", "Bearer ", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
def test_without_the_token_there_is_no_export(visitor, shown):
    answer = visitor.open("export", headers={} if shown is None else {"Authorization": shown})
    assert answer.status == 403
    assert "rita" not in answer.text


def test_not_even_for_staff(logged_in):
    assert logged_in("ida").open("export").status == 403


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("DELETE FROM register_entry", "facts are revoked, never deleted"),
        ("UPDATE register_entry SET login = 'rita' WHERE kind = 'block'", "a fact can only be revoked, and only once"),
        ("UPDATE register_entry SET body = '{}'", "a fact can only be revoked, and only once"),
        ("DELETE FROM register_act", "acts are never deleted"),
        ("UPDATE register_act SET payload = 'x'", "an act can only be emptied"),
    ],
)
def test_the_database_refuses_to_forget_even_to_the_service_s_own_user(host, words, refusal):
    done = sql(host, words)
    assert done.rc == 1
    assert refusal in done.stderr


def test_the_database_is_nobody_else_s(host):
    file = host.file(DATABASE)
    assert (file.user, file.mode) == ("register", 0o600)
    assert sql(host, "SELECT count(*) FROM register_entry", user="www-data").rc == 1
    assert sql(host, "SELECT count(*) FROM register_entry").stdout.startswith("[(")


def test_facts_and_acts_are_as_they_were_written(host):
    assert "acts are as they were written" in host.check_output("facility-register audit")


def test_the_hourly_export_is_a_file_of_the_register_s_own(host, seed):
    host.run_expect([0], "systemctl start register-export.service")
    file = host.file("/var/lib/register/export.jsonl")
    assert (file.user, file.mode) == ("register", 0o600)
    assert file.content_string == seed


def test_its_timers_wait_for_midnight_at_the_facility_and_for_the_hour(host):
    timers = host.check_output("systemctl cat register-decide.timer register-export.timer register-remind.timer")
    assert "OnCalendar=*-*-* 00,01:00:30 Europe/Berlin" in timers
    assert "OnCalendar=*-*-* 07:00:00 Europe/Berlin" in timers
    shown = json.loads(host.check_output("systemctl list-timers --output=json 'register-*'"))
    names = {timer["unit"] for timer in shown if timer["next"]}
    assert names == {"register-decide.timer", "register-export.timer", "register-remind.timer"}
    host.run_expect([0], "systemctl start register-decide.service register-remind.service")


def test_the_backup_s_copy_is_whole_while_the_register_runs_and_comes_back(host, tmp_path, fetch):
    """As meta/facility.yml hands it to the backup client."""
    book = tmp_path / "said.yml"
    said = {"ansible.builtin.copy": {"content": "{{ facility_services.register | to_json }}",
                                     "dest": str(tmp_path / "said.json"), "mode": "0600"},
            "name": "Say it", "delegate_to": "localhost"}  # fmt: skip
    book.write_text(json.dumps([{"name": "Ask", "hosts": "register", "gather_facts": False, "tasks": [said]}]))
    run = played(book)
    assert run.returncode == 0, run.stdout
    backup = json.loads((tmp_path / "said.json").read_text())["backup"]
    assert backup["paths"] == ["/var/lib/register"]
    assert backup["exclude"] == [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"]
    host.run_expect([0], "rm -rf /tmp/dump && install -d -o register -m 0700 /tmp/dump")
    for step in backup["before"]:
        command = shlex.join(part.replace("{folder}", "/tmp/dump") for part in step["command"])
        host.run_expect([0], f"cd / && runuser -u {step['user']} -- {command}")
    facts, acts = host.check_output("facility-register write_out"), host.check_output("facility-register audit")
    assert host.file("/tmp/dump/export.jsonl").content_string == facts + "\n"
    # As docs/services/register.md says it.
    with stopped(host):
        install = "install -o register -g register -m 0600"
        host.run_expect([0], f"{install} /tmp/dump/register.sqlite3 /var/lib/register/")
        host.run_expect([0], "facility-register migrate && facility-register decide")
    assert fetch().text == facts + "\n"
    assert host.check_output("facility-register audit") == acts
    assert sql(host, "DELETE FROM register_entry").rc == 1
    host.run_expect([0], "rm -r /tmp/dump")


def test_an_empty_register_is_filled_from_an_export_and_a_full_one_is_not(host, seed, fetch):
    """As docs/services/register.md says it."""
    host.run_expect([0], "facility-register write_out > /root/export.jsonl")
    refused = host.run("facility-register read_in - < /root/export.jsonl")
    assert refused.rc == 1
    assert "the register is not empty" in refused.stderr
    with stopped(host):
        host.run_expect([0], "facility-register migrate")
        assert "facts are in the register" in host.check_output("facility-register read_in - < /root/export.jsonl")
    assert fetch().text == seed
    assert "acts are as they were written" in host.check_output("facility-register audit")


def test_an_export_that_was_changed_fills_nothing(host):
    # In the scenario's register there are facts: the lines are looked at before that.
    host.run_expect([0], "facility-register write_out | sed 's/Rita/Rota/' > /root/changed.jsonl")
    refused = host.run("facility-register read_in - < /root/changed.jsonl")
    assert refused.rc == 1
    assert "line " in refused.stderr

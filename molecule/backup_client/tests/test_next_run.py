# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's next run, its own check, and what it refuses."""

import pytest

from tests.refusals import refused_by

VERIFY = """
- name: Verify
  hosts: backup_client
  gather_facts: false
  tasks:
    - name: The backup is looked at
      ansible.builtin.include_role: {name: backup_client, tasks_from: verify}
"""
SHORT = {"backup_client_server_password": "short", "backup_client_repository_password": "x" * 20}

REFUSED = [
    (SHORT, "backup_client_server_password of client1.backup-client.test is shorter than 20 characters"),
    ({"backup_client_paths": []}, "is in backup_client_paths; name what is to be backed up"),
    ({"backup_client_paths": ["srv"]}, "srv in backup_client_paths must be an absolute path"),
    ({"backup_client_paths": ["/tmp/a"]}, "nothing there outlives the host's next start"),
    ({"backup_client_name": "a/b"}, "must be a host's name"),
    ({"backup_client_before": [{"name": "images", "command": ["/bin/true"]}]}, "is the name of several"),
    ({"backup_client_before_capabilities": ["all"]}, "is no capability"),
    ({"backup_client_on_failure": "a b"}, "must be one unit"),
    ({"backup_client_ca_file": "/etc/none.crt"}, "/etc/none.crt missing on client1"),
]


refused = refused_by("backup_client", "client1.backup-client.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes_and_shows_no_password(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout
    assert "x" * 20 not in refused.run.stdout + refused.run.stderr


def test_a_pattern_that_two_programs_read_in_two_ways_is_refused(play, client):
    before = client.file("/etc/facility-backup/backup.toml").content
    ended = play("converge.yml", backup_client_exclude=["!*.tif"])
    assert ended.status != 0
    assert "neither ! nor a backslash can be used" in ended.said
    assert client.file("/etc/facility-backup/backup.toml").content == before


def test_check_mode_finds_nothing_to_do_and_shows_no_password(play, secret):
    ended = play("converge.yml", "--check", "--diff")
    assert "changed=0" in ended.said, ended.said
    assert "failed=0" in ended.said
    others = {"backup_client_server_password": "another-password-for-it", "backup_client_hour": "*-*-* 05:00:00"}
    ended = play("converge.yml", "--check", "--diff", **others)
    # The password and the timer in one task, and its restart.
    assert "changed=2" in ended.said, ended.said
    assert "05:00:00" in ended.said
    assert "another-password-for-it" not in ended.said
    assert secret("server") not in ended.said
    assert "changed=0" in play("converge.yml").said


def test_another_hour_holds_at_once(play, client):
    shown = "systemctl show facility-backup.timer -p TimersCalendar"
    assert "failed=0" in play("converge.yml", backup_client_hour="*-*-* 05:00:00").said
    assert "05:00:00" in client.check_output(shown)
    assert "failed=0" in play("converge.yml").said
    assert "04:00:00" in client.check_output(shown)


def test_a_step_that_is_not_wanted_any_more_leaves_no_dump_behind(play, client, backup):
    assert "failed=0" in play("converge.yml", backup_client_before=[]).said
    assert backup().status == 0
    assert client.check_output("ls -A /var/lib/facility-backup/dumps").split() == ["images"]
    assert "failed=0" in play("converge.yml").said
    assert backup().status == 0


def test_a_restic_that_is_too_old_is_refused_with_the_cure(play, client, put):
    client.run_expect([0], "mv /usr/bin/restic /usr/bin/restic.kept")
    put(client, "/usr/bin/restic", "#!/bin/sh\necho restic 0.14.0 compiled with go1.19\n")
    client.run_expect([0], "chmod 0755 /usr/bin/restic")
    try:
        ended = play("converge.yml")
    finally:
        client.run_expect([0], "mv /usr/bin/restic.kept /usr/bin/restic")
    assert ended.status != 0
    assert "has restic 0.14.0; needed is 0.17 or newer" in ended.said
    assert "base_newer_packages" in ended.said


def test_its_own_check_finds_nothing_and_finds_what_is_wrong(play, client, backup, tmp_path):
    (tmp_path / "verify.yml").write_text(VERIFY)
    assert backup().status == 0
    ended = play(tmp_path / "verify.yml")
    assert "failed=0" in ended.said, ended.said
    assert "changed=0" in ended.said
    ended = play(tmp_path / "verify.yml", backup_client_verify_hours=0)
    assert "hours old, more than 0" in ended.said, ended.said
    client.run_expect([0], "systemctl stop facility-backup.timer")
    try:
        assert "facility-backup.timer is not active on client1" in play(tmp_path / "verify.yml").said
    finally:
        client.run_expect([0], "systemctl start facility-backup.timer")

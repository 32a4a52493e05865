# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's next run, its own check, and what it refuses."""

import pytest

from tests.refusals import refused_by
from tests.scenario import wait_until

JOB = {"name": "soon", "when": "*:*:0/3", "hours": 1, "command": ["sh", "-c", "touch came; exec sleep 601"]}
CAME = "/srv/facility/came"
REFUSED = [
    ({"controller_user": "nemo"}, "control1.controller.test has no user nemo (controller_user): adduser"),
    ({"controller_checkout": "/srv/none"}, "no checkout of this project in /srv/none (controller_checkout): clone"),
    ({"controller_inventory": "/srv/none"}, "has no inventory in /srv/none (controller_inventory): copy it there"),
    ({"controller_vault_password_file": "/etc/passwd"}, "than its owner: chmod 0600 /etc/passwd"),
    (
        {"controller_vault_password_file": "/srv/facility/inventories/site/password"},
        "would be backed up beside the vault that it opens; move it out",
    ),
    ({"controller_jobs": [{**JOB, "every": "1min"}]}, "must say either when"),
    ({"controller_jobs": [{key: value for key, value in JOB.items() if key != "when"}]}, "must say either when"),
    ({"controller_jobs": [{**JOB, "when": "Sam 14:00"}]}, "'Sam 14:00': Invalid argument. Write it as OnCalendar"),
    ({"controller_jobs": [{**JOB, "name": "a job"}]}, 'must be a word of a-z, 0-9 and "-"'),
    ({"controller_jobs": [JOB, JOB]}, "soon is the name of several in controller_jobs"),
]


refused = refused_by("controller", "control1.controller.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout


def test_check_mode_tells_what_would_come_and_what_would_go(play, control):
    look = "ls -l /etc/systemd/system/ /etc/systemd/system/timers.target.wants"
    before = control.check_output(look)
    ended = play("--check", "--diff")
    assert "changed=0" in ended.said, ended.said
    assert "failed=0" in ended.said
    ended = play("--check", "--diff", controller_jobs=[JOB])
    # Those that go are stopped; files come and go; the new timer starts.
    assert "changed=3" in ended.said, ended.said
    assert "+OnCalendar=*:*:0/3" in ended.said
    assert control.check_output(look) == before


def test_a_job_comes_at_its_time_and_one_that_left_the_list_is_gone(play, control):
    control.run("systemctl start facility-job-broken.service")
    assert "failed=0" in play(controller_jobs=[JOB]).said
    assert control.check_output("ls /etc/systemd/system | grep facility-job-").split() == [
        "facility-job-soon.service", "facility-job-soon.timer",
    ]  # fmt: skip
    wait_until(lambda: control.file(CAME).exists, "the job has run")
    assert control.file(CAME).user == "facility"
    wait_until(lambda: control.run("pgrep -fx 'sleep 601'").rc == 0, "the job runs")
    assert "failed=0" in play().said
    # What runs just now is stopped, too.
    assert control.run("pgrep -fx 'sleep 601'").rc == 1
    known = control.check_output("systemctl list-units --all --plain --no-legend 'facility-job-*.timer'")
    assert [line.split()[0] for line in known.splitlines()] == [
        f"facility-job-{name}.timer" for name in ("broken", "drill", "endless")
    ]
    assert "soon" not in control.check_output("systemctl list-units --all --plain 'facility-job-*'")
    assert not control.file("/var/lib/systemd/timers/stamp-facility-job-soon.timer").exists
    shown = control.check_output("systemctl show facility-job-drill.timer -p TimersCalendar -p Persistent")
    assert "OnCalendar=Sat *-*-* 14:00:00" in shown
    assert "Persistent=yes" in shown
    assert control.service("facility-job-drill.timer").is_enabled


def test_its_own_check_finds_nothing_and_finds_what_is_wrong(play, control):
    control.run("systemctl reset-failed 'facility-job-*'")
    ended = play(tasks="verify")
    assert "failed=0" in ended.said, ended.said
    assert "changed=0" in ended.said
    control.run("systemctl start facility-job-broken.service")
    control.run_expect([0], "systemctl stop facility-job-drill.timer")
    try:
        ended = play(tasks="verify")
    finally:
        control.run_expect([0], "systemctl start facility-job-drill.timer")
    assert "The last run of facility-job-broken on control1.controller.test failed: journalctl -u" in ended.said
    assert "facility-job-drill.timer does not wait on control1.controller.test" in ended.said
    assert "endless" not in ended.said

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job may, and who learns of it."""

import time

CREDENTIAL = "/run/credentials/facility-job-drill.service/vault-password"
LOCK = "/srv/facility/requirements.lock"


def test_a_job_is_its_user_s_with_the_project_s_tools_the_vault_and_all_hosts(control, run, noted):
    control.run("rm -f /run/told")
    assert run("drill").status == 0
    assert not control.file("/run/told").exists
    user, environment, folder, text, word, there = noted()
    assert (user, folder, word) == ("facility", "/srv/facility/playbooks", "from the vault")
    assert environment.startswith("/home/facility/.cache/facility-as-code/venv-")
    # Nothing between the list and the program has touched the argument.
    assert text == "50 % of $HOME"
    # Over SSH, out of its sandbox; the connection that Ansible keeps open ended with the job.
    assert there == "root of backup1.controller.test"
    assert control.run("pgrep -u facility ssh").rc == 1


def test_a_lock_file_that_has_changed_makes_new_tools(control, run, noted):
    before = control.check_output("ls /home/facility/.cache/facility-as-code")
    control.run_expect([0], f"echo '# another' >> {LOCK}")
    assert run("drill").status == 0
    assert noted()[1].rpartition("/")[2] not in before.split()
    assert control.file(f"{noted()[1]}/.complete").user == "facility"


def test_tools_that_can_t_be_made_are_told_with_the_cure(control, run):
    tools = "/srv/facility/testbed/tools.sh"
    control.run_expect([0], f"cp -a {tools} /root/kept && printf 'echo Not installed: x\\nexit 1\\n' >> {tools}")
    try:
        ended = run("drill")
    finally:
        control.run_expect([0], f"cp -a /root/kept {tools} && rm /root/kept")
    assert ended.status != 0
    assert "Not installed: x" in ended.said
    assert "Say there, as facility: make env" in ended.said


def test_the_vault_s_password_is_the_job_s_alone(control, secret):
    """While the job runs, over and over."""
    control.run_expect([0], "systemctl start --no-block facility-job-drill.service")
    looks, readers = "", set()
    while "activating" in control.check_output("systemctl show -p ActiveState --value facility-job-drill.service"):
        looks += control.check_output("ps -eww -o args")
        looks += control.run("runuser -u nobody -- sh -c 'cat /proc/[0-9]*/environ 2>/dev/null'").stdout
        for user in ("nobody", "facility"):
            if secret("vault") in control.run(f"runuser -u {user} -- cat {CREDENTIAL}").stdout:
                readers.add(user)
        time.sleep(0.1)
    assert "playbooks/drill.yml" in looks
    assert secret("vault") not in looks
    assert readers == {"facility"}
    assert not control.file(CREDENTIAL).exists
    assert control.run("runuser -u facility -- cat /etc/facility/vault-password").rc == 1
    assert secret("vault") not in control.check_output("journalctl --no-pager")
    assert control.run("grep -rF -e %s /etc/systemd /srv/facility /home/facility", secret("vault")).rc == 1


def test_somebody_is_told_of_a_job_that_failed_and_of_one_that_did_not_end(control, run):
    control.run("rm -f /run/told")
    ended = run("broken")
    assert ended.status != 0
    assert "playbooks/none.yml could not be found" in ended.said
    # 0.001 hours.
    ended = run("endless")
    assert ended.status != 0
    assert "timed out" in ended.said
    assert control.run("pgrep -fx 'sleep 600'").rc == 1
    told = control.file("/run/told").content_string
    assert told.splitlines() == ["facility-job-broken.service", "facility-job-endless.service"]


def test_a_job_gives_way_and_may_little(control):
    shown = control.check_output(
        "systemctl show facility-job-drill.service -p User -p Nice -p IOSchedulingClass -p CapabilityBoundingSet"
        " -p ProtectSystem -p NoNewPrivileges -p PrivateTmp -p ReadWritePaths -p TimeoutStartUSec"
    )
    assert set(shown.splitlines()) == {
        "User=facility", "Nice=10", "IOSchedulingClass=3", "CapabilityBoundingSet=", "ProtectSystem=strict",
        "NoNewPrivileges=yes", "PrivateTmp=yes", "TimeoutStartUSec=1h",
        "ReadWritePaths=/srv/facility /srv/facility/inventories/site /home/facility",
    }  # fmt: skip

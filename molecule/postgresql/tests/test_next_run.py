# SPDX-License-Identifier: GPL-3.0-or-later
"""What another run of the role changes, with other settings or on a host that others have touched."""

import re

testinfra_hosts = ["podman://omero1.postgresql.test"]
VERIFY = """
- name: Verify
  hosts: postgresql
  gather_facts: false
  tasks:
    - name: The database is asked
      ansible.builtin.include_role: {name: postgresql, tasks_from: verify}
"""


def megabytes(administrator, setting):
    return int(administrator(f"SELECT pg_size_bytes(current_setting('{setting}')) / 1048576"))


def test_settings_in_force_follow_the_memory(host, administrator, converge):
    total = int(re.search(r"MemTotal: +(\d+)", host.file("/proc/meminfo").content_string).group(1)) // 1024
    assert abs(megabytes(administrator, "shared_buffers") - total * 0.25 / 4) <= 2
    assert abs(megabytes(administrator, "effective_cache_size") - total * 0.25 * 3 / 4) <= 2
    # Were every connection to sort in three steps, buffers and all still stay within the share.
    used = megabytes(administrator, "shared_buffers") + 3 * 100 * megabytes(administrator, "work_mem")
    assert used <= max(total * 0.25, 3 * 100 * 4 + 64) + 2
    try:
        assert "failed=0" in converge(postgresql_memory_share=0.1).stdout
        assert abs(megabytes(administrator, "shared_buffers") - max(total * 0.1 / 4, 64)) <= 2
    finally:
        assert "failed=0" in converge().stdout
    assert administrator("SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"


def test_a_password_that_was_changed_in_the_vault_is_changed_here(host, psql, password, converge):
    users = [{"name": "images", "password": "Another-one-then"}, {"name": "bookings", "password": password("bookings")}]
    try:
        assert "failed=0" in converge(postgresql_users=users).stdout
        assert psql("SELECT 1")[0] == 2
        assert psql("SELECT 1", secret="Another-one-then")[0] == 0
        assert "Another-one-then" not in host.run("cat /var/log/postgresql/*; journalctl --no-pager").stdout
        assert "changed=0" in converge(postgresql_users=users).stdout
    finally:
        assert "failed=0" in converge().stdout
    assert psql("SELECT 1")[0] == 0


def test_an_empty_newer_cluster_is_not_served_instead(host, converge):
    """What a careless upgrade of Debian leaves behind."""
    host.run_expect([0], "mkdir -p /etc/postgresql/99/main && touch /etc/postgresql/99/main/postgresql.conf")
    try:
        run = converge()
        assert run.returncode != 0
        assert "99/main" in run.stdout + run.stderr
        assert "docs/services/postgresql.md" in re.sub(r"\s+", " ", run.stdout + run.stderr)
    finally:
        host.run_expect([0], "rm -r /etc/postgresql/99")


def test_a_host_that_is_no_client_any_more_is_refused(psql, converge):
    assert psql("SELECT 1")[0] == 0
    try:
        assert "failed=0" in converge(postgresql_clients=[]).stdout
        status, answer = psql("SELECT 1")
        assert status == 2
        assert "no pg_hba.conf entry" in answer
    finally:
        assert "failed=0" in converge().stdout
    assert psql("SELECT 1")[0] == 0


def test_the_role_s_own_check_finds_nothing_and_finds_what_is_wrong(host, play, tmp_path):
    (tmp_path / "verify.yml").write_text(VERIFY)
    run = play(tmp_path / "verify.yml", "postgresql")
    assert run.stdout.count("failed=0") == 2, run.stdout
    assert run.stdout.count("changed=0") == 2
    rules = "/etc/postgresql/15/main/pg_hba.conf"
    host.run_expect([0], f"cp -a {rules} /root/ && echo 'host all all all scram-sha-256' >> {rules}")
    host.run_expect([0], "systemctl reload postgresql@15-main")
    try:
        run = play(tmp_path / "verify.yml", "omero1.postgresql.test")
        assert "lets somebody try a password without TLS" in re.sub(r"\s+", " ", run.stdout + run.stderr), run.stdout
    finally:
        host.run_expect([0], f"cp -a /root/pg_hba.conf {rules} && systemctl reload postgresql@15-main")

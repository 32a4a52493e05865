# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody finds who looks for the register's weak sides."""

import json
import re
import shlex
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.refusals import refused_by
from tests.scenario import played, wait_until

NAME = "register1.register.test"
SECRETS = ("key", "token", "bind")
UNITS = ("register.service", "register-decide.service", "register-export.service", "register-remind.service")


def handshake(*options):
    command = ["openssl", "s_client", "-connect", f"{NAME}:443", "-cipher", "ALL:@SECLEVEL=0", *options]
    return subprocess.run(command, input="", capture_output=True, text=True, check=False)


def test_old_tls_is_refused():
    assert "protocol version" in handshake("-tls1_1", "-servername", NAME).stderr
    assert handshake("-tls1_2", "-servername", NAME).returncode == 0


def test_another_name_gets_no_certificate():
    assert "unrecognized name" in handshake("-servername", "other.register.test").stderr


def test_the_certificate_is_verified_by_the_authority_alone():
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"https://{NAME}/log-in/", timeout=10)


def test_unencrypted_requests_are_sent_to_the_encrypted_register():
    answer = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", "--include", f"http://{NAME}/people/"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert re.search(r"(?m)^HTTP/1.1 301", answer)
    assert f"Location: https://{NAME}/people/" in answer


def test_pages_and_style_sheets_say_how_browsers_must_treat_them(visitor):
    for path in ("log-in/", "static/register/register.css", "nowhere"):
        headers = visitor.open(path).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000", path
        assert headers["X-Content-Type-Options"] == "nosniff", path
    page = visitor.open("log-in/").headers
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]
    cookie = page["Set-Cookie"]
    assert cookie.startswith("__Host-csrf=")
    assert "Secure" in cookie


def test_style_sheets_come_from_the_web_server(visitor, host):
    host.run_expect([0], "systemctl stop register.socket register.service")
    try:
        assert "body" in visitor.open("static/register/register.css").text
        assert visitor.open("log-in/").status == 502
    finally:
        host.run_expect([0], "systemctl start register.socket register.service")
    assert visitor.open("log-in/").status == 200


def test_nothing_beside_style_sheets_is_served_as_a_file(visitor):
    for path in ("static/../lib/facility/register/settings.py", "static/%2e%2e/requirements.lock", "static../lib/"):
        assert visitor.open(path).status in {400, 404}, path


def test_another_host_s_name_in_the_request_is_refused(visitor):
    assert visitor.open("log-in/", headers={"Host": "other.register.test"}).status == 421


def test_a_file_that_is_too_large_is_refused(visitor):
    assert visitor.open("log-in/", {"username": "x" * 21_000_000}).status == 413


def test_who_sends_much_without_a_log_in_reads_why_nothing_was_taken(visitor):
    # Each is taken whole before it is answered; else the web server tells an error of its own, now and then.
    large = {"username": "x" * 15_000_000}
    for path in ("log-in/", "people/aadler/document/"):
        assert {visitor.open(path, large).status for _ in range(5)} <= {400, 403}, path


def test_many_log_ins_from_one_address_are_slowed_down(visitor):
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', visitor.open("log-in/").text)[1]
    form = {"username": "sten", "password": "guess", "csrfmiddlewaretoken": token}
    answers = [visitor.open("log-in/", form).status for _ in range(60)]
    assert 200 in answers
    assert answers.count(429) > 20
    # Whoever only reads is not slowed down.
    assert {visitor.open("log-in/").status for _ in range(30)} == {200}


@pytest.mark.parametrize("name", ["secret-key", "export-token", "bind-password"])
def test_a_secret_is_readable_for_the_register_alone(host, name):
    file = host.file(f"/etc/register/{name}")
    assert (file.user, file.mode) == ("register", 0o400)
    assert host.run(f"runuser -u www-data -- cat /etc/register/{name}").rc == 1


@pytest.mark.parametrize("name", SECRETS)
def test_neither_processes_nor_logs_nor_open_files_tell_a_secret(host, secret, name):
    word = shlex.quote(secret(name))
    assert len(secret(name)) >= 12
    assert host.run(f"grep -rlF -e {word} /etc/register").stdout.count("\n") == 1
    assert secret(name) not in host.check_output("ps -eww e")
    assert secret(name) not in host.run("journalctl --no-pager").stdout
    assert host.run(f"grep -rlF -e {word} /var/log /var/lib/register").stdout == ""
    search = (
        f"find /opt /etc /run /var /root /tmp /usr/local -xdev -type f -perm /o=r -print0 | xargs -0 grep -lF -e {word}"
    )
    assert host.run(search).stdout == ""


def test_people_s_passwords_are_kept_nowhere(host, logged_in):
    logged_in("sten")
    assert "Secret-of" not in host.run("journalctl --no-pager").stdout
    assert host.run("grep -rlF Secret-of- /var/log /var/lib/register /tmp").stdout == ""


def test_the_register_can_change_neither_its_program_nor_its_rules(host):
    for path in ("/opt/register/lib/facility/register/urls.py", "/opt/register/venv/bin/python", "/opt/register/static",
                 "/etc/register/policy.json", "/etc/register/register.toml", "/etc/register"):  # fmt: skip
        assert host.run(f"runuser -u register -- test -w {path}").rc == 1, path


def test_the_program_came_as_it_is_and_nothing_was_compiled(host):
    folder = "/opt/register/lib/facility"
    assert host.run(f"find {folder} -name __pycache__").stdout == ""
    assert host.run(f"find {folder} ! -user root -o -perm /022").stdout == ""
    assert not host.package("gcc").is_installed
    show = "import ldap, django; print(ldap.__file__, django.__file__)"
    where = f"runuser -u register -- /opt/register/venv/bin/python -c '{show}'"
    assert host.check_output(where).startswith("/usr/lib/python3/dist-packages/ldap")
    assert "/opt/register/venv/lib" in host.check_output(where)


@pytest.mark.parametrize("unit", ["register", "nginx"])
def test_a_service_starts_with_the_host_and_sees_little_of_it(host, unit):
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled
    process = host.check_output(f"systemctl show --property MainPID --value {unit}")
    for path in ("/etc/written", "/opt/register/written", "/usr/written", "/etc/register/written"):
        assert host.run(f"nsenter --target {process} --mount touch {path}").rc == 1, path
    assert host.check_output(f"nsenter --target {process} --mount ls -A /root /home") == "/home:\n\n/root:"
    assert re.search(r"^NoNewPrivs:\s1$", host.file(f"/proc/{process}/status").content_string, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS)
def test_the_register_s_units_are_locked_in(host, unit):
    exposure = host.check_output(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) < 2.5, exposure
    assert host.check_output(f"systemctl show --property User --value {unit}") == "register"
    assert host.run(f"systemd-analyze verify {unit}").stderr == ""


def test_only_the_web_server_reaches_the_register(host):
    assert re.search(r"\s0 .*gunicorn", host.run("ss --no-header --listening --tcp --process").stdout) is None
    socket = host.file("/run/register.sock")
    assert (socket.user, socket.mode) == ("www-data", 0o600)


@pytest.mark.parametrize("whom", ["main", "all"])
def test_the_register_comes_back_after_a_kill(host, visitor, whom):
    before = host.check_output("systemctl show --property MainPID --value register")
    host.run_expect([0], f"systemctl kill --signal=KILL --kill-whom={whom} register")
    wait_until(lambda: visitor.open("log-in/").status == 200, "the register answers again", 30)
    assert host.check_output("systemctl show --property MainPID --value register") != before


def test_a_restart_loses_no_request(host, visitor):
    host.run_expect([0], "systemctl --no-block restart register")
    assert {visitor.open("log-in/").status for _ in range(40)} == {200}


def test_nothing_was_complained_about(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""
    # A page that is refused to somebody leaves a traceback, too.
    said = host.run("journalctl -u register --no-pager").stdout
    faults = [line for line in said.splitlines() if "Internal Server Error" in line or "[ERROR]" in line]
    assert [line for line in faults if "SIGKILL" not in line] == []
    # What the tests did themselves: too many log-ins, too large a file, a register that was stopped or killed.
    own = "limiting requests|too large body|register.sock"
    faults = host.run(
        f"grep -E '\\[(warn|error|crit|alert|emerg)\\]' /var/log/nginx/error.log | grep -vE '{own}'"
    ).stdout
    assert faults == ""


REFUSED = [
    ({"register_secret_key": "short"}, "shorter than 50 characters"),
    ({"register_export_token": "two words, and long enough"}, "24 characters or more of A-Z"),
    ({"register_directory_uri": "ldap://dc1.register.test"}, "must be ldaps://host"),
    ({"register_directory_uri": "ldaps://dc1.register.test, ldaps://dc2"}, "without spaces"),
    ({"register_directory_bind_password": ""}, "register_directory_bind_password is empty"),
    ({"register_staff_group": "facility-staff"}, "are DNs of groups"),
    ({"register_staff_group": ""}, "can't be empty"),
    ({"register_policy": {"facility": {}, "administrators": []}}, "research_groups, instruments, time_zone"),
    ({"register_mail": {"server": "mail.register.test"}}, "have server and from"),
    ({"register_workers": 0}, "must be 1 or more"),
    ({"register_tls_key": "/etc/facility/tls/none.key"}, "playbooks/base.yml first"),
    ({"register_policy": {"facility": {"research_groups": [{"name": "neuro", "title": "N"}], "instruments": [],
                                       "time_zone": "Europe/Nowhere"}, "administrators": []}}, "Europe/Nowhere"),
]  # fmt: skip
refused = refused_by("register", NAME, REFUSED)


def test_settings_that_can_not_work_are_refused_with_the_cure(refused):
    for settings, words in REFUSED:
        assert words in refused.said(settings)
    assert "changed=0" in refused.run.stdout
    assert "two words, and long" not in refused.run.stdout


def test_a_new_policy_decides_about_everybody_at_once(converge, logged_in):
    run = converge(briefing="the other briefing")
    assert "failed=0" in run.stdout, run.stdout
    assert "Decisions about everybody in the register" in run.stdout
    assert logged_in("sten").open("people/").status == 200
    assert "changed=0" in converge(briefing="the other briefing").stdout
    assert "failed=0" in converge().stdout


def test_check_mode_changes_nothing_and_says_so(converge):
    run = converge("--check", "--diff")
    assert "failed=0" in run.stdout, run.stdout
    assert "changed=0" in run.stdout, run.stdout


def test_the_self_check_is_content_and_finds_what_is_broken(host, tmp_path, secret, authority):
    book = tmp_path / "verify.yml"
    tasks = [{"name": "Verify", "ansible.builtin.include_role": {"name": "register", "tasks_from": "verify"}}]
    book.write_text(json.dumps([{"name": "Ask", "hosts": "register", "gather_facts": False, "tasks": tasks}]))
    whom = {"register_verify_account": "sten", "register_verify_password": "Secret-of-sten"}
    run = played(book, **whom)
    assert "failed=0" in run.stdout, run.stdout
    assert "changed=0" in run.stdout
    assert secret("token") not in run.stdout
    assert "failed=1" in played(book, register_export_token="x" * 30).stdout
    assert "failed=1" in played(book, **{**whom, "register_verify_password": "wrong"}).stdout

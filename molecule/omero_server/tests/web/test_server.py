# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody finds who looks for OMERO.web's weak sides."""

import re
import shlex
import subprocess
import urllib.request

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]
NAME = "omero1.omero.test"


def handshake(*options):
    command = ["openssl", "s_client", "-connect", f"{NAME}:443", "-cipher", "ALL:@SECLEVEL=0", *options]
    return subprocess.run(command, input="", capture_output=True, text=True, check=False)


def test_old_tls_is_refused():
    assert "protocol version" in handshake("-tls1_1", "-servername", NAME).stderr
    assert handshake("-tls1_2", "-servername", NAME).returncode == 0


def test_another_name_gets_no_certificate_and_no_answer(visitor):
    assert "unrecognized name" in handshake("-servername", "other.omero.test").stderr
    assert visitor.open("/webclient/login/", headers={"Host": "other.omero.test"})[0] == 421


def test_unencrypted_requests_are_sent_to_the_encrypted_site():
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    for url in (f"http://{NAME}/webclient/", "http://10.42.6.31/webclient/"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.build_opener(Stay).open(url, timeout=5)
        assert caught.value.headers["Location"] == f"https://{NAME}/webclient/"


def test_what_browsers_need_is_served_and_what_they_do_not_is_not(visitor):
    page = visitor.open("/webclient/login/")[1]
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert found
    for path in found:
        assert visitor.open(path)[0] == 200, path
    for path in ("/static/../etc/grid/config.xml", "/static../var/django.pid", "/static/", "/etc/grid/config.xml"):
        assert visitor.open(path)[0] in {400, 403, 404}, path


def test_nothing_but_the_web_server_listens_for_the_web_from_outside(host):
    """OMERO.server's own inner ports are behind the firewall: test_access.py."""
    lines = host.check_output("ss --no-header --listening --tcp --numeric --processes").splitlines()
    outside = [line for line in lines if not line.split()[3].startswith(("127.", "[::1]"))]
    ports = {line.split()[3].rpartition(":")[2]: line for line in outside}
    assert {"22", "80", "443", "4064"} <= set(ports)
    assert "nginx" in ports["443"]
    assert not [line for line in outside if "gunicorn" in line or "redis" in line]


def test_redis_has_no_port_and_opens_to_omero_web_alone(host):
    assert "redis" not in host.check_output("ss --no-header --listening --tcp --process")
    assert not host.service("redis-server").is_running
    ask = "redis-cli -s /run/redis-omero-web/redis.sock ping"
    assert host.run(f"runuser -u nobody -- {ask}").stdout.strip() != "PONG"
    assert host.run(f"runuser -u www-data -- {ask}").stdout.strip() != "PONG"
    assert host.check_output(f"runuser -u omero-web -G redis -- {ask}") == "PONG"


def test_the_key_of_the_cookies_is_omero_web_s_alone(host, secret):
    key = secret("key")
    assert len(key) >= 50
    file = host.file("/opt/omero/web/etc/grid/config.xml")
    assert (file.user, file.group, file.mode) == ("omero-web", "omero-web", 0o600)
    assert host.run(f"grep -cF {shlex.quote(key)} {file.path}").rc == 0
    places = "/opt/omero /etc /run /var /root /tmp /usr/local"
    search = f"find {places} -xdev -type f -perm /o=r -print0 | xargs -0 grep -lF -e {shlex.quote(key)}"
    assert host.run(search).stdout == ""
    assert key not in host.check_output("ps -eww e")
    assert key not in host.run("journalctl --no-pager").stdout
    assert host.run(f"grep -rlF -e {shlex.quote(key)} /opt/omero/web/var /var/log").stdout == ""


@pytest.mark.parametrize("unit", ["omero-web", "nginx"])
def test_a_service_starts_with_the_host_and_sees_little_of_it(host, unit):
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled
    process = host.check_output(f"systemctl show --property MainPID --value {unit}")
    for path in ("/etc/written", "/opt/omero/web/venv/written", "/usr/written", "/OMERO/written"):
        assert host.run(f"nsenter --target {process} --mount touch {path}").rc == 1, path
    assert host.check_output(f"nsenter --target {process} --mount ls -A /root /home") == "/home:\n\n/root:"
    assert re.search(r"^NoNewPrivs:\s1$", host.file(f"/proc/{process}/status").content_string, re.MULTILINE)
    exposure = host.check_output(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure).group(1)) < 4, exposure


def test_omero_web_does_not_believe_another_server_than_its_own(host):
    """Were the name in the certificate not checked, whoever answers at that address would get people's passwords."""
    settings = host.file("/opt/omero/web/etc/ice.config").content_string
    assert "IceSSL.CheckCertName=1" in settings
    assert "IceSSL.VerifyPeer=1" in settings
    process = host.check_output("systemctl show --property MainPID --value omero-web")
    assert "ICE_CONFIG=/opt/omero/web/etc/ice.config" in host.file(f"/proc/{process}/environ").content_string


def test_nothing_was_complained_about(host):
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""
    assert "Traceback" not in host.run("journalctl -u omero-web --no-pager").stdout


def test_many_log_ins_from_one_address_are_slowed_down(visitor):
    """The last one here: for a while nobody else gets in from this address."""
    form = {"server": 1, "username": "nobody", "password": "guess"}
    answers = [visitor.open("/webclient/login/", form)[0] for _ in range(25)]
    assert 403 in answers
    assert 429 in answers
    assert visitor.open("/webclient/login/")[0] == 200

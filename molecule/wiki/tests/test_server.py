# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody finds who looks for the wiki's weak sides."""

import os
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


def handshake(*options):
    command = ["openssl", "s_client", "-connect", "wiki1.wiki.test:443", "-cipher", "ALL:@SECLEVEL=0", *options]
    return subprocess.run(command, input="", capture_output=True, text=True, check=False)


def test_old_tls_is_refused():
    assert "protocol version" in handshake("-tls1_1", "-servername", "wiki1.wiki.test").stderr
    assert handshake("-tls1_2", "-servername", "wiki1.wiki.test").returncode == 0


def test_another_name_gets_no_certificate():
    assert "unrecognized name" in handshake("-servername", "other.wiki.test").stderr


def test_unencrypted_requests_are_sent_to_the_encrypted_wiki():
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open("http://wiki1.wiki.test/start", timeout=5)
    assert caught.value.headers["Location"] == "https://wiki1.wiki.test/start"


@pytest.mark.parametrize(
    "path",
    [
        "conf/local.php", "conf/local.protected.php", "data/pages/start.txt", "data/meta/_htcookiesalt", "inc/init.php",
        "bin/dwpage.php", "vendor/autoload.php", "lib/plugins/authldap/auth.php", "lib/exe/xmlrpc.php",
        "lib/exe/jsonrpc.php", "install.php", ".htaccess", "lib/exe/.htaccess",
    ],
)  # fmt: skip
def test_what_is_not_for_browsers_is_not_served(visitor, path):
    assert visitor.open(path)[0] == 404


def test_what_browsers_need_is_served(visitor):
    for path in (
        "lib/exe/css.php?t=dokuwiki",
        "lib/exe/js.php?t=dokuwiki",
        "lib/exe/jquery.php",
        "lib/images/blank.gif",
    ):
        assert visitor.open(path)[0] == 200, path


def test_the_directorys_password_is_the_wikis_alone(host):
    secrets = host.file("/etc/dokuwiki/local.protected.php")
    assert (secrets.user, secrets.group, secrets.mode) == ("root", "www-data", 0o640)
    show = 'include "/etc/dokuwiki/local.protected.php"; echo $conf["plugin"]["authldap"]["bindpw"];'
    password = host.check_output(f"php -r '{show}'")
    assert len(password) > 8
    assert password not in host.check_output("ps -eww e")
    assert host.run(f"runuser -u nobody -- grep -rlF '{password}' /etc /var/lib/dokuwiki /run 2>/dev/null").stdout == ""


def test_the_wiki_can_not_change_its_own_rules(host):
    for path in (
        "/etc/dokuwiki/local.php",
        "/var/lib/dokuwiki/acl/acl.auth.php",
        "/etc/dokuwiki/plugins.protected.php",
    ):
        assert host.run(f"runuser -u www-data -- test -w {path}").rc == 1


def test_apache_was_not_brought_along(host):
    assert not host.package("apache2-bin").is_installed
    assert not host.package("libapache2-mod-php8.4").is_installed


@pytest.mark.parametrize("unit", ["nginx", "php8.4-fpm"])
def test_a_service_starts_with_the_host_and_sees_little_of_it(host, unit):
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled
    process = host.check_output(f"systemctl show --property MainPID --value {unit}")
    assert host.run(f"nsenter --target {process} --mount touch /etc/dokuwiki/written").rc == 1
    assert host.check_output(f"nsenter --target {process} --mount ls /root") == ""


def test_php_starts_no_programs_and_reads_no_other_files(host, visitor):
    probe = "/usr/share/dokuwiki/lib/exe/fetch-probe.php"
    script = '<?php echo json_encode([function_exists("exec"), @file_get_contents("/etc/passwd")]);'
    host.run_expect([0], f"echo '{script}' > {probe}")
    try:
        request = (
            f"SCRIPT_FILENAME={probe} REQUEST_METHOD=GET SCRIPT_NAME=/ runuser -u www-data -- "
            "cgi-fcgi -bind -connect /run/php/wiki.sock"
        )
        host.run_expect([0], "command -v cgi-fcgi || apt-get install -qq -y --no-install-recommends libfcgi-bin")
        assert "[false,false]" in host.check_output(request)
    finally:
        host.run(f"rm {probe}")


def test_many_logins_from_one_address_are_slowed_down(visitor):
    def guess(_number):
        return visitor.open("start", {"do": "login", "u": "nobody", "p": "guess"})[0]

    # At once: one after the other, a slow directory would slow them down itself.
    with ThreadPoolExecutor(60) as guessers:
        answers = list(guessers.map(guess, range(60)))
    assert 403 in answers
    assert 429 in answers


# Ways to write a name so that a web server's own rules overlook it.
SPELT = ["u={0}&p={1}", "u=&u={0}&p={1}", "%75={0}&p={1}", "+u={0}&p={1}", "%20u={0}&%70={1}", "u={0}&u[]=x&p={1}",
         "p={1}&u={0}#", "u%00={0}&p={1}&u={0}"]  # fmt: skip


@pytest.mark.parametrize("page", ["start", "doku.php", "lib/exe/fetch.php", "lib/exe/ajax.php", "feed.php"])
@pytest.mark.parametrize("spelt", SPELT)
def test_a_name_in_an_address_logs_nobody_in_however_it_is_spelt(host, visitor, page, spelt):
    status, text = visitor.open(f"{page}?do=login&{spelt.format('reader', 'Secret-of-reader')}")
    assert status in {400, 404}, text
    assert "do=logout" not in visitor.open("start")[1]
    assert "Secret-of-reader" not in host.run("cat /var/log/nginx/access.log").stdout


def test_neither_journal_nor_processes_tell_the_directory_s_password(host):
    word = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "bind").read_text().strip() + "-1a"
    assert word in host.check_output("cat /etc/dokuwiki/local.protected.php")
    assert word not in host.run("journalctl --no-pager").stdout
    assert word not in host.check_output("ps -eww e")


def test_nothing_was_complained_about(host):
    assert "PHP" not in host.file("/var/log/nginx/error.log").content_string
    assert host.run("ls -A /var/lib/dokuwiki/data/log/error").stdout == ""
    assert host.check_output("systemctl list-units --state=failed --plain --no-legend") == ""


def test_a_directory_with_a_certificate_of_another_authority_gets_no_passwords(host, visitor, converge):
    pool = "/etc/php/8.4/fpm/pool.d/wiki.conf"
    other = "/etc/ssl/certs/ISRG_Root_X1.pem"
    host.run_expect([0], f"test -e {other} && sed -i 's#^env.LDAPTLS_CACERT.*#env[LDAPTLS_CACERT] = {other}#' {pool}")
    host.run_expect([0], "systemctl restart php8.4-fpm")
    try:
        assert not visitor.log_in("reader", "Secret-of-reader")
    finally:
        assert "failed=0" in converge().stdout
    assert visitor.log_in("reader", "Secret-of-reader")

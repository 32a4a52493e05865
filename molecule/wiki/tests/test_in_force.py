# SPDX-License-Identifier: GPL-3.0-or-later
"""Web server and PHP of a run that was killed before they read their new settings."""

import re

import pytest

from tests.scenario import wait_until

POOL = "/etc/php/8.4/fpm/pool.d/wiki.conf"
SITE = "/etc/nginx/conf.d/wiki.conf"


@pytest.fixture
def changes(converge):
    """Run the role again; return how many tasks changed something."""

    def again():
        run = converge()
        assert run.returncode == 0, run.said
        return int(re.findall(r"changed=(\d+)", run.stdout)[-1])

    return again


def killed_run(host, path, older, unit):
    """Let a unit run with an older text of a file, and put the right one in place without telling the unit."""
    right = host.check_output("base64 --wrap=0 %s", path)
    host.run_expect([0], f"sed -i '{older}' {path} && systemctl restart {unit}")
    host.run_expect([0], f"echo {right} | base64 --decode >{path}.new && mv {path}.new {path}")


def test_the_web_server_serves_what_a_killed_run_has_put_in_place(host, visitor, changes):
    killed_run(host, SITE, "s/listen 443 ssl;/listen 443 ssl; return 418;/", "nginx.service")
    assert wait_until(lambda: visitor.open("start")[0], "nginx") == 418
    assert changes() == 1
    assert visitor.open("start")[0] == 200
    assert changes() == 0


def test_php_works_with_what_a_killed_run_has_put_in_place(host, visitor, changes):
    """Names in addresses are refused by a file that the pool's settings name."""
    killed_run(host, POOL, "/auto_prepend_file/d", "php8.4-fpm.service")
    assert visitor.open("start?u=somebody")[0] != 400
    assert changes() == 1
    assert visitor.open("start?u=somebody")[0] == 400
    assert changes() == 0

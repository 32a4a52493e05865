# SPDX-License-Identifier: GPL-3.0-or-later
"""The calendar of what runs out, over TLS and with the directory: whose it is, how long, and who else learns of it."""

import re
import shlex

import pytest

from tests.scenario import wait_until

RECHECK = 4


@pytest.fixture
def calendar(logged_in):
    """The path of somebody's calendar, made anew."""

    def calendar(login):
        browser = logged_in(login)
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', browser.open("calendar/").text)[1]
        page = browser.open("calendar/", {"step": "renew", "csrfmiddlewaretoken": token})
        return re.search(r'value="https://[^/"]+/(calendar/[^"]+\.ics)"', page.text)[1]

    return calendar


def test_a_calendar_needs_no_log_in_and_its_secret_is_in_no_log(host, visitor, calendar):
    path = calendar("sten")
    answer = visitor.open(path)
    assert answer.status == 200 and answer.text.startswith("BEGIN:VCALENDAR")
    assert visitor.open(path, headers={"If-None-Match": answer.headers["ETag"]}).status == 304
    assert visitor.open(f"{path}x").status == 404
    secret = shlex.quote(path.removeprefix("calendar/").removesuffix(".ics"))
    assert host.run(f"grep -rlF -e {secret} /var/log /var/lib/register").stdout == ""
    assert host.run(f"journalctl --no-pager | grep -F -e {secret}").stdout == ""


def test_who_leaves_staff_loses_the_calendar_for_good(visitor, calendar, directory):
    path = calendar("lena")
    assert visitor.open(path).status == 200
    directory.run_expect([0], "samba-tool group removemembers facility-staff lena")
    try:
        wait_until(lambda: visitor.open(path).status == 404, "Lena's calendar has ended", RECHECK + 10)
    finally:
        directory.run_expect([0], "samba-tool group addmembers facility-staff lena")
    assert visitor.open(path).status == 404


@pytest.fixture
def lasting(calendar, request):
    """A calendar that was made while the directory answered, which is down now."""
    path = calendar("sten")
    request.getfixturevalue("directory_down")
    return path


def test_while_the_directory_is_down_calendars_stay(visitor, lasting):
    assert visitor.open(lasting).status == 200


def test_guessing_addresses_is_slowed_down(visitor):
    assert [visitor.open("calendar/guess.ics").status for _ in range(60)].count(429) > 20

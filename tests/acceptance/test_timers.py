# SPDX-License-Identifier: GPL-3.0-or-later
"""No night is left out and no hour lost where the clock changes: each of our timers, five years, in three zones."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import testinfra
import yaml

from tests.acceptance.register import EXAMPLE

# Hours that are left out: 02 to 03, 02 to 03 on other days, and half an hour.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
YEARS = range(2027, 2032)
HOUR = timedelta(hours=1)
UNTIL = datetime(2032, 1, 1, tzinfo=UTC)


def changes(zone):
    """The moments at which a zone's clock is changed."""
    where, moment = ZoneInfo(zone), datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while moment < UNTIL:
        after = moment + HOUR
        if moment.astimezone(where).utcoffset() != after.astimezone(where).utcoffset():
            yield after
        moment = after


def elapses(expression, zone, begin, count):
    """When a timer comes, from a moment on."""
    command = ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={begin:%Y-%m-%d %H:%M:%S} UTC"]
    told = subprocess.run(
        [*command, expression],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TZ": zone, "LC_ALL": "C"},
    ).stdout
    # Each moment has a line in local time, and one in UTC where that is another.
    found = re.findall(r"\(in UTC\): \w+ (\S+ \S+) UTC", told) or re.findall(r"\w+ (\d{4}-\S+ \S+) UTC", told)
    return [datetime.strptime(one, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for one in found]


def steps(moments):
    return [later - earlier for earlier, later in pairwise(moments)]


def faults(expression, zone):
    """What is wrong with a timer around the changes of the clock."""
    quiet = datetime(2027, 7, 5, tzinfo=UTC)
    usual = steps(elapses(expression, zone, quiet, 15))
    most, least = max(usual), min(usual)
    for change in changes(zone):
        around = elapses(expression, zone, change - 2 * most, 9 if most > HOUR else int(4 * HOUR / most) + 9)
        # By the day, a step may be an hour longer or shorter; by the hour or minute it is what it always is.
        slack = HOUR if most > HOUR else timedelta(0)
        for step in steps(around):
            if step > most + slack:
                yield f"{expression} in {zone}: {step} without a run around {change:%Y-%m-%d}"
            if step < least - slack or (slack and step <= HOUR and least > HOUR):
                yield f"{expression} in {zone}: twice within {step} around {change:%Y-%m-%d}"


@pytest.fixture(scope="module")
def expressions():
    """Calendar expressions of all timers that our roles have made, on all hosts of the example."""
    hosts = yaml.safe_load((EXAMPLE / "hosts.yml").read_text())["all"]["hosts"]
    found = {}
    for name in hosts:
        host = testinfra.get_host(f"podman://{name}")
        if not host.run("test -d /etc/systemd/system").succeeded:
            continue
        ours = host.run("cd /etc/systemd/system && ls *.timer 2>/dev/null").stdout.split()
        for timer in ours:
            shown = host.run(f"systemctl show --property TimersCalendar {timer}").stdout
            for expression in re.findall(r"OnCalendar=([^;]+) ;", shown):
                found.setdefault(expression.strip(), f"{timer} on {name}")
    return found


def test_the_timers_of_all_roles_are_looked_at(expressions):
    timers = " ".join(expressions.values())
    for unit in ("facility-backup", "backup-inspect", "backup-base", "register-decide"):
        assert unit in timers


def test_no_timer_leaves_out_or_doubles_a_run_when_the_clock_is_changed(expressions):
    wrong = [fault for expression in expressions for zone in ZONES for fault in faults(expression, zone)]
    assert wrong == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [("*-*-* 02:15:00", "without a run"), ("*:0/15", "without a run"), ("*:*:00", "without a run")],
)
def test_a_timer_in_the_changed_hour_is_found(expression, words):
    assert any(words in fault for fault in faults(expression, "Europe/Berlin"))


def test_every_zone_changes_its_clock_twice_a_year():
    assert {zone: len(list(changes(zone))) for zone in ZONES} == dict.fromkeys(ZONES, 2 * len(YEARS))

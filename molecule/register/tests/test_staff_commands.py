# SPDX-License-Identifier: GPL-3.0-or-later
"""Staff without a browser, on the register's host. What is recorded here stays: these tests come last."""

import json


def test_a_briefing_is_shown_first_recorded_on_request_and_seen_in_the_pages(host, logged_in):
    shown = host.run_expect([0], "facility session record safety lena --by sten").stdout
    assert "log-on:sted denied -> allowed" in shown and "Nothing was recorded" in shown
    assert "denied" in host.run_expect([0], "facility access lena sted").stdout
    done = host.run_expect([0], "facility session record safety lena --by sten --record --json").stdout
    assert json.loads(done)["recorded"] is True
    assert "allowed" in host.run_expect([0], "facility access lena sted").stdout
    assert "the safety briefing on" in logged_in("sten").open("people/lena/").text


def test_who_leaves_is_shut_out_and_may_come_back(host):
    left = host.run_expect([0], "facility person leave rita --reason left --by sten --record").stdout
    assert "wiki allowed -> denied" in left
    back = host.run_expect([0], "facility person return rita --reason 'a new contract' --by sten --record").stdout
    assert "wiki denied -> allowed" in back
    host.run_expect([0], "facility-register audit")


def test_who_is_not_of_the_staff_records_nothing_and_a_slip_is_named(host):
    refused = host.run_expect([1], "facility person leave rita --by bert --record").stderr
    assert "is no member of the staff" in refused
    assert 'did you mean "rita"' in host.run_expect([2], "facility person leave ritta --by sten").stderr

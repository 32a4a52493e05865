# SPDX-License-Identifier: GPL-3.0-or-later
"""A log-on becomes a session in PPMS and ends at log-off: the task runs by itself, once a minute of the PC's clock."""

from __future__ import annotations

import time


def test_whoever_logs_on_is_counted_until_log_off(fast, counted, until):
    fast.device("log-on", r"IMAGING\aadler")
    minutes = until(lambda: [entry["minutes"] for entry in counted("aadler") if entry["minutes"] >= 3])
    fast.device("log-off")
    state = until(lambda: fast.look()["state"] if fast.look()["state"]["last_result"] == "nobody" else None)
    assert state["session_login"] == ""
    last = counted("aadler")[-1]["minutes"]
    assert last >= minutes[-1]
    time.sleep(4)
    assert counted("aadler")[-1]["minutes"] == last, "after log-off nothing is reported"


def test_the_next_person_has_a_session_of_their_own(fast, counted, until):
    fast.device("log-on", r"IMAGING\aadler")
    until(lambda: counted("aadler"))
    before = len(counted())
    fast.device("log-on", r"IMAGING\bbauer")
    until(lambda: counted("bbauer"))
    assert counted()[-1]["login"] == "bbauer"
    assert len(counted()) > before


def test_local_and_ignored_accounts_are_not_counted(fast, counted, until):
    known = len(counted())
    for user in (r"MIC1\service", r"IMAGING\svc-scan"):
        fast.device("log-on", user)
        until(lambda: fast.look()["state"]["last_result"] == "ignored")
    assert len(counted()) == known


def test_an_outage_is_told_with_its_cause_and_no_minute_is_silently_lost(fast, ppms, until):
    fast.device("log-on", r"IMAGING\aadler")
    until(lambda: fast.look()["state"]["last_result"] == "sent")
    lost = fast.look()["lost_minutes"]
    ppms.check_output("ppms fault 500")
    found = until(lambda: fast.look() if fast.look()["lost_minutes"] >= lost + 3 else None)
    assert any("PPMS is out of order" in line for line in found["problems"])
    ppms.check_output("ppms fault none")
    until(lambda: fast.look()["state"]["last_result"] == "sent")
    folder = "/var/lib/device-pc/prefix/drive_c/Program Files/PPMS-Agent/journal"
    days = fast.host.check_output(f"cat '{folder}'/*.csv")
    unsent = [line for line in days.splitlines() if ",aadler,1,unsent," in line]
    assert len(unsent) >= 3, "each has a line in the journal"


def test_somebody_over_remote_desktop_is_told_and_not_taken_for_an_empty_room(fast, counted, until):
    before = len(counted())
    fast.device("sessions", "3")
    try:
        found = until(lambda: fast.look() if fast.look()["state"]["last_result"] == "elsewhere" else None)
    finally:
        fast.device("sessions")
    assert any("Remote Desktop" in line for line in found["problems"])
    assert int(found["state"]["elsewhere_minutes"]) >= 1
    assert len(counted()) == before


def test_verify_finds_out_that_local_service_is_not_told_who_is_there(fast, until):
    fast.device("log-on", r"IMAGING\aadler")
    until(lambda: fast.look()["state"]["last_result"] == "sent")
    assert not [line for line in fast.look(probe=True)["problems"] if "as which the agent runs" in line]
    fast.device("fault", "service-blind")
    try:
        until(lambda: fast.look()["state"]["last_result"] == "elsewhere")
        assert [line for line in fast.look(probe=True)["problems"] if "as which the agent runs" in line]
    finally:
        fast.device("fault", "none")
    until(lambda: fast.look()["state"]["last_result"] == "sent")


def test_an_error_that_comes_with_status_200_is_no_success(fast, counted, until):
    fast.device("log-on", r"IMAGING\stranger")
    found = until(lambda: fast.look() if fast.look()["state"]["last_result"] == "refused" else None)
    assert any("system id and tracker code" in line for line in found["problems"])
    assert not counted("stranger")

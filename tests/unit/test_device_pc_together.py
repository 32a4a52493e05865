# SPDX-License-Identifier: GPL-3.0-or-later
"""One PC's trouble is that PC's: whatever it answers, and however long it is silent, the others are seen to."""

from __future__ import annotations

import time

import pytest

from facility.device_pc import drive, together
from facility.device_pc.agent import fleet
from facility.device_pc.agent.options import AGENT
from facility.device_pc.together import each
from facility.device_pc.trouble import Kind, WinrmError
from testbed.standins.device_pc.odd_fleet import OddFleet, odd_answers, serving
from tests.certificates import certificate
from tests.fake_device_pc import recorded_answer

KINDS = {kind.value for kind in Kind} | {"agent"}
SHARE = r"\\omero1.imaging.example.org\dropbox"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pcs")
    for name in ("ppms-agent.vbs", "ppms-agent.js"):
        (made / name).write_text("WScript.Echo 1\n")
    return made


@pytest.fixture(scope="module")
def options(folder):
    given = {name: spec.get("default") for name, spec in AGENT.items()}
    return given | {
        "host": "localhost", "transport": "basic", "password": "pw", "tracker_url": "https://ppms.example.org/rt.asp",
        "system_id": 12, "tracker_code": "c0de-1", "domains": ["IMAGING"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def pcs(folder, options):
    """Give the options of PCs by what they do."""
    file = certificate(folder, "pc", "localhost")
    with serving(OddFleet(recorded_answer(options, folder)), file) as port:
        shared = options | {"ca_file": str(file), "port": port}
        yield lambda *users: [shared | {"username": user} for user in users]


def test_no_odd_answer_ends_a_look_at_all_pcs_and_each_is_told_with_its_cure(pcs, folder):
    odd = list(odd_answers())
    assert len(odd) >= 200
    users = [user for number, name in enumerate(odd) for user in ([name, "well"] if number % 10 == 0 else [name])]
    found = fleet.look(pcs(*users), folder, 32, probe=False)
    for user, entry in zip(users, found, strict=True):
        if user == "well":
            assert (entry["reachable"], entry["kind"], entry["problems"]) == (True, "", []), entry
        elif entry["kind"]:
            assert entry["kind"] in KINDS
            assert [line for line in entry["problems"] if line.startswith("localhost") and line.count(":") >= 1], entry
        else:
            # It was harmless: whatever came after the answer, or a byte that says nothing.
            assert "engine" in entry, (user, entry)
    # Where the answer itself is odd, nobody takes the PC for one that is well.
    early = {user: entry for user, entry in zip(users, found, strict=True) if user.startswith(("Create", "Command"))}
    harmless = {"odd date", "other id", "utf16", "negative length"}
    well = [user for user, entry in early.items() if not entry["kind"] and user.partition("-")[2] not in harmless]
    assert well == []


def test_no_odd_answer_ends_the_drive_s_task(pcs):
    users = [*odd_answers(), "well"]
    done = drive.converge(pcs(*users), drive.script("X", SHARE), 32, check_mode=True)
    assert len(done["diff"]) >= 1
    assert all(line.startswith("localhost") for line in done["problems"])


def test_a_pc_that_falls_silent_never_ends_or_drips_holds_up_no_other(pcs, folder, monkeypatch):
    monkeypatch.setattr(fleet, "SECONDS", 6)
    monkeypatch.setattr(together, "PATIENCE", 0.5)
    came: list[tuple[float, str]] = []
    began = time.monotonic()
    users = [*["silent"] * 40, "never", "drips", "refuses", *["well"] * 20]
    found = fleet.look(
        pcs(*users), folder, 8, probe=False, told=lambda entry: came.append((time.monotonic() - began, entry["kind"]))
    )
    assert [entry["kind"] for entry in found] == ["time-out"] * 42 + ["refused"] + [""] * 20
    assert len(came) == len(users)
    # Forty come first in the list, and eight are asked at a time; yet whoever is well is told before the last of them.
    assert max(moment for moment, kind in came if not kind) < max(moment for moment, kind in came if kind == "time-out")


def test_results_come_in_the_order_of_the_pcs_and_are_told_as_they_come():
    told: list[int] = []

    def act(params):
        time.sleep(params["wait"])
        return params["wait"]

    waits = [0.3, 0.0, 0.1]
    pcs = [{"host": "h", "wait": wait} for wait in waits]
    assert each(pcs, act, lambda *_: 0, threads=3, seconds=9, told=told.append) == waits
    assert told == sorted(waits)


def test_whatever_an_act_raises_is_that_pc_s():
    def act(params):
        raise params["error"]

    errors = [WinrmError(Kind.REFUSED, "mic1: no"), KeyError("x"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")]
    found = each([{"host": "mic1", "error": error} for error in errors], act, lambda _, error: error.kind, threads=1,
                 seconds=9)  # fmt: skip
    assert found == [Kind.REFUSED, Kind.NONSENSE, Kind.NONSENSE]


def test_no_pcs_are_no_trouble():
    assert each([], lambda _: 1, lambda *_: 0, threads=4, seconds=1) == []

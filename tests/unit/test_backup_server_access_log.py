# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backup server takes for a try of a thief, and what for restic's own requests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup.server.access_log import IN_ORDER, refusals

NOW = 1_800_000_000.0
LOGGED = '10.0.0.5 - - [26/Nov/2026:01:23:28 +0000] "{} HTTP/2.0" {} 10 "" "Go-http-client/2.0"'
LINE = LOGGED.format("{} /omero1/data/" + "00" * 31 + "{}", "{}")
HONEST = LOGGED.format("GET /omero1/config", 200)
TRY = '[26/Nov/2026:01:23:28 +0000] "DELETE https://x@backup1/omero1/config HTTP/1.1" 403 10 "" "x"'


def test_refused_requests_are_counted_by_status_and_honest_ones_are_not():
    lines = [LINE.format("POST", "aa", 200), LINE.format("DELETE", "aa", 403), LINE.format("GET", "bb", 404)]
    found = refusals([*lines, LINE.format("POST", "cc", 400), "start server on [::]:8001", ""])
    assert (found.attacks, found.count, found.addresses) == ({403: 1, 400: 1}, 2, ("10.0.0.5",))


def test_what_restic_cleans_up_after_a_full_disk_is_no_attack():
    full, clean = LINE.format("POST", "aa", 507), LINE.format("DELETE", "aa", 403)
    assert refusals([full, clean, full, clean]).count == 0
    assert (refusals([full, clean]).full, refusals([full, clean]).last_full) == (1, 1795656208.0)
    assert refusals([full, clean, clean]).count == 1, "a second DELETE is somebody's wish"


@given(
    st.lists(st.text() | st.builds(LINE.format, st.sampled_from(["GET", "DELETE"]), st.text(), st.integers(100, 599)))
)
def test_any_log_is_read(lines):
    assert refusals(lines).count <= len(lines)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /omero1/config", 200),
        ("HEAD /omero1/config", 404),
        ("GET /omero1/snapshots/", 200),
        (f"GET /omero1.imaging.example.org/keys/{'0a' * 32}", 206),
        (f"GET /omero1/data/{'0a' * 32}", 416),
        (f"GET /omero1/data/{'0a' * 32}", 500),
        (f"POST /omero1/locks/{'0a' * 32}", 200),
        (f"POST /omero1/data/{'0a' * 32}", 500),
        ("POST /omero1/?create=true", 200),
        (f"DELETE /omero1/locks/{'0a' * 32}", 200),
        (f"DELETE /omero1/locks/{'0a' * 32}", 404),
    ],
)
def test_what_restic_asks_is_no_attack(request_line, status):
    assert refusals([LOGGED.format(request_line, status)]).count == 0


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        # As rest-server 0.13 logged and answered them.
        ("GET /omero1/data/../../wiki1/config", 301),
        ("GET /omero1/data/%2e%2e/%2e%2e/wiki1/config", 301),
        ("GET /omero1/data/..%2f..%2fwiki1/config", 301),
        ("GET /omero1/data/%252e%252e/%252e%252e/wiki1/config", 404),
        (r"GET /omero1/data/..\\..\\wiki1\\config", 404),
        ("DELETE /omero1//config", 301),
        ("delete /omero1/config", 405),
        ("PROP-FIND /omero1/config", 405),
        ("DELETE /omero1/config?x=1", 403),
        ("GET /omero1/passwords/", 404),
        (r"DELETE /omero1/config y\"z", 404),
        # These would mean that the server's protection is gone.
        (f"DELETE /omero1/data/{'0a' * 32}", 200),
        ("GET /omero1/../wiki1/config", 200),
        ("GET /omero1/../wiki1/config", 500),
    ],
)
def test_what_restic_never_asks_is_counted_whatever_the_answer(request_line, status):
    line = LOGGED.format(request_line, status)
    assert refusals([line]).attacks == {status: 1}
    assert not re.fullmatch(IN_ORDER, line)


@pytest.mark.parametrize(
    "lines",
    [
        ["10.0.0.5 -", f" {TRY}"],
        [HONEST, f"y {TRY}"],
        [f"10.0.0.5 - a b {TRY}"],
        # A user's name that looks like a line of its own, of the server's failure or of an honest request.
        [f"{LOGGED.format('GET /omero1/config', 500)} {TRY}"],
        [f"{HONEST} {TRY}"],
        [LOGGED.format(f"DELETE /omero1/config?{'0' * 60_000}", 403)[:48_000]],
    ],
)
def test_what_a_thief_writes_into_the_log_hides_nothing(lines):
    assert refusals(lines).count == 1

# SPDX-License-Identifier: GPL-3.0-or-later
"""Each complaint of restic 0.17 and 0.18 is one fault, where backups are kept and where they are made."""

from __future__ import annotations

import pytest

from facility.backup.restic import explained
from facility.backup.restic_faults import Fault, fault_of

TEXTS = {
    Fault.FOREIGN_LOCK: "unable to create lock in backend: ciphertext verification failed",
    Fault.FOREIGN_FILE: "Fatal: invalid character '\\x00' looking for beginning of value",
    Fault.DAMAGED: "Fatal: repository contains errors",
    Fault.NO_PASSWORD: "Fatal: Resolving password failed: Fatal: /keys/r does not exist",
    Fault.FULL: "Save(<data/d335ab2f02>) returned error, retrying after 1.2s: unexpected HTTP response (507): 507 x",
    Fault.CERTIFICATE: 'Get "https://backup1:8101/r/": tls: failed to verify certificate: x509: unknown authority',
    Fault.REFUSED: "Stat(<config/>) failed: unexpected HTTP response (401): 401 Unauthorized",
    Fault.WRONG_PASSWORD: "Fatal: wrong password or no key found",
    Fault.NO_REPOSITORY: "Fatal: repository does not exist: unable to open config file: Stat: 404",
    Fault.DISK_FULL: "write /var/cache/x: no space left on device",
    Fault.IN_USE: "unable to create lock in backend: repository is already locked exclusively by PID 507 on backup1",
    Fault.UNREACHABLE: "dial tcp: lookup backup1 on 10.42.9.1:53: no such host",
    Fault.FORBIDDEN: "Fatal: open /srv/r/config: permission denied",
}


def test_every_fault_has_a_text():
    assert set(TEXTS) == set(Fault)


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
def test_a_text_is_recognized_and_its_cure_is_one_line(fault):
    found = fault_of(TEXTS[fault])
    assert found
    assert found[0] is fault
    told = explained(1, TEXTS[fault])
    assert told == fault.value.cure.format(said=TEXTS[fault].removeprefix("Fatal: "))
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (TEXTS[Fault.CERTIFICATE], "unknown authority"),
        (TEXTS[Fault.UNREACHABLE], "no such host"),
        ('Save(<data/1>) returned error: Post "https://backup1:8101/r/": unexpected EOF', "unexpected EOF"),
        ("List(lock) returned error: unexpected HTTP response (503): 503 Service Unavailable", "(503)"),
    ],
)
def test_what_a_message_may_quote_is_short(text, quoted):
    found = fault_of(text)
    assert found
    assert found[1] == quoted


@pytest.mark.parametrize(
    "text",
    ["", "load tree: unexpected EOF", "lock held by PID 401", "507 files, 413 folders", "timeouts are counted"],
)
def test_what_only_looks_like_a_fault_is_none(text):
    assert fault_of(text) is None


@pytest.mark.parametrize("fault", [Fault.WRONG_PASSWORD, Fault.NO_REPOSITORY, Fault.IN_USE])
def test_an_exit_status_says_more_than_the_text(fault):
    found = fault_of("connection refused", fault.value.status)
    assert found
    assert found[0] is fault

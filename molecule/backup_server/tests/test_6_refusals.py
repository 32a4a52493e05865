# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role must refuse, with the cure."""

from __future__ import annotations

import pytest

from tests.refusals import refused_by

LONG = {"server_password": "s" * 40, "repository_password": "r" * 40, "recovery_password": "k" * 40}
NAMED = {"name": "client1.vault.test", "port": 8001}
REFUSED = [
    # A name is a part of paths that root writes.
    ({"backup_server_clients": [{**LONG, "name": "../client1", "port": 8001}]}, "can't be the name of a client"),
    ({"backup_server_clients": [{**LONG, "name": "a..b", "port": 8001}]}, '"a..b" can\'t be the name of a client'),
    ({"backup_server_clients": [{**LONG, "name": "Client1", "port": 8001}]}, "can't be the name of a client"),
    ({"backup_server_clients": [{**LONG, **NAMED}, {**LONG, **NAMED, "port": 8002}]}, "needs a name of its own"),
    ({"backup_server_clients": [{**LONG, **NAMED}, {**LONG, **NAMED, "name": "b"}]}, "needs a port of its own"),
    ({"backup_server_clients": [{**LONG, **NAMED, "server_password": "x" * 39}]}, "is shorter than 40 characters"),
    ({"backup_server_clients": [{**LONG, **NAMED, "recovery_password": "r" * 40}]}, "as its recovery_password, too"),
    ({"backup_server_keep": {"within": "soon"}}, "needs within, the time in which all backups are kept"),
    ({"backup_server_tls_key": "/etc/facility/tls/none.key"}, "playbooks/base.yml first"),
]


refused = refused_by("backup_server", "backup1.vault.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes_and_shows_no_password(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout
    for letter in "srkx":
        assert letter * 39 not in refused.run.stdout + refused.run.stderr

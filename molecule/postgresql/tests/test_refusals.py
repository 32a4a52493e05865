# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role must refuse, with the cure."""

import pytest

from tests.refusals import refused_by

SOMEBODY = {"name": "somebody", "password": "long-enough-for-it"}

REFUSED = [
    ({"postgresql_databases": [{"name": "images", "owner": "nobody"}]}, "nobody owns a database but is not in"),
    (
        {
            "postgresql_users": [{**SOMEBODY, "password": ""}],
            "postgresql_databases": [],
            "postgresql_local_users": [],
        },
        "shorter than 12 characters",
    ),
    (
        {"postgresql_users": [SOMEBODY, SOMEBODY], "postgresql_databases": []},
        "is more than once in postgresql_users",
    ),
    ({"postgresql_databases": [{"name": 'x"; DROP', "owner": "images"}]}, "can't be the name of a database"),
    ({"postgresql_users": [{**SOMEBODY, "name": "postgres"}]}, "can't be the name of a database"),
    ({"postgresql_local_users": [{"system_user": "root", "user": "nobody"}]}, "but not in postgresql_users"),
    ({"postgresql_clients": ["0.0.0.0/0"]}, "which is everybody"),
    ({"postgresql_clients": ["omero1"]}, "must be networks with their length"),
    ({"postgresql_listen_addresses": ["omero1.postgresql.test"]}, "not names"),
    ({"postgresql_memory_share": 25}, "between 0.05 and 0.8"),
    ({"postgresql_tls_key": "/etc/facility/tls/none.key"}, "playbooks/base.yml first"),
]


refused = refused_by("postgresql", "omero1.postgresql.test", REFUSED)


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_nonsense_is_refused_with_the_cure(refused, settings, words):
    assert words in refused.said(settings)


def test_nonsense_is_refused_before_anything_changes_and_shows_no_password(refused):
    assert "changed=0" in refused.run.stdout
    assert "failed=0" in refused.run.stdout
    assert "long-enough-for-it" not in refused.run.stdout + refused.run.stderr

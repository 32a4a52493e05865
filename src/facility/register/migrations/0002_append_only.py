# SPDX-License-Identifier: GPL-3.0-or-later
"""The database itself refuses what the pages never do: a fact deleted, changed or revoked twice, an act rewritten."""

from __future__ import annotations

from django.db import migrations

_REFUSE = "BEGIN SELECT RAISE(ABORT, '{}'); END"
_FIXED_OF_ENTRY = ("id", "kind", "login", "session", "body", "salt", "recorded_by", "recorded_at")
_FIXED_OF_ACT = ("number", "at", "digest", "facts", "hash")


def _changed(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)


TRIGGERS = {
    "entry_is_kept": (
        "BEFORE DELETE ON register_entry WHEN OLD.login = '' OR OLD.login NOT IN (SELECT login FROM register_erasure) "
        + _REFUSE.format("facts are revoked, never deleted")
    ),
    "entry_is_revoked_once": (
        f"BEFORE UPDATE ON register_entry WHEN OLD.revoked_by IS NOT NULL OR {_changed(_FIXED_OF_ENTRY)} "
        + _REFUSE.format("a fact can only be revoked, and only once")
    ),
    "act_is_kept": "BEFORE DELETE ON register_act " + _REFUSE.format("acts are never deleted"),
    "act_is_fixed": (
        f"BEFORE UPDATE ON register_act WHEN {_changed(_FIXED_OF_ACT)} OR NEW.payload <> '' OR NEW.salt <> '' "
        + _REFUSE.format("an act can only be emptied, for somebody who was erased")
    ),
}


class Migration(migrations.Migration):
    """As Django wants it."""

    dependencies = [("register", "0001_initial")]
    operations = [
        migrations.RunSQL(f"CREATE TRIGGER {name} {body}", f"DROP TRIGGER {name}") for name, body in TRIGGERS.items()
    ]

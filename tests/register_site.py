# SPDX-License-Identifier: GPL-3.0-or-later
"""The register's application on a database of its own, with the small facility's policy and a few people in it."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.people_facts import facility

_ROOM = Path(tempfile.mkdtemp(prefix="register-"))
TODAY = date(2026, 6, 15)
TOKEN = "a-token-of-the-controller"
PEOPLE = [
    {"login": "stefan", "given_name": "Stefan", "family_name": "Stein", "mail": "s@example.org", "kind": "staff"},
    {"login": "thomas", "given_name": "Thomas", "family_name": "Thoma", "mail": "t@example.org", "kind": "staff"},
    *(
        {"login": login, "given_name": given, "family_name": family, "mail": f"{login}@example.org",
         "kind": "researcher", "research_group": "neuro", "valid_until": "2027-12-31"}
        for login, given, family in (("aadler", "Änne", "Adler"), ("bbaer", "Bo", "Bär"), ("ccosta", "Cam", "Costa"))
    ),
]  # fmt: skip
ADMINISTRATOR = {
    "login": "root1", "given_name": "Rita", "family_name": "Root", "mail": "r@example.org", "kind": "it_admin",
    "research_group": None, "valid_until": None,
}  # fmt: skip


def policy() -> dict[str, Any]:
    """The small facility's, with reminders of the safety briefing."""
    described = facility()
    described["requirements"][0] = {**described["requirements"][0], "remind_days": [30, 14, 3]}
    return described


def write_settings(room: Path, facility: dict[str, Any], administrators: list[dict[str, Any]]) -> None:
    """Write what the application reads into a folder, and name it in the environment."""
    (room / "key").write_text("k" * 60)
    (room / "token").write_text(f"{TOKEN}\n")
    (room / "policy.json").write_text(json.dumps({"facility": facility, "administrators": administrators}))
    names = {
        "database": "register.sqlite3", "policy_file": "policy.json", "secret_key_file": "key",
        "export_token_file": "token", "proofs_folder": "proofs", "static_folder": "static", "locale_folder": "locale",
    }  # fmt: skip
    lines = [f'{key} = "{room / name}"' for key, name in names.items()]
    own = ['hosts = ["testserver", "localhost"]', 'title = "Small facility"']
    (room / "register.toml").write_text("\n".join([*own, *lines]))
    os.environ["FACILITY_REGISTER"] = str(room / "register.toml")
    os.environ["DJANGO_SETTINGS_MODULE"] = "facility.register.settings"


def _settings() -> None:
    """Django is set up once a process; each test gets a copy of the migrated database."""
    write_settings(_ROOM, policy(), [ADMINISTRATOR])
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    # No directory here: scenario register has one.
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    call_command("compile_words", verbosity=0, stdout=io.StringIO())
    call_command("migrate", verbosity=0)
    _close()
    shutil.copy(_ROOM / "register.sqlite3", _ROOM / "empty.sqlite3")


def _close() -> None:
    from django.db import connections

    connections.close_all()


def proofs_folder() -> Path:
    """Where proofs are kept."""
    return _ROOM / "proofs"


def database() -> Path:
    """The database's file."""
    return _ROOM / "register.sqlite3"


@pytest.fixture
def empty_site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The application with nothing in its database, on TODAY."""
    if "django" not in sys.modules or not (_ROOM / "empty.sqlite3").exists():
        _settings()
    _close()
    for file in [*_ROOM.glob("register.sqlite3*"), *_ROOM.glob("proofs/*")]:
        file.unlink()
    shutil.copy(_ROOM / "empty.sqlite3", database())
    monkeypatch.setattr("facility.register.policy_file.today_in", lambda _policy: TODAY)
    yield
    _close()


@pytest.fixture
def site(empty_site: None) -> None:
    """The application with two of the staff, three researchers and an IT administrator."""
    from facility.people.facts import Facts, people_of_register
    from facility.people.interchange import written
    from facility.register import exchange

    listed: list[dict[str, Any]] = [{"research_group": None, "valid_until": None, **one} for one in PEOPLE]
    exchange.read_in(written(Facts.of(people_of_register(listed))), "seed")


@pytest.fixture
def browser(site: None) -> Any:
    """A browser in which Stefan of the staff has logged in."""
    return logged_in("stefan", staff=True)


def logged_in(login: str, *, staff: bool = False) -> Any:
    """A browser in which somebody has logged in."""
    from django.contrib.auth.models import User
    from django.test import Client

    user, _made = User.objects.get_or_create(username=login, defaults={"is_staff": staff})
    client = Client()
    client.force_login(user)
    return client

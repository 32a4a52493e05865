# SPDX-License-Identifier: GPL-3.0-or-later
"""What the register's pages cost: 5,000 people, 60,000 facts, each page answered by the application itself.

Alone, without root: ``PYTHONPATH=src python -m tests.bench.register_pages``. Web server, TLS and log-in are not in it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from facility.people.facts import Facts
from facility.people.interchange import written
from tests.bench import access
from tests.bench.figures import Figure, figures_table
from tests.register_site import write_settings

PAGE_MILLISECONDS = 15.0
RECORD_MILLISECONDS = 1000.0
REPEATS = 20
FORM = {
    "about": "requirement:safety", "date": access.TODAY.isoformat(), "by": access.STAFF[1], "form": "oral",
    "state": "held", "person": ["user1", "user2", "user3", "user4"],
}  # fmt: skip


def figures(say: Callable[[str], None] = print) -> list[Figure]:
    """CPU milliseconds a page, median and slowest tenth; the baseline is Django's own log-in page in the same run."""
    say(f"the register's pages: {access.PEOPLE} people, {access.FACTS} facts")
    with tempfile.TemporaryDirectory(prefix="register-bench-") as room:
        browser, filled = application(Path(room))
        bare = _milliseconds(lambda: browser.get("/log-in/"), 200)
        pages = {
            "the list of people": lambda: browser.get("/people/"),
            "people while a name is typed": lambda: browser.get("/suggest?q=user12"),
            "a person's page": lambda: browser.get("/people/user12/"),
            "what runs out in 30 days": lambda: browser.get("/expiring/"),
            "who may what, 50 people": lambda: browser.get("/matrix/"),
            "my own doors": lambda: browser.get("/me/"),
        }
        found = [
            _figure(f"{name}, CPU", PAGE_MILLISECONDS, _milliseconds(page, 200), bare) for name, page in pages.items()
        ]
        preview = _milliseconds(lambda: browser.post("/sessions/new/", {**FORM, "step": "preview"}), 200, repeats=5)
        found.append(_figure("preview of a briefing of four, CPU", RECORD_MILLISECONDS, preview, bare))
        make = _milliseconds(
            lambda: browser.post("/sessions/new/", {**FORM, "id": f"bench{time.monotonic_ns()}", "step": "make"}), 302,
            repeats=5,
        )  # fmt: skip
        found.append(_figure("recording a briefing of four, CPU", RECORD_MILLISECONDS, make, bare))
        found.append(Figure(f"fill an empty register with {access.FACTS} facts, CPU", "s", 60.0, filled))
        return found


def _figure(name: str, limit: float, runs: list[float], bare: list[float]) -> Figure:
    value, base = median(runs), median(bare)
    return Figure(name, "ms", limit, value, base, "Django's log-in page", value / base, sorted(runs))


def _milliseconds(page: Callable[[], Any], status: int, repeats: int = REPEATS) -> list[float]:
    found = []
    for number in range(repeats + 1):
        began = time.process_time()
        answer = page()
        seconds = time.process_time() - began
        if answer.status_code != status:
            raise RuntimeError(f"{answer.status_code}: {answer.content[:2000].decode()}")
        # The first one compiles the template.
        if number:
            found.append(1000 * seconds)
    return found


def application(room: Path) -> tuple[Any, float]:
    """The application on an own database, a browser of the staff, and the seconds that filling it took."""
    write_settings(room, access.described(), [])
    import django
    from django.conf import settings as chosen
    from django.core.management import call_command

    django.setup()
    # No directory here.
    chosen.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from django.test import Client

    from facility.register import exchange, policy_file

    policy_file.today_in = lambda _policy: access.TODAY
    began = time.process_time()
    exchange.read_in(written(Facts.of(access.facts())), "bench")
    filled = time.process_time() - began
    browser = Client()
    browser.force_login(User.objects.create(username=access.STAFF[0], is_staff=True))
    return browser, filled


if __name__ == "__main__":
    print(figures_table(figures()))
    sys.exit(0)

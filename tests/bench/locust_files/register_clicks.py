# SPDX-License-Identifier: GPL-3.0-or-later
"""What locust runs: staff who click in the register every five seconds, each with a session of their own.

tests.bench.register_load starts it, and says in the environment who they are and where to click.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from locust import HttpUser, constant, task

_SESSIONS = json.loads(Path(os.environ["REGISTER_SESSIONS"]).read_text())
_PAGES = json.loads(os.environ["REGISTER_PAGES"])
_AUTHORITY = os.environ["REGISTER_AUTHORITY"]


class Staff(HttpUser):
    """One of the staff."""

    wait_time = constant(5)

    def on_start(self) -> None:
        """Be logged in, and trust the register's authority alone."""
        self.client.verify = _AUTHORITY
        # What this machine reaches the world with isn't asked.
        self.client.trust_env = False
        self.client.headers["Cookie"] = f"__Host-register={_SESSIONS.pop()}"

    @task
    def click(self) -> None:
        """Open a page; a redirect to the log-in would be none."""
        path = random.choice(_PAGES).replace("{}", str(random.randrange(100, 4000)))
        with self.client.get(path, name="page", allow_redirects=False, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"{path}: {answer.status_code}")

# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser without scripts, which sends addresses as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.scenario import wait_until

ELSEWHERE = "https://elsewhere.example.com/"
"""Where an attacker would like people to be sent; nobody ever asks it."""


class Visitor:
    """Somebody at one of the facility's pages."""

    def __init__(self, root: str, authority: Path) -> None:
        """Open the browser; ``root`` is the address without a slash at its end."""
        self.root = root
        self._authority = str(authority)
        self._session = requests.Session()
        # Or authorities and proxies of the caller's environment would count in their place.
        self._session.trust_env = False

    @property
    def cookies(self) -> requests.cookies.RequestsCookieJar:
        """What the pages have left here."""
        return self._session.cookies

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, data: Any = None
    ) -> requests.Response:
        """Return the answer of a path, to which no normalising was done; no redirect is followed."""
        given = {"Referer": f"{self.root}/", **(headers or {})}
        prepared = self._session.prepare_request(requests.Request(method, self.root, headers=given, data=data))
        prepared.url = self.root + path
        return self._session.send(prepared, verify=self._authority, timeout=60, allow_redirects=False)

    def open(self, path: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Return the page of a path."""
        return self.ask("GET", path, headers)

    def follow(self, path: str) -> requests.Response:
        """Return the page at the end of all redirects, which lead nowhere else.

        Raises:
            AssertionError: when one leads to another host, or there are more than five.
        """
        for _ in range(5):
            answer = self.open(path)
            if not answer.is_redirect:
                return answer
            target = urlsplit(answer.headers["Location"])
            assert target.netloc in {"", urlsplit(self.root).netloc}, answer.headers["Location"]
            path = f"{target.path}?{target.query}"
        raise AssertionError(f"{path} leads in circles")

    def send(self, path: str, form: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> requests.Response:
        """Send a form, again where others have sent too many."""

        def sent() -> requests.Response | None:
            answer = self.ask("POST", path, headers, form)
            return None if answer.status_code == 429 else answer

        answer = wait_until(lambda: [one for one in [sent()] if one is not None], f"{path} takes a form")
        return answer[0]

    def hidden(self, path: str) -> dict[str, str]:
        """Return the hidden fields of the forms on a page."""
        fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", self.follow(path).text):
            given = dict(re.findall(r"(type|name|value)=[\"']([^\"']*)", tag))
            if given.get("type") == "hidden" and "name" in given:
                fields[given["name"]] = given.get("value", "")
        return fields

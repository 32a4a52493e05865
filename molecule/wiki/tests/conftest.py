# SPDX-License-Identifier: GPL-3.0-or-later
"""People who open the wiki from outside, and the next run of the role."""

import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.scenario import played

SCENARIO = Path(__file__).parents[1]
ROOT = "https://wiki1.wiki.test"


class Visitor:
    """A browser without scripts: cookies, forms, a verified certificate."""

    def __init__(self, authority):
        context = ssl.create_default_context(cafile=authority)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def open(self, path, form=None, headers=None):
        """Return (status, text) of a page, after redirects."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(f"{ROOT}/{path}", data, headers or {})
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def log_in(self, login, password):
        """Say whether the wiki lets this person in."""
        self.open("start?do=login", {"do": "login", "id": "start", "u": login, "p": password})
        return "do=logout" in self.open("start")[1]

    def edit(self, page, text, summary=""):
        """Save a page; say whether the editor was offered and the text is there now."""
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.open(f"{page}?do=edit")[1]))
        if "changecheck" not in form:
            return False
        self.open(page, {**form, "wikitext": text, "summary": summary, "do[save]": "1"})
        return text in self.open(page)[1] or not text


@pytest.fixture
def visitor():
    return Visitor(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"] + "/authority/ca.crt")


@pytest.fixture
def logged_in(visitor):
    def logged_in(login):
        assert visitor.log_in(login, f"Secret-of-{login}")
        return visitor

    return logged_in


@pytest.fixture
def converge():
    """Run the role again with other variables; return what it printed."""
    return lambda **variables: played(SCENARIO / "converge.yml", **variables)

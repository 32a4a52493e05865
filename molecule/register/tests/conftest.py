# SPDX-License-Identifier: GPL-3.0-or-later
"""People and the controller, who ask the register from outside; the directory; and the next run of the role."""

import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NamedTuple

import pytest
import testinfra

from facility.people.interchange import written
from facility.people.inventory import facts_of_register
from tests.acceptance.browser import Browser, trusting_home
from tests.scenario import REPOSITORY, played, wait_until

SCENARIO = Path(__file__).parents[1]
NAME = "register1.register.test"
ROOT = f"https://{NAME}"
STED = {"name": "sted", "title": "STED", "host": "mic1", "location": "Room 1", "biosafety": "none", "ppms_system_id": 1}
POLICY = {
    "research_groups": [{"name": "neuro", "title": "Neurons"}],
    "instruments": [{**STED, "demands": ["safety"]}],
    "time_zone": "Europe/Berlin",
    "requirements": [{"name": "safety", "title": "the safety briefing"}],
}


class Answer(NamedTuple):
    """What came back; no redirect was followed."""

    status: int
    text: str
    headers: dict[str, str]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Visitor:
    """A browser without scripts: cookies, forms, a verified certificate."""

    def __init__(self, authority):
        context = ssl.create_default_context(cafile=authority)
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self._cookies), Stay()
        )

    def open(self, path, form=None, headers=None):
        """Return the answer of an address; a form is sent as the browser does, with the page it came from."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        given = {"Referer": f"{ROOT}/{path}", **(headers or {})}
        try:
            with self._opener.open(urllib.request.Request(f"{ROOT}/{path}", data, given), timeout=60) as answer:
                return Answer(answer.status, answer.read().decode(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), dict(error.headers))

    def try_password(self, login, password):
        """Send the form for logging in; wait where others have tried too often."""
        hidden = 'name="csrfmiddlewaretoken" value="([^"]+)"'
        form = {"username": login, "password": password}
        while True:
            token = re.search(hidden, self.open("log-in/").text)[1]
            answer = self.open("log-in/", {**form, "csrfmiddlewaretoken": token})
            if answer.status != 429:
                return answer
            time.sleep(1)

    def log_in(self, login, password=None):
        """Say whether the register lets this person in."""
        answer = self.try_password(login, f"Secret-of-{login}" if password is None else password)
        return answer.status == 302 and "__Host-register" in {cookie.name for cookie in self._cookies}


@pytest.fixture(scope="session")
def authority():
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "authority" / "ca.crt"


@pytest.fixture
def visitor(authority):
    return Visitor(authority)


@pytest.fixture
def logged_in(authority):
    def logged_in(login):
        visitor = Visitor(authority)
        assert visitor.log_in(login)
        return visitor

    return logged_in


@pytest.fixture
def browser(authority, tmp_path):
    pictures = REPOSITORY / "build" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    with Browser.opened(trusting_home(tmp_path / "home", authority), tmp_path / "profile", pictures) as browser:
        yield browser


@pytest.fixture
def directory():
    """The directory's host."""
    return testinfra.get_host("podman://dc1.register.test")


@pytest.fixture
def directory_down(directory):
    """The directory doesn't answer while the test runs."""
    directory.run_expect([0], "systemctl stop samba-ad-dc")
    yield
    directory.run_expect([0], "systemctl start samba-ad-dc")
    ask = "ldapsearch -x -H ldap://127.0.0.1 -s base -b '' 2>&1; ss --no-header --listening --tcp 'sport = 636'"
    wait_until(lambda: ":ldaps" in directory.run(ask).stdout, "the directory answers again")


@pytest.fixture(scope="session")
def secret():
    """One of the scenario's secrets, as the hosts have it."""
    folder = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    return lambda name: (folder / name).read_text().strip() + ("-1a" if name == "bind" else "")


@pytest.fixture(scope="session")
def seed():
    """The export from which the register was filled."""
    return written(facts_of_register(SCENARIO / "files/register", POLICY).facts)


@pytest.fixture
def converge():
    """Run the role again with other variables; return what it printed."""
    return lambda *options, **variables: played(SCENARIO / "converge.yml", *options, **variables)

# SPDX-License-Identifier: GPL-3.0-or-later
"""People with a browser, one of whom the administrator has made with OMERO's command line."""

import base64
import json
import os
import re
import shlex
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import testinfra

from tests.scenario import wait_until

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
NAME = "omero1.omero.test"
ROOT = f"https://{NAME}"
# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Visitor:
    """A browser without scripts: cookies, forms, a verified certificate."""

    def __init__(self):
        context = ssl.create_default_context(cafile=EPHEMERAL / "authority" / "ca.crt")
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def open(self, path, form=None, headers=None):
        """Return (status, text) of a page, after redirects."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(ROOT + path, data, {"Referer": ROOT + "/", **(headers or {})})
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def log_in(self, login, password):
        """Log in over the API, as programs do; return (status, what was answered)."""
        token = json.loads(self.open("/api/v0/token/")[1])["data"]
        form = {"server": 1, "username": login, "password": password}
        status, text = self.open("/api/v0/login/", form, {"X-CSRFToken": token})
        return status, json.loads(text) if text.startswith("{") else text

    def type_in(self, login, password):
        """Log in with the page's own form; say whether the person is in."""
        page = self.open("/webclient/login/")[1]
        hidden = dict(re.findall(r"name=['\"](csrfmiddlewaretoken)['\"] value=['\"]([^'\"]+)", page))
        self.open("/webclient/login/", {**hidden, "server": 1, "username": login, "password": password})
        return self.is_in()

    def is_in(self):
        """Say whether the browser is logged in."""
        status, text = self.open("/webclient/")
        return status == 200 and 'name="password"' not in text


class Person:
    """Somebody with an account in OMERO and its command line."""

    def __init__(self, name):
        self.host = testinfra.get_host(f"podman://{NAME}")
        self.login, self.password = f"{name.lower()}-{uuid.uuid4().hex[:6]}", f"Secret-of-{name}"
        group = f"lab-{self.login}"
        root = (EPHEMERAL / "root").read_text().strip()
        self._omero(f"group add --type read-only {group}", "root", root)
        self._omero(f"user add -P {self.password} {self.login} {name} Käl {group}", "root", root)

    def _omero(self, command, login, password):
        who = f"-C -s {NAME} -u {login} -w {shlex.quote(password)}"
        done = self.host.run(f"/usr/local/bin/omero {command} {who} </dev/null")
        assert done.rc == 0, done.stderr
        return done.stdout

    def import_image(self, name):
        """Import an image with the command line; return its number."""
        path = f"/var/tmp/{name}"
        text = base64.b64encode(PNG).decode()
        self.host.run_expect([0], f"echo {text} | base64 -d > {shlex.quote(path)} && chmod 0644 {shlex.quote(path)}")
        told = self._omero(f"import {shlex.quote(path)}", self.login, self.password)
        return int(re.search(r"Image:(\d+)", told).group(1))


@pytest.fixture(scope="session")
def carla():
    return Person("Carla")


@pytest.fixture(scope="session")
def dora():
    """Of another research group than Carla."""
    return Person("Dora")


@pytest.fixture
def visitor():
    return Visitor()


@pytest.fixture(scope="session")
def browser(carla):
    """Carla's browser, logged in."""
    visitor = Visitor()
    status, answer = visitor.log_in(carla.login, carla.password)
    assert (status, answer["success"]) == (200, True), answer
    visitor.context = answer["eventContext"]
    return visitor


@pytest.fixture
def secret():
    """A password of the facility, as the role was given it."""
    return lambda name: (EPHEMERAL / name).read_text().strip()


@pytest.fixture
def answering(visitor):
    """Wait until OMERO.web answers again: systemd calls it started some seconds before that."""

    def answering():
        wait_until(lambda: visitor.open("/webclient/login/")[0] == 200, "OMERO.web answers")

    return answering

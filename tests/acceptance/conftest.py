# SPDX-License-Identifier: GPL-3.0-or-later
"""The running facility that the acceptance tests visit, and the people who visit it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml

from facility.ppms.pumapi import Access, Ppms
from tests.acceptance.browser import Browser, trusting_home
from tests.acceptance.drive import Drive
from tests.acceptance.register import DEMO_PASSWORDS, EXAMPLE, NEWCOMER, edit, people, remove_account

REPOSITORY = Path(__file__).parents[2]
SECRETS = REPOSITORY / "inventories" / "example" / "secrets"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Another facility than the example one can be visited, too."""
    group = parser.getgroup("facility")
    group.addoption("--wiki-url", default="https://wiki1.imaging.example.org", help="the wiki's address")
    group.addoption("--omero-host", default="omero1.imaging.example.org", help="where OMERO, its web and the share are")
    group.addoption("--password-folder", default=DEMO_PASSWORDS, type=Path, help="a file for each login")
    group.addoption("--authority", default=SECRETS / "authority" / "ca.crt", type=Path, help="the facility's authority")
    group.addoption("--screenshots", default=REPOSITORY / "build" / "screenshots", type=Path, help="where they go")


@pytest.fixture(scope="session")
def wiki_url(request: pytest.FixtureRequest) -> str:
    """The wiki's address without a slash at the end."""
    return str(request.config.getoption("--wiki-url")).rstrip("/")


@pytest.fixture(scope="session")
def omero_host(request: pytest.FixtureRequest) -> str:
    """The host of OMERO, OMERO.web and drive X."""
    return str(request.config.getoption("--omero-host"))


@pytest.fixture(scope="session")
def authority(request: pytest.FixtureRequest) -> Path:
    """The facility's certificate authority, as PEM."""
    return Path(request.config.getoption("--authority"))


@pytest.fixture(scope="session")
def password_of(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The password of a login."""
    folder = Path(request.config.getoption("--password-folder"))
    return lambda login: (folder / login).read_text(encoding="utf-8").strip()


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path:
    """The folder for screenshots."""
    folder = Path(request.config.getoption("--screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser_home(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Path:
    """A home folder whose browsers trust the facility's authority and nobody else's more than usual."""
    return trusting_home(tmp_path_factory.mktemp("home"), authority)


@pytest.fixture
def browser(browser_home: Path, screenshots: Path, tmp_path: Path) -> Iterator[Browser]:
    """A browser that nobody has used before."""
    with Browser.opened(browser_home, tmp_path / "profile", screenshots) as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the example's inventory that may be spoilt; secrets and passwords are the running facility's."""
    copy = tmp_path / "inventories" / "copy"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("secrets", "*export.jsonl*"))
    # A site without pages: its files say all. What the running register has recorded is not theirs to change.
    edit(copy / "group_vars/all/wiring.yml", lambda wiring: wiring.update(people_export_url=""))
    (copy / "secrets").symlink_to(EXAMPLE / "secrets")
    (tmp_path / "build").symlink_to(REPOSITORY / "build")
    return copy


@pytest.fixture
def newcomer(site: Path) -> Iterator[str]:
    """Put a person into the copy's register; take the account away afterwards."""
    edit(people(site), lambda register: register["people"].append(NEWCOMER))
    yield NEWCOMER["login"]
    remove_account(site, NEWCOMER["login"])


@pytest.fixture
def ppms(authority: Path) -> Ppms:
    """The booking system as its administrators see it."""
    vault = yaml.safe_load((EXAMPLE / "group_vars/all/vault.yml").read_text())
    return Ppms(
        Access("https://ppms1.imaging.example.org/example/pumapi/", vault["vault_ppms_api_key"], str(authority))
    )


@pytest.fixture
def doors(wiki_url: str, omero_host: str, authority: Path) -> Callable[[str, str], set[str]]:
    """Try all doors as a person does; return those that opened."""

    def wiki(login: str, password: str) -> bool:
        form = {"do": "login", "u": login, "p": password}
        answer = requests.post(
            f"{wiki_url}/safety:start", data=form, verify=authority, timeout=30, allow_redirects=False
        )
        assert answer.status_code in {302, 403}, answer.text
        return answer.status_code == 302

    def share(login: str, password: str) -> bool:
        done = Drive(omero_host, login, password).run("ls")
        refused = "NT_STATUS_ACCESS_DENIED" in done.stdout or "NT_STATUS_ACCOUNT_DISABLED" in done.stdout
        assert done.returncode == 0 or refused, done.stdout
        return done.returncode == 0

    def omero(login: str, password: str) -> bool:
        with requests.Session() as session:
            session.verify = str(authority)
            # Or authorities of the caller's environment would count in its place.
            session.trust_env = False
            address = f"https://{omero_host}/webclient/login/"
            page = session.get(address, timeout=60).text
            hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|server)"[^>]*value="([^"]*)"', page))
            form = {"server": "1", **hidden, "username": login, "password": password}
            answer = session.post(address, data=form, headers={"Referer": address}, timeout=60, allow_redirects=False)
            assert answer.status_code in {200, 302}, answer.text
            return answer.status_code == 302

    def tried(login: str, password: str) -> set[str]:
        ways = {"wiki": wiki, "share": share, "omero": omero}
        return {door for door, opened in ways.items() if opened(login, password)}

    return tried

# SPDX-License-Identifier: GPL-3.0-or-later
"""The running facility that the acceptance tests visit, and the people who visit it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.browser import Browser, trusting_home
from tests.acceptance.register import EXAMPLE, NEWCOMER, edit, people, remove_account

REPOSITORY = Path(__file__).parents[2]
SECRETS = REPOSITORY / "inventories" / "example" / "secrets"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Another facility than the example one can be visited, too."""
    group = parser.getgroup("facility")
    group.addoption("--wiki-url", default="https://wiki1.imaging.example.org", help="the wiki's address")
    group.addoption("--omero-host", default="omero1.imaging.example.org", help="where OMERO, its web and the share are")
    group.addoption("--password-folder", default=SECRETS / "initial-passwords", type=Path, help="a file for each login")
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
    """The initial password of a login."""
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

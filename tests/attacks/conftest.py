# SPDX-License-Identifier: GPL-3.0-or-later
"""Who attacks the running example facility: strangers, and a researcher whose password somebody has stolen."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap
import pytest

from tests.attacks.directory import Asker, connected
from tests.attacks.facility import CONTROLLER, DOMAIN, Facility
from tests.attacks.ports import Scan
from tests.attacks.web import Visitor

REPOSITORY = Path(__file__).parents[2]
THIEF = "aadler"
"""The researcher whose password the attacker has."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The facility may have been brought up by another checkout."""
    group = parser.getgroup("attacks")
    group.addoption("--checkout", default=REPOSITORY, type=Path, help="the checkout that owns the running facility")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All ports take longest and are asked in the background, so their tests come last."""
    items.sort(key=lambda item: "test_ports" in str(item.path))


@pytest.fixture(scope="session")
def facility(request: pytest.FixtureRequest) -> Facility:
    """The running facility, which lies in the test bed's own network."""
    facility = Facility(request.config.getoption("--checkout").resolve())
    assert facility.addresses
    return facility


@pytest.fixture(scope="session", autouse=True)
def scan(facility: Facility, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scan]:
    """All ports of all hosts, asked while the other tests run."""
    scan = Scan(list(facility.addresses.values()), tmp_path_factory.mktemp("ports") / "ports.xml")
    yield scan
    scan.stop()


@pytest.fixture(scope="session")
def visit(facility: Facility) -> Callable[[str], Visitor]:
    """Open a browser, which nobody is logged in with, on a host."""
    return lambda host: Visitor(f"https://{host}.{DOMAIN}", facility.authority)


@pytest.fixture
def thief(facility: Facility) -> Iterator[ldap.ldapobject.LDAPObject]:
    """The directory, asked with the researcher's password."""
    connection = connected(facility.authority)
    connection.simple_bind_s(f"{THIEF}@{DOMAIN}", facility.password_of(THIEF))
    yield connection
    connection.unbind_s()


@pytest.fixture(scope="session")
def login_file(facility: Facility, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Samba's clients read a login from; a command line would show the password."""
    path = tmp_path_factory.mktemp("login") / "login"
    path.touch(mode=0o600)
    path.write_text(f"username = {THIEF}\npassword = {facility.password_of(THIEF)}\ndomain = IMAGING\n")
    return path


@pytest.fixture(scope="session")
def ask(login_file: Path) -> Asker:
    """Ask the controller with one of Samba's clients, as nobody, as the researcher, or with a wrong password."""

    def asked(
        client: str, where: str, command: str, *, known: bool = False, login: str = ""
    ) -> subprocess.CompletedProcess[str]:
        who = [f"--authentication-file={login_file}"] if known else ["--no-pass", "--user=%"]
        who = [f"--user=IMAGING\\{login}%guess"] if login else who
        # What a firewall drops is never answered; timeout(1) ends it, with status 124.
        line = ["timeout", "8", client, *who, where.format(CONTROLLER), "--command", command]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    return asked

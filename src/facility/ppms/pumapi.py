# SPDX-License-Identifier: GPL-3.0-or-later
"""PPMS's interface PUMAPI: one form a question, one kind of error. PPMS is not the facility's: be sparing with it.

What doesn't change within a run (instruments, groups) is asked once. No limit of requests is documented; one call a
person is unavoidable, so people are asked a few at a time.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import requests

from . import answers
from .answers import KINDS, Booking, SheetLine, System, User

Answer = TypeVar("Answer")

SECONDS = 10
_AT_A_TIME = 4


class PpmsError(Exception):
    """PPMS can't be reached or refuses; the message names address, action and cure."""


@dataclass(frozen=True)
class Access:
    """Where PUMAPI is and what opens it.

    Attributes:
        url: like https://ppms.example.org/site/pumapi/.
        api_key: a key with the rights that are needed; PPMS shows keys to its administrators.
        ca_file: authorities that the address is verified by; empty for the controller's own.
        proxy: like http://proxy.example.org:3128; empty for none.
    """

    url: str
    api_key: str = field(repr=False)
    ca_file: str = ""
    proxy: str = ""


class Ppms:
    """PPMS as seen with one key."""

    def __init__(self, access: Access) -> None:
        if not access.url.startswith("https://"):
            raise PpmsError(f"{access.url}: only https, for the key goes with each request")
        self._access = access
        self._session = requests.Session()
        # Without a file the machine's own store, not the one that requests brings along.
        self._session.verify = access.ca_file or ssl.get_default_verify_paths().capath
        # Neither proxies nor passwords from the caller's environment.
        self._session.trust_env = False
        if access.proxy:
            self._session.proxies = {"https": access.proxy}

    def check_key(self) -> None:
        """Make sure that the key is good.

        Raises:
            PpmsError: when it isn't.
        """
        self._ask("auth")

    def users(self, *, active: bool | None = None) -> list[str]:
        """Return logins."""
        return answers.logins(self._ask("getusers", **({} if active is None else {"active": str(active).lower()})))

    def user(self, login: str) -> User | None:
        """Return a person; None when nobody has that login."""
        found = self._read(answers.user, self._ask("getuser", login=login, format="csv"), "getuser")
        # Asked for a login that is no one's, some sites answer with somebody's line.
        return found if found is not None and found.login.lower() == login.lower() else None

    def people(self, logins: Iterable[str]) -> dict[str, User]:
        """Return those people that PPMS knows, by login."""
        names = list(logins)
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            found = list(pool.map(self.user, names))
        return {name: person for name, person in zip(names, found, strict=True) if person is not None}

    @functools.cached_property
    def groups(self) -> list[str]:
        """Logins of the units."""
        return answers.logins(self._ask("getgroups"))

    @functools.cached_property
    def systems(self) -> list[System]:
        """The instruments."""
        return self._read(answers.systems, self._ask("getsystems", format="csv"), "getsystems")

    def save_user(self, person: User, *, new: bool) -> None:
        """Make a person, or change one.

        Raises:
            PpmsError: also when the unit doesn't exist, which PPMS would silently make.
        """
        if person.group not in self.groups:
            raise PpmsError(
                f"{person.login}: no group {person.group!r} in PPMS, which would make one: mend it, or make it there"
            )
        action = "newuser" if new else "upduser"
        form = {
            "login": person.login, "lname": person.family_name, "fname": person.given_name, "email": person.mail,
            "unitlogin": person.group, "active": str(person.active).lower(),
        }  # fmt: skip
        answer = self._ask(action, **form)
        if f"OK {action}" not in answer:
            raise PpmsError(f"{self._access.url}: {action} {person.login} was not confirmed: {answer[:80]!r}")

    def rights(self, system: int) -> dict[str, str]:
        """Return the kind of right (A, N, S, D) by login."""
        return self._read(answers.rights, self._ask("getsysrights", id=str(system)), "getsysrights")

    def set_right(self, system: int, login: str, kind: str) -> None:
        """Give a person a right.

        Raises:
            PpmsError: also for a kind that PPMS doesn't have, for PPMS itself answers "done" to that.
        """
        if kind not in KINDS:
            raise PpmsError(f"{login}: no kind of right {kind!r}: use {', '.join(KINDS)}")
        answer = self._ask("setright", id=str(system), login=login, type=kind).strip()
        if answer != "done":
            raise PpmsError(
                f"{self._access.url}: setright {kind} of {login} for {system} was not confirmed: {answer[:80]!r}"
            )

    def booking(self, system: int) -> Booking | None:
        """Return the booking that runs now."""
        return self._read(answers.booking, self._ask("getbooking", id=str(system)), "getbooking")

    def next_booking(self, system: int) -> Booking | None:
        """Return the next booking."""
        return self._read(answers.booking, self._ask("nextbooking", id=str(system)), "nextbooking")

    def running_sheet(self, facility: int, day: str) -> list[SheetLine]:
        """Return the bookings of a day (YYYY-MM-DD)."""
        text = self._ask("getrunningsheet", plateformid=str(facility), day=day, format="csv")
        return self._read(answers.sheet, text, "getrunningsheet")

    def _ask(self, action: str, **form: str) -> str:
        where = f"{self._access.url} ({action})"
        try:
            reply = self._session.post(
                self._access.url, data={"action": action, "apikey": self._access.api_key, **form}, timeout=SECONDS,
                # A key is not carried to wherever an answer points.
                allow_redirects=False,
            )  # fmt: skip
        except requests.exceptions.SSLError as error:
            raise PpmsError(f"{where}: its certificate is not trusted: name its authority in ca_file") from error
        except requests.exceptions.Timeout as error:
            raise PpmsError(f"{where}: no answer within {SECONDS} s: try again later") from error
        except requests.exceptions.RequestException as error:
            raise PpmsError(f"{where}: can't be reached: mend url, or try again later") from error
        if reply.status_code not in {200, 204}:
            raise PpmsError(
                f"{where}: status {reply.status_code}: is url PUMAPI's address, with the site's name in it?"
            )
        try:
            return answers.checked(reply.text)
        except answers.AnswerError as error:
            raise PpmsError(f"{where}: {error}{_cure(str(error))}") from error

    def _read(self, parse: Callable[[str], Answer], text: str, action: str) -> Answer:
        try:
            return parse(text)
        except answers.AnswerError as error:
            raise PpmsError(f"{self._access.url} ({action}): {error}") from error


def _cure(message: str) -> str:
    cures = {
        "not authorized": ": the key is wrong, or may not do this: see PPMS's page of API keys",
        "invalid id": ": no such instrument: see ppms_info",
        "invalid user": ": make the person first, with ppms_user",
    }
    return next((cure for sign, cure in cures.items() if sign in message), "")

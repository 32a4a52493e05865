# SPDX-License-Identifier: GPL-3.0-or-later
"""What PPMS's PUMAPI answers, read as it is met in practice. Knows no network.

Source: Stratocore's PUMAPI documentation (revision 2014.0) and what clients in public repositories had to cope with:
CSV whose lines have more fields than the header, HTML entities in names, "True" beside "true", errors with status
200.
"""

from __future__ import annotations

import csv
import html
import re
from dataclasses import dataclass

KINDS = {"A": "autonomous", "N": "novice", "S": "superuser", "D": "deactivated"}
SUPERUSER = "S"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_RIGHT = re.compile(r"([ANSD])[:,](\S+)")
_ERROR = re.compile(r"\s*error\b", re.IGNORECASE)


class AnswerError(ValueError):
    """PPMS said no, or something that no documentation knows."""


@dataclass(frozen=True)
class User:
    """A person in PPMS. group is the login of the person's unit."""

    login: str
    family_name: str
    given_name: str
    mail: str
    group: str
    active: bool


@dataclass(frozen=True)
class System:
    """An instrument in PPMS; its tracker code is not to be had through PUMAPI."""

    number: int
    name: str
    kind: str
    place: str
    active: bool
    bookable: bool


@dataclass(frozen=True)
class Booking:
    """A booking: minutes until it ends (the one now) or begins (the next one)."""

    login: str
    minutes: int
    session: str


@dataclass(frozen=True)
class SheetLine:
    """A line of a day's running sheet. person is a full name, which two may share; 00:00 ends the day."""

    start: str
    end: str
    system: str
    person: str
    place: str


def checked(body: str) -> str:
    """Return an answer without line ends of Windows and control characters.

    Raises:
        AnswerError: when it is an error, which PPMS also gives with status 200.
    """
    text = _CONTROL.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    if _ERROR.match(text) or text.strip() == "system right not authorized":
        raise AnswerError(" ".join(text.split())[:200] or "error")
    return text


def rows(text: str) -> list[dict[str, str]]:
    """Return the lines of CSV with a header; fields that the header doesn't know are left out."""
    lines = list(csv.reader(text.splitlines(), skipinitialspace=True))
    if not lines:
        return []
    header = [name.strip().lower() for name in lines[0]]
    return [
        {name: html.unescape(value.strip()) for name, value in zip(header, line, strict=False)}
        for line in lines[1:]
        if line
    ]


def truth(text: str) -> bool:
    """Return what "True", "true" or "1" mean."""
    return text.strip().lower() in {"true", "1", "yes"}


def logins(text: str) -> list[str]:
    """Return a list of logins, one a line, each once."""
    return list(dict.fromkeys(html.unescape(line.strip()) for line in text.splitlines() if line.strip()))


def user(text: str) -> User | None:
    """Return the person that getuser answered; None for an empty answer, which means that nobody has that login."""
    found = rows(text)
    if not found:
        return None
    line = found[0]
    if "login" not in line:
        raise AnswerError(f"getuser answered a header without login: {text[:80]!r}")
    return User(
        login=line["login"],
        family_name=line.get("lname", ""),
        given_name=line.get("fname", ""),
        mail=line.get("email", ""),
        group=line.get("unitlogin", ""),
        active=truth(line.get("active", "")),
    )


def systems(text: str) -> list[System]:
    """Return the instruments that getsystems answered, by number."""
    found = []
    for line in rows(text):
        number = line.get("system id", "")
        if not number.isdigit():
            raise AnswerError(f"getsystems answered a system id that is no number: {number!r}")
        found.append(
            System(
                number=int(number),
                name=line.get("name", ""),
                kind=line.get("type", ""),
                place=line.get("localisation", ""),
                active=truth(line.get("active", "")),
                bookable=truth(line.get("bookable", "")),
            )
        )
    return sorted(found, key=lambda system: system.number)


def rights(text: str) -> dict[str, str]:
    """Return kind of right by login (getsysrights) or system (getuserrights); format=csv turns colons into commas.

    Administrators stand there twice, with A and with S: whoever is a superuser is that.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _RIGHT.fullmatch(line.strip())
        if match is None:
            raise AnswerError(f"a right that is neither A, N, S nor D: {line[:40]!r}")
        if found.get(match[2]) != SUPERUSER:
            found[match[2]] = match[1]
    return found


def booking(text: str) -> Booking | None:
    """Return what getbooking or nextbooking answered in three lines; None when there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines) < 3 or not re.fullmatch(r"-?\d+", lines[1]):
        raise AnswerError(f"a booking of other than login, minutes and session: {text[:80]!r}")
    return Booking(lines[0], int(lines[1]), lines[2])


def sheet(text: str) -> list[SheetLine]:
    """Return a day's running sheet."""
    return [
        SheetLine(
            start=line.get("start time", ""),
            end=line.get("end time", ""),
            system=line.get("object", ""),
            person=line.get("user", ""),
            place=line.get("location", ""),
        )
        for line in rows(text)
    ]

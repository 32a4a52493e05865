# SPDX-License-Identifier: GPL-3.0-or-later
"""From a list of who was in which session to one change: lines of one session are put together, none counts twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from ..people.entries import RegisterError, hint
from ..people.policy import Policy
from . import ledger
from .ledger import Change
from .models import Entry
from .tables import Row

_Key = tuple[str, str, str, str]
"""What makes two lines the same session: requirement:<name> or instrument:<name>, day, who gave it, form."""


def change(rows: Sequence[Row]) -> Change:
    """The sessions and attendances of a list.

    Args:
        rows: As tables.rows reads them with tables.SESSIONS.

    Raises:
        RegisterError: What a line is about doesn't exist, two lines are the same, a session has too many people, or a
            line is recorded already; with all problems. What else makes no sense is for the ledger to refuse.
    """
    policy = ledger.policy().policy
    problems: list[str] = []
    sessions: dict[_Key, list[Row]] = {}
    for line, row in rows:
        try:
            about = _about(row.get("about", ""), policy)
        except RegisterError as error:
            problems.append(f"line {line}, about: {error}")
            continue
        form = row.get("form") or _form(about, policy)
        sessions.setdefault((about, row.get("date", ""), row.get("by", ""), form), []).append((line, row))
    for key, lines in sessions.items():
        problems += _twice(key, lines)
        if len(lines) > ledger.people_at_once():
            problems.append(f"line {lines[0][0]}: {_('These are too many people for one session.')}")
    if problems:
        raise RegisterError(sorted(problems, key=_line))
    new: list[dict[str, Any]] = []
    places: list[str] = []
    for (about, day, by, form), lines in sessions.items():
        kind, _colon, name = about.partition(":")
        session = ledger.new_id("session")
        new.append({"fact": "session", "id": session, kind: name, "date": day, "by": by, "form": form, "state": "held"})
        places.append(f"line {lines[0][0]}")
        for number, (line, row) in enumerate(lines, start=1):
            new.append({"fact": "attendance", "id": f"{session}-{number}", "session": session, "person": row["login"],
                        "result": row.get("result", "")})  # fmt: skip
            places.append(f"line {line}")
    return Change("sessions from a list", new, lines=places)


def _about(cell: str, policy: Policy) -> str:
    """requirement:<name> or instrument:<name>, for a name or title."""
    meant = cell.casefold()
    found = [
        f"{kind}:{one.name}"
        for kind, known in (("requirement", policy.requirements), ("instrument", policy.instruments))
        for one in known.values()
        if meant in {one.name.casefold(), one.title.casefold(), f"{kind}:{one.name}".casefold()}
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise RegisterError([f'"{cell}" may be {" or ".join(found)}: write which'])
    raise RegisterError([f'"{cell}" doesn\'t exist: {hint(meant, [*policy.requirements, *policy.instruments])}'])


def _form(about: str, policy: Policy) -> str:
    """The form that a requirement wants; oral if it takes any, and for trainings."""
    requirement = policy.requirements.get(about.removeprefix("requirement:"))
    return "electronic" if requirement and requirement.form == "electronic" else "oral"


def _twice(key: _Key, lines: Sequence[Row]) -> list[str]:
    """Lines that an earlier line says as well, or the register: the same file may be sent twice."""
    problems = []
    first: dict[str, int] = {}
    recorded = _recorded(key)
    for line, row in lines:
        login = row["login"]
        if login in first:
            problems.append(f'line {line}: says of "{login}" what line {first[login]} says: remove one of them')
        elif login in recorded:
            problems.append(f'line {line}: "{login}" is recorded in this session already: remove the line')
        first.setdefault(login, line)
    return problems


def _recorded(key: _Key) -> set[str]:
    """Who stands in a session like this one, whatever its form."""
    about, day, by, _form = key
    kind, _colon, name = about.partition(":")
    same = Entry.objects.filter(
        kind="session", revoked_by=None, **{f"body__{kind}": name}, body__date=day, body__by=by, body__state="held"
    )
    there = Entry.objects.filter(kind="attendance", revoked_by=None, session__in=same.values("id"))
    return set(there.values_list("login", flat=True))


def _line(problem: str) -> int:
    return int(problem.removeprefix("line ").partition(":")[0].partition(",")[0])

# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is held about a person: given away as one archive, or erased, proven by the audit that still verifies."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as LogIn
from django.db import connection, transaction
from django.db.models import Q

from ..people.entries import RegisterError
from . import audit, proofs, store
from .models import (
    Act,
    CalendarAddress,
    Code,
    Ending,
    Entry,
    Erasure,
    Sent,
    Standing,
    Tombstone,
    Touched,
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: how many facts and acts; session_proofs still show the person, with others on the same page."""

    facts: int
    acts: int
    session_proofs: tuple[str, ...]


def was_erased(login: str) -> bool:
    """Whether a login was somebody's who was erased."""
    return bool(Tombstone.objects.filter(digest=_digest(login)).exists())


def archive(login: str) -> bytes:
    """A ZIP with all that is held about a person: facts, acts, reminders, proofs.

    Raises:
        RegisterError: Nothing is held about the login.
    """
    rows = list(Entry.objects.filter(login=login).order_by("id"))
    if not rows:
        raise RegisterError([f'nothing is held about "{login}": look for the login with its first letters'])
    sessions = Entry.objects.filter(id__in=[row.session for row in rows if row.session]).order_by("id")
    acts = [{"number": act.number, "at": act.at.isoformat(), **audit.payload_of(act)} for act in _acts_of(login)]
    sent = [[one.what, one.due.isoformat(), one.at.isoformat()] for one in Sent.objects.filter(login=login)]
    codes = [[one.purpose, one.made_by, one.made_at.isoformat()] for one in Code.objects.filter(login=login)]
    calendar = [one.made_at.isoformat() for one in CalendarAddress.objects.filter(login=login)]
    held = {
        "login": login, "facts": [{"fact": row.kind, **store.as_entry(row)} for row in rows],
        "sessions": [store.as_entry(row) for row in sessions], "acts": acts, "reminders": sent, "codes": codes,
        "calendar_made": calendar,
    }  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{login}.json", json.dumps(held, indent=1, ensure_ascii=False))
        for row in rows:
            kept = proofs.opened(row.body["sha256"]) if row.kind == "document" else None
            if kept:
                with kept:
                    file.writestr(f"proofs/{row.id}.{row.body['type']}", kept.read())
    return packed.getvalue()


def erase(login: str, actor: str) -> Erased:
    """Erase a person. What is left is that somebody was erased, and that the login is never given again.

    Raises:
        RegisterError: Nothing is held, the account is still open, or others' facts rest on what the person did.
    """
    return _erase(login, actor, again=False)


def _erase(login: str, actor: str, *, again: bool) -> Erased:
    with transaction.atomic():
        rows = list(Entry.objects.filter(login=login))
        problems = [] if again else _against(login, rows)
        if problems:
            raise RegisterError(problems)
        ids = {row.session for row in rows if row.session}
        lists = Entry.objects.filter(kind="document", login="", session__in=ids).values_list("id", flat=True)
        acts = _acts_of(login)
        Act.objects.filter(number__in=[act.number for act in acts]).update(payload="", salt="")
        Erasure.objects.create(login=login)
        Entry.objects.filter(login=login).delete()
        Erasure.objects.all().delete()
        for table in (Standing, Ending, Sent, Touched, Code, CalendarAddress):
            table.objects.filter(login=login).delete()
        User.objects.filter(username__iexact=login).delete()
        # Who is logged in is named in no column: everybody logs in again.
        LogIn.objects.all().delete()
        Tombstone.objects.get_or_create(digest=_digest(login))
        audit.append({"who": actor, "act": "erase a person"}, erased=[store.sum_of(row) for row in rows])
    _forget_freed_pages()
    used = {body["sha256"] for body in Entry.objects.filter(kind="document").values_list("body", flat=True)}
    for row in rows:
        if row.kind == "document" and row.body["sha256"] not in used:
            proofs.delete(row.body["sha256"])
    return Erased(len(rows), len(acts), tuple(sorted(lists)))


def erase_again(earlier: Path, actor: str) -> list[str]:
    """Erase whom another database of this register says was erased: an older one that was restored knows them again.

    Args:
        earlier: The database's file. It has no names, but a digest of each login.
        actor: Who does it.

    Returns:
        The logins.

    Raises:
        RegisterError: It is no database of a register.
    """
    try:
        with closing(sqlite3.connect(f"{earlier.absolute().as_uri()}?mode=ro", uri=True)) as other:
            digests = {digest for (digest,) in other.execute("SELECT digest FROM register_tombstone")}
    except sqlite3.Error as error:
        raise RegisterError([f"{earlier}: is no register's database ({error})"]) from None
    logins = Entry.objects.exclude(login="").values_list("login", flat=True).distinct()
    again = sorted(login for login in logins if _digest(login) in digests)
    for login in again:
        _erase(login, actor, again=True)
    return again


def _against(login: str, rows: list[Entry]) -> list[str]:
    if not rows:
        return [f'nothing is held about "{login}": look for the login with its first letters']
    standing = Standing.objects.filter(login=login).first()
    if standing and standing.state != "denied":
        return [f'the account of "{login}" is still open: give it a last day that has passed, and run people.yml first']
    did = Q(recorded_by=login) | Q(revoked_by=login) | Q(body__by=login) | Q(body__granted_by=login)
    others = Entry.objects.filter(did | Q(body__second_by=login)).exclude(login=login).count()
    if others:
        return [f'{others} facts about others were recorded, given or revoked by "{login}": keep the person until '
                "these have been kept for as long as they must be"]  # fmt: skip
    return []


def _acts_of(login: str) -> list[Act]:
    """Acts that name a person, in whatever words."""
    named = re.compile(rf"(?<![\w.-]){re.escape(login)}(?![\w-])", re.IGNORECASE)
    return [act for act in Act.objects.filter(payload__icontains=login).order_by("number") if named.search(act.payload)]


def _forget_freed_pages() -> None:
    """SQLite leaves what was deleted in free pages and in its log; neither may keep it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _digest(login: str) -> str:
    return hashlib.sha256(f"login {login.lower()}".encode()).hexdigest()

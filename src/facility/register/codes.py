# SPDX-License-Identifier: GPL-3.0-or-later
"""Codes with which a researcher sets a password, once: for a new account, or because the old one is forgotten.

Only a code's hash is kept. It has 128 random bits and is written so that it can be typed from paper.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as LogIn
from django.db import transaction
from django.utils import timezone

from ..people.entries import RegisterError
from ..people.facts import Person
from . import audit, ledger, passwords, standings
from .models import Code

Purpose = Literal["activate", "forgotten"]

_BITS = 128
_GROUP = 5
# What is easily read wrongly, and is in no code.
_READ_AS = str.maketrans("018", "OIB")
_MOST_FORGOTTEN = 3
_FORGOTTEN_WITHIN = timedelta(hours=1)


class UnknownCodeError(Exception):
    """There is no such code: it was used, has ended, was replaced, or never was."""


def may_have(login: str) -> Person:
    """Somebody for whom a code can be made.

    Raises:
        RegisterError: Nobody has this login, or the register does not set this person's password.
    """
    found = standings.decided(login, ledger.policy())
    if found is None:
        raise RegisterError([f'login "{login}" doesn\'t exist: look for it with its first letters'])
    person = found[0]
    if person.kind != "researcher":
        raise RegisterError([f"{login} is of the {person.kind}: IT administrators set their first password"])
    if not settings.FACILITY.password_unit:
        raise RegisterError(
            ["the register sets no passwords here: set register_password_unit, or ask IT administrators"]
        )
    return person


def make(login: str, by: str, purpose: Purpose) -> str:
    """A new code for somebody; one that was made before for the same is no longer valid.

    Args:
        login: Whose.
        by: The login of who asked for it.
        purpose: Which.

    Returns:
        The code, as ABCDE-FGHIJ-…: nobody can find it out again.

    Raises:
        RegisterError: As may_have.
    """
    may_have(login)
    plain = base64.b32encode(secrets.token_bytes(_BITS // 8)).decode().rstrip("=")
    life = {
        "activate": timedelta(days=settings.FACILITY.activation_days),
        "forgotten": timedelta(minutes=settings.FACILITY.forgotten_minutes),
    }[purpose]
    now = timezone.now()
    with transaction.atomic():
        Code.objects.filter(login=login, purpose=purpose, used_at=None).update(ends_at=now)
        Code.objects.create(
            digest=_digest(plain), login=login, purpose=purpose, made_by=by, made_at=now, ends_at=now + life
        )
        audit.append({"who": by, "act": f"code to {purpose}", "people": [login]})
    return "-".join(plain[begin : begin + _GROUP] for begin in range(0, len(plain), _GROUP))


def asked_too_often(login: str) -> bool:
    """Whether somebody has had so many codes within an hour that no further one is sent."""
    since = timezone.now() - _FORGOTTEN_WITHIN
    return bool(Code.objects.filter(login=login, purpose="forgotten", made_at__gte=since).count() >= _MOST_FORGOTTEN)


def use(shown: str, new: str) -> Person:
    """Set the password of whose code this is.

    Args:
        shown: The code as it was typed, or taken from a link.
        new: The password.

    Raises:
        UnknownCodeError: It is none that is valid.
        passwords.RefusedError: The directory does not take the password; the code stays valid.
        DirectoryError: The directory does not answer; the code stays valid.
    """
    now = timezone.now()
    valid = Code.objects.filter(digest=_digest(shown), used_at=None, ends_at__gt=now)
    code = valid.first()
    # Taken first: two who show it at the same moment don't both set a password.
    if code is None or valid.update(used_at=now) != 1:
        raise UnknownCodeError
    try:
        person = may_have(code.login)
        passwords.put(code.login, new)
    except RegisterError:
        raise UnknownCodeError from None
    except BaseException:
        Code.objects.filter(digest=code.digest).update(used_at=None)
        raise
    with transaction.atomic():
        end_unused(code.login)
        audit.append({"who": code.login, "act": "set password", "people": [code.login]})
    end_log_ins(code.login)
    return person


def end_unused(login: str) -> None:
    """End all codes of somebody who has a new password: a link in an old mail, or a slip, sets no other one."""
    now = timezone.now()
    Code.objects.filter(login=login, used_at=None, ends_at__gt=now).update(ends_at=now)


def end_log_ins(login: str, but: str | None = None) -> None:
    """End all log-ins of somebody to these pages, but for one session's key."""
    user = User.objects.filter(username__iexact=login).first()
    if user is None:
        return
    for one in LogIn.objects.exclude(session_key=but):
        if one.get_decoded().get("_auth_user_id") == str(user.pk):
            one.delete()


def last_of(login: str) -> tuple[datetime | None, datetime | None]:
    """When somebody last set a password with a code, and until when one that is not yet used is valid."""
    codes = Code.objects.filter(login=login)
    used = codes.exclude(used_at=None).order_by("-used_at").first()
    waiting = codes.filter(used_at=None, ends_at__gt=timezone.now()).order_by("-ends_at").first()
    return (used.used_at if used else None, waiting.ends_at if waiting else None)


def _digest(shown: str) -> str:
    plain = "".join(filter(str.isalnum, shown.upper().translate(_READ_AS)))
    return hashlib.sha256(f"code {plain}".encode("utf-8", "surrogatepass")).hexdigest()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails about a person's password: the code to set one, and that one was set."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connections
from django.utils import timezone, translation

from ..people.facts import Person
from .codes import Purpose
from .words import _

_log = logging.getLogger("facility.register")


def can_mail() -> bool:
    """Whether mails can be sent at all."""
    return bool(settings.FACILITY.mail_server)


def later(work: Callable[[], object]) -> None:
    """Do something after the answer, so that how long it takes tells nobody whom the register knows."""

    def worked() -> None:
        try:
            work()
        except Exception:
            _log.exception("a mail about a password could not be sent")
        finally:
            connections.close_all()

    threading.Thread(target=worked, name="mail").start()


def send_code(person: Person, code: str, purpose: Purpose) -> bool:
    """Mail somebody the link with a code; say whether the relay has taken it."""
    with translation.override(settings.FACILITY.mail_language):
        told = {
            "name": f"{person.given_name} {person.family_name}", "facility": settings.FACILITY.title,
            "login": person.login, "link": f"{address()}password/#{code}", "days": settings.FACILITY.activation_days,
            "minutes": settings.FACILITY.forgotten_minutes,
        }  # fmt: skip
        if purpose == "activate":
            subject = _("%(facility)s: your account") % told
            body = _(
                "Dear %(name)s,\n\nyour login at %(facility)s is %(login)s. Choose your password here, within "
                "%(days)d days; the link works once:\n\n%(link)s\n\nNobody of the facility knows your password, or "
                "ever asks for it.\n"
            )
        else:
            subject = _("%(facility)s: another password") % told
            body = _(
                "Dear %(name)s,\n\nsomebody asked for another password for %(login)s at %(facility)s. If it was you, "
                "choose it here, within %(minutes)d minutes; the link works once:\n\n%(link)s\n\nIf it was not you, do "
                "nothing: your password stays as it is.\n"
            )
        return _sent(EmailMessage(subject, body % told, to=[person.mail]))


def tell_changed(name: str, mail: str) -> bool:
    """Tell somebody that their password is another now; say whether the relay has taken it."""
    if not can_mail():
        return False
    with translation.override(settings.FACILITY.mail_language):
        told = {"name": name, "facility": settings.FACILITY.title, "at": _moment(timezone.now())}
        subject = _("%(facility)s: your password was changed") % told
        body = _(
            "Dear %(name)s,\n\nyour password at %(facility)s was changed on %(at)s. If it was not you, tell the "
            "facility's staff at once.\n"
        )
        return _sent(EmailMessage(subject, body % told, to=[mail]))


def address() -> str:
    """The pages' address, with a slash at its end."""
    return f"{settings.FACILITY.address.rstrip('/')}/"


def _sent(message: EmailMessage) -> bool:
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        _log.error("%s: the relay refuses a mail about a password: %s", ", ".join(message.to), error)
        return False
    return True


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails to people, through the site's relay and verified TLS: what of theirs runs out, and for staff what of anybody.

A reminder counts as sent when the relay has taken it. One mail a person, whatever runs out.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.utils import translation

from ..people.access import decide_all
from ..people.facts import Facts, Person
from ..people.policy import Policy
from ..people.reminders import ACCOUNT, Reminder, due_on
from . import ledger, standings, store, words
from .models import Ending, Sent
from .words import _

_DIGEST_DAYS = 30
_MONDAY = 0


class Relay(EmailBackend):
    """Django's way to a mail server, with the site's own certificate authority."""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """What of the relay's certificate is believed."""
        return ssl.create_default_context(cafile=str(settings.FACILITY.mail_ca_file))


def remind(today: date) -> tuple[int, list[str]]:
    """Send what is due on a day; give how many mails were taken, and what is wrong, a line each.

    A mail that the relay refuses is tried again in the next run; the others go out all the same.
    """
    rules = ledger.policy()
    standings.renew_stale(rules)
    # Days of use make trainings lapse, so that everything is read.
    known = Facts.of(store.everything()).known()
    decisions = decide_all(known, rules.policy, today)
    sent = [Reminder(*row) for row in Sent.objects.values_list("login", "what", "due", "stage")]
    due = due_on(today, known.people, decisions, rules.policy, sent)
    mails = [(_reminder(known.people[login], found, rules.policy), found) for login, found in sorted(due.items())]
    digest = _digest(today, rules.policy)
    if digest and today.weekday() == _MONDAY:
        key = Reminder("(staff)", "digest", today, 0)
        if key not in sent:
            mails.append((digest, [key]))
    return _send(mails)


def _send(mails: Sequence[tuple[EmailMessage, Sequence[Reminder]]]) -> tuple[int, list[str]]:
    taken, problems = 0, []
    if not mails:
        return 0, []
    where = f"{settings.FACILITY.mail_server}:{settings.FACILITY.mail_port}"
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return 0, [f"{where}: takes no mail ({error}): {len(mails)} mails wait for the next run"]
    try:
        for message, reminders in mails:
            message.connection = connection
            try:
                message.send()
            except smtplib.SMTPServerDisconnected as error:
                problems.append(f"{where}: ended the connection ({error}): the rest waits for the next run")
                break
            except (OSError, smtplib.SMTPException) as error:
                problems.append(f"{', '.join(message.to)}: the relay refuses the mail ({error}): correct the address")
                continue
            Sent.objects.bulk_create(Sent(**one._asdict()) for one in reminders)
            taken += 1
    finally:
        connection.close()
    return taken, problems


def _reminder(person: Person, reminders: Iterable[Reminder], policy: Policy) -> EmailMessage:
    with translation.override(settings.FACILITY.mail_language):
        listed = "\n".join(f"  {one.due}  {_title(one.what, policy)}" for one in reminders)
        body = _(
            "Dear %(name)s,\n\nthe following of yours at %(facility)s runs out after its last day:\n\n%(listed)s\n\n"
            "What opens with it is shut from then on. All that is open to you, and whom to ask: %(address)s\n"
        ) % {
            "name": f"{person.given_name} {person.family_name}", "facility": settings.FACILITY.title,
            "listed": listed, "address": f"{settings.FACILITY.address.rstrip('/')}/me/",
        }  # fmt: skip
        subject = _("%(facility)s: something of yours runs out") % {"facility": settings.FACILITY.title}
    return EmailMessage(subject, body, to=[person.mail])


def _digest(today: date, policy: Policy) -> EmailMessage | None:
    """What of anybody runs out within some weeks; None if nobody wants it or nothing does."""
    latest = today + timedelta(days=_DIGEST_DAYS)
    found = list(Ending.objects.filter(day__gte=today, day__lte=latest).order_by("day", "name"))
    if not settings.FACILITY.mail_digest or not found:
        return None
    with translation.override(settings.FACILITY.mail_language):
        lines = [f"  {one.day}  {one.name}: {_title(one.what, policy)}" for one in found]
        subject = _("%(facility)s: what runs out up to %(day)s") % {"facility": settings.FACILITY.title, "day": latest}
    return EmailMessage(subject, "\n".join(lines) + "\n", to=list(settings.FACILITY.mail_digest))


def _title(what: str, policy: Policy) -> str:
    return _("your account") if what == ACCOUNT else words.demand_title(what, policy)

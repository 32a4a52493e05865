# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs out as a calendar, at a secret address of one of the staff, which ends when they are staff no longer.

The address is its own password: 128 bits, of which the SHA-256 alone is kept. A calendar says of a person the name and
what ends, and no login.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation
from django.utils.crypto import salted_hmac

from . import standings, words
from .log_in import DirectoryError
from .models import CalendarAddress, Ending
from .policy_file import Reviewed
from .words import _

_log = logging.getLogger("facility.register")
DAYS = 90
"""How far a calendar looks ahead."""
_TOKEN_BYTES = 16


def renew(login: str) -> str:
    """Give somebody a new address, in their present language; the one before ends. Returns its secret, shown once."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    language = translation.get_language() or settings.LANGUAGE_CODE
    CalendarAddress.objects.update_or_create(
        login=login,
        defaults={"digest": _digest(token), "language": language, "made_at": datetime.now(UTC), "asked_at": None},
    )
    return token


def revoke(login: str) -> None:
    """End somebody's address."""
    CalendarAddress.objects.filter(login=login).delete()


def made_at(login: str) -> datetime | None:
    """When somebody's address was made; None without one."""
    found: datetime | None = CalendarAddress.objects.filter(login=login).values_list("made_at", flat=True).first()
    return found


def address_of(token: str) -> CalendarAddress | None:
    """The address that a secret opens; None if it never did, or no longer does.

    Who the directory says is no longer staff loses the address for good. While it doesn't answer, who was staff when it
    last did still is.
    """
    found: CalendarAddress | None = CalendarAddress.objects.filter(digest=_digest(token)).first()
    if found is None or _is_staff(found):
        return found
    _log.info("the calendar of %s ends: the account is no longer one of the staff", found.login)
    found.delete()
    return None


def events(rules: Reviewed) -> list[Ending]:
    """What of anybody runs out within DAYS, the next first."""
    standings.fresh(rules)
    within = Ending.objects.filter(day__gte=rules.today, day__lte=rules.today + timedelta(days=DAYS))
    return list(within.order_by("day", "name", "what", "login"))


def tag(found: Sequence[Ending], language: str, rules: Reviewed) -> str:
    """An ETag that differs when the calendar does; much cheaper than the calendar."""
    listed = [(one.login, one.what, one.name, one.day.isoformat()) for one in found]
    text = repr([listed, language, rules.digest, rules.today.isoformat(), settings.FACILITY.title])
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def written(found: Sequence[Ending], language: str, rules: Reviewed) -> bytes:
    """The calendar as RFC 5545 has it: a day's event for each last day, known again by the same UID when it moves."""
    from icalendar import Calendar, Event  # noqa: PLC0415 - it takes a while, and no other page needs it

    calendar = Calendar()
    with translation.override(language):
        name = _("%(facility)s: what runs out") % {"facility": settings.FACILITY.title}
        titles = {one.what: words.demand_title(one.what, rules.policy) for one in found}
    calendar.add("PRODID", "-//facility-as-code//register//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", name)
    # Both, for Outlook reads the second one.
    calendar.add("REFRESH-INTERVAL", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT1H")
    stamp = datetime.combine(rules.today, time(), UTC)
    for one in found:
        event = Event()
        event.add("UID", _uid(one))
        event.add("DTSTAMP", stamp)
        event.add("DTSTART", one.day)
        event.add("SUMMARY", f"{one.name}: {titles[one.what]}")
        # It takes nobody's time.
        event.add("TRANSP", "TRANSPARENT")
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _uid(one: Ending) -> str:
    # Not a mere hash: whoever reads the calendar could find the login by trying some.
    return (
        f"{salted_hmac('register.calendar', f'{one.login} {one.what}', algorithm='sha256').hexdigest()[:32]}@register"
    )


def _digest(token: str) -> str:
    return hashlib.sha256(f"calendar {token}".encode()).hexdigest()


def _is_staff(address: CalendarAddress) -> bool:
    user = User.objects.filter(username__iexact=address.login).first()
    if user is None:
        return False
    if _due(address):
        from django_auth_ldap.backend import LDAPBackend  # noqa: PLC0415 - only a host with a directory needs it

        try:
            user = LDAPBackend().populate_user(user.username)
        except DirectoryError as error:
            _log.warning("the directory does not answer, and the calendar of %s stays: %s", address.login, error)
        else:
            CalendarAddress.objects.filter(login=address.login).update(asked_at=datetime.now(UTC))
    return bool(user and user.is_active and (user.is_staff or user.is_superuser))


def _due(address: CalendarAddress) -> bool:
    age = None if address.asked_at is None else (datetime.now(UTC) - address.asked_at).total_seconds()
    again = age is None or not 0 <= age < settings.FACILITY.recheck_seconds
    return bool(settings.FACILITY.directory_uris) and again

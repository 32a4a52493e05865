# SPDX-License-Identifier: GPL-3.0-or-later
"""People's own passwords: set with a code, asked for when forgotten, changed; and the code that staff hand over.

No address holds a code: a link has it behind the #, which a browser sends to nobody, so that it is in no log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ...people.entries import RegisterError
from ...people.facts import Person
from .. import codes, ledger, notices, passwords, standings
from ..codes import UnknownCodeError
from ..config import Config
from ..log_in import DirectoryError, staff_only
from ..models import Entry
from .acts import actor

_log = logging.getLogger("facility.register")
_LONGEST = 256
_form = require_http_methods(["GET", "HEAD", "POST"])


@_form
def choose(request: HttpRequest) -> HttpResponse:
    """Whoever has a code chooses a password."""
    template = "register/choose_password.html"
    if request.method != "POST":
        return _shown(request, template)
    code, new = request.POST.get("code", "")[:_LONGEST], request.POST.get("new", "")

    def take() -> None:
        person = codes.use(code, new)
        _log.info("%s has set a password with a code", person.login)
        notices.later(lambda: notices.tell_changed(f"{person.given_name} {person.family_name}", person.mail))

    problem, status = _problem(request, take)
    if problem:
        return _shown(request, template, status, problem=problem, code=code)
    messages.success(request, _("Your password is set. Log in with it."))
    return redirect("log-in")


@_form
def forgotten(request: HttpRequest) -> HttpResponse:
    """Somebody asks for another password. The answer is the same, whomever the register knows."""
    template = "register/forgotten.html"
    if request.method != "POST":
        return _shown(request, template)
    asked = request.POST.get("who", "").strip().lower()[:_LONGEST]
    if notices.can_mail():
        notices.later(lambda: _send_if_known(asked))
    return _shown(request, template, asked=True)


@_form
@login_required
def change(request: HttpRequest) -> HttpResponse:
    """Who is logged in changes the own password."""
    template = "register/change_password.html"
    if request.method != "POST":
        return _shown(request, template)
    login = actor(request)
    old, new = request.POST.get("old", "")[:_LONGEST], request.POST.get("new", "")
    problem, status = _problem(request, lambda: passwords.change(login, old, new))
    if problem:
        return _shown(request, template, status, problem=problem)
    _log.info("%s has changed the password", login)
    codes.end_unused(login)
    codes.end_log_ins(login, but=request.session.session_key)
    known = _known(login)
    if known:
        notices.later(lambda: notices.tell_changed(f"{known.given_name} {known.family_name}", known.mail))
    messages.success(request, _("Your password is changed, here and everywhere else."))
    return redirect("me")


@require_POST
@staff_only
def invite(request: HttpRequest, login: str) -> HttpResponse:
    """Staff hand over a code: by mail, or on paper. It is shown once."""
    by_mail = request.POST.get("how") == "mail"
    if by_mail and not notices.can_mail():
        messages.error(request, _("No mail server is set: print the slip."))
        return redirect("person", login=login)
    try:
        person = codes.may_have(login)
        code = codes.make(login, actor(request), "activate")
    except RegisterError as error:
        for problem in error.problems:
            messages.error(request, problem)
        return redirect("person", login=login)
    if not by_mail:
        address = f"{notices.address()}password/"
        return _shown(request, "register/slip.html", person=person, code=code, address=address)
    if notices.send_code(person, code, "activate"):
        messages.success(request, _("The link is on its way to %(mail)s.") % {"mail": person.mail})
    else:
        messages.error(request, _("The mail server does not take it: try again later, or print the slip."))
    return redirect("person", login=login)


def _shown(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:  # noqa: ANN401
    context = {"length": _config().password_length, "mails": notices.can_mail(), **context}
    return render(request, template, context, status=status)


def _problem(request: HttpRequest, take: Callable[[], object]) -> tuple[str, int]:
    """Have the new password taken; give what is wrong, "" if nothing is, and the status of the page that tells it."""
    new = request.POST.get("new", "")
    if new != request.POST.get("repeated", ""):
        return _("The two are not the same: type the new password twice."), 422
    if not _config().password_length <= len(new) <= _LONGEST:
        return passwords.why_not("length"), 422
    try:
        take()
    except UnknownCodeError:
        return _("This code is not valid: it was used, it has ended, or a later one was made. Ask for another."), 422
    except passwords.RefusedError as error:
        return passwords.why_not(error.why), 422
    except DirectoryError as error:
        _log.error("a password could not be set: %s", error)
        return _("The directory does not answer, so nothing was changed. Try again in some minutes."), 503
    return "", 302


def _send_if_known(asked: str) -> None:
    """Mail a code to whose login or address this is, if the register may set that password."""
    person = _known(asked) or _known(_login_of(asked))
    if person is None or codes.asked_too_often(person.login):
        return
    try:
        code = codes.make(person.login, person.login, "forgotten")
    except RegisterError:
        return
    notices.send_code(person, code, "forgotten")


def _login_of(mail: str) -> str:
    """Whose address this is; "" if it is nobody's, or of more than one."""
    people = Entry.objects.filter(kind="person", revoked_by=None, body__mail__iexact=mail)
    logins = set(people.values_list("login", flat=True)[:2]) if mail else set()
    return logins.pop() if len(logins) == 1 else ""


def _known(login: str) -> Person | None:
    found = standings.decided(login, ledger.policy()) if login else None
    return found[0] if found else None


def _config() -> Config:
    from django.conf import settings  # noqa: PLC0415 - as the other views reach it through ledger

    config: Config = settings.FACILITY
    return config

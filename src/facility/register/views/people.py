# SPDX-License-Identifier: GPL-3.0-or-later
"""Who there is, and what one person may do, why not, and what cures it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ...people.entries import RegisterError
from ...people.facts import Attendance, Document, Fact, Session
from .. import codes, ledger, notices, proofs, standings, words
from ..log_in import is_staff, staff_only
from ..models import Entry, Standing
from . import applied

_MOST = 50


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Staff begin with people, everybody else with themselves."""
    return redirect("people" if is_staff(request) else "me")


def _search(typed: str, most: int) -> list[Standing]:
    """People whose name, login, mail or group has all the words that were typed."""
    found = Standing.objects.order_by("name", "login")
    for word in typed[:200].casefold().split()[:8]:
        found = found.filter(search__contains=word)
    return list(found[:most])


@require_safe
@staff_only
def listed(request: HttpRequest) -> HttpResponse:
    """The list of people, or those who were searched for."""
    standings.fresh(ledger.policy())
    typed = request.GET.get("q", "")
    found = _search(typed, _MOST + 1)
    context = {"people": found[:_MOST], "more": len(found) > _MOST, "typed": typed}
    return render(request, "register/people.html", context)


@require_safe
@staff_only
def suggested(request: HttpRequest) -> HttpResponse:
    """People for what is being typed, for the form that takes several."""
    found = _search(request.GET.get("q", ""), 8)
    return JsonResponse({"people": [{"login": one.login, "name": one.name} for one in found]})


@require_safe
@staff_only
def shown(request: HttpRequest, login: str) -> HttpResponse:
    """One person, with what is recorded and the ways to record more."""
    about = {**_about(login), **_password_of(login), "follows": applied.follows(login)}
    return render(request, "register/person.html", about)


@require_safe
@login_required
def me(request: HttpRequest) -> HttpResponse:
    """Who asks: their own doors and dates."""
    try:
        context = _about(request.user.get_username().lower())
    except Http404:
        context = {}
    return render(request, "register/me.html", context)


@require_safe
@staff_only
def proof(request: HttpRequest, document: str) -> FileResponse:
    """A proof as a file to save: nothing of it runs in the browser."""
    entry = Entry.objects.filter(kind="document", id=document).first()
    file = proofs.opened(entry.body["sha256"]) if entry else None
    if entry is None or file is None:
        raise Http404
    answer = FileResponse(
        file, as_attachment=True, filename=f"{document}.{entry.body['type']}", content_type="application/octet-stream"
    )
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _about(login: str) -> dict[str, Any]:
    rules = ledger.policy()
    found = standings.decided(login, rules)
    if found is None:
        raise Http404
    person, decision, facts = found
    sessions = {one.id: one for one in facts.all if isinstance(one, Session)}
    own = [one for one in facts.all if not isinstance(one, Session) and _is_of(one, login)]
    own.sort(key=lambda one: (one.recorded_at, one.id), reverse=True)
    attended = {one.session for one in own if isinstance(one, Attendance)}
    return {
        "person": person,
        "decision": decision,
        "doors": words.doors(decision, rules.policy),
        "endings": [(words.demand_title(what, rules.policy), day) for what, day in standings.endings(person, decision)],
        "facts": [(one, words.fact(one, rules.policy, sessions), _has_file(one)) for one in own],
        "planned": [words.session_title(one, rules.policy) for one in sessions.values()
                    if one.id in attended and one.state == "planned" and one.revoked_by is None],
    }  # fmt: skip


def _password_of(login: str) -> dict[str, Any]:
    """What the page tells of a person's password: whether the register may set it, and whether it was set."""
    try:
        codes.may_have(login)
    except RegisterError:
        return {}
    activated, code_ends = codes.last_of(login)
    return {"invitable": True, "activated": activated, "code_ends": code_ends, "mails": notices.can_mail()}


def _has_file(one: Fact) -> bool:
    return isinstance(one, Document) and proofs.is_there(one.sha256)


def _is_of(one: Any, login: str) -> bool:  # noqa: ANN401 - any kind of fact
    return login in {getattr(one, "person", None), getattr(one, "login", None)}

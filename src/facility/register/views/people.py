# SPDX-License-Identifier: GPL-3.0-or-later
"""Who there is, and what one person may do, why not, and what cures it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from .. import ledger, standings
from ..log_in import is_staff, staff_only
from ..models import Standing

_MOST = 50


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Staff begin with people, everybody else with themselves."""
    return redirect("people") if is_staff(request) else redirect("me")


@require_safe
@staff_only
def listed(request: HttpRequest) -> HttpResponse:
    """People whose name, login, mail or group has all the words that were typed."""
    standings.renew_stale(ledger.policy())
    typed = request.GET.get("q", "")[:200]
    found = Standing.objects.order_by("name", "login")
    for word in typed.casefold().split()[:8]:
        found = found.filter(search__contains=word)
    some = list(found[: _MOST + 1])
    context = {"people": some[:_MOST], "more": len(some) > _MOST, "typed": typed}
    return render(request, "register/people.html", context)


@require_safe
@staff_only
def shown(request: HttpRequest, login: str) -> HttpResponse:
    """One person."""
    found = standings.decided(login, ledger.policy())
    if found is None:
        raise Http404
    person, decision, facts = found
    return render(request, "register/person.html", {"person": person, "decision": decision, "facts": facts.all})

# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for many people at once: what runs out, and who may do what."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ...people.access import PPMS
from ...people.facts import Session
from .. import ledger, standings, store, words
from ..log_in import staff_only
from ..models import Ending, Entry, Standing

_SPANS = (14, 30, 90, 365)
_ROWS = 50


@require_safe
@staff_only
def expiring(request: HttpRequest) -> HttpResponse:
    """What of anybody runs out within some days, the next first."""
    rules = ledger.policy()
    standings.fresh(rules)
    asked = request.GET.get("days", "")
    days = int(asked) if asked.isdecimal() and int(asked) in _SPANS else 30
    within = Ending.objects.filter(day__gte=rules.today, day__lte=rules.today + timedelta(days=days))
    page = _page(request)
    some = list(within.order_by("day", "name", "what")[(page - 1) * _ROWS : page * _ROWS + 1])
    return render(request, "register/expiring.html", {
        "found": [(one, words.demand_title(one.what, rules.policy)) for one in some[:_ROWS]], "days": days,
        "spans": _SPANS, "before": page - 1, "after": page + 1 if len(some) > _ROWS else 0,
    })  # fmt: skip


def _page(request: HttpRequest) -> int:
    asked = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1


@require_safe
@staff_only
def matrix(request: HttpRequest) -> HttpResponse:
    """People against doors, page by page; of one research group if one is chosen."""
    rules = ledger.policy()
    standings.fresh(rules)
    group = request.GET.get("group", "")
    page = _page(request)
    found = Standing.objects.order_by("name", "login")
    if group:
        found = found.filter(research_group=group)
    some = list(found[(page - 1) * _ROWS : page * _ROWS + 1])
    names = ["wiki", "share", "omero", *(f"log-on:{one}" for one in rules.policy.instruments)]
    return render(request, "register/matrix.html", {
        "titles": [words.door_title(name, rules.policy) for name in names if not name.startswith(PPMS)],
        "rows": [(one, [one.doors.get(name, "denied") for name in names]) for one in some[:_ROWS]],
        "groups": rules.policy.groups.values(), "group": group, "page": page,
        "before": page - 1, "after": page + 1 if len(some) > _ROWS else 0,
    })  # fmt: skip


@require_safe
@staff_only
def planned(request: HttpRequest) -> HttpResponse:
    """Sessions that are to take place, or took place and were not yet recorded as held."""
    rules = ledger.policy()
    found = [
        one for entry in Entry.objects.filter(kind="session", revoked_by=None, body__state="planned")
        if isinstance(one := store.fact(entry), Session)
    ]  # fmt: skip
    sessions = [(one, words.session_title(one, rules.policy)) for one in sorted(found, key=lambda one: one.date)]
    return render(request, "register/planned.html", {"sessions": sessions, "today": rules.today})

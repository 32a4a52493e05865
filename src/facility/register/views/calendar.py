# SPDX-License-Identifier: GPL-3.0-or-later
"""The calendar of what runs out: its secret address, made, renewed and revoked by whose it is, and what it gives."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ...people.entries import RegisterError
from .. import calendar_feed, ledger
from ..log_in import staff_only
from .acts import actor


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def address(request: HttpRequest) -> HttpResponse:
    """Whether one has an address; with step=renew a new one, shown this once, with step=revoke none."""
    login = actor(request)
    made = ""
    if request.POST.get("step") == "renew":
        made = request.build_absolute_uri(reverse("feed", args=[calendar_feed.renew(login)]))
    elif request.POST.get("step") == "revoke":
        calendar_feed.revoke(login)
    context = {"made": made, "since": calendar_feed.made_at(login), "days": calendar_feed.DAYS}
    return render(request, "register/calendar.html", context)


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar; 304 if the reader has it as it is, 404 for an address that is none."""
    found = calendar_feed.address_of(token)
    if found is None:
        return HttpResponse("There is no such calendar.\n", status=404, content_type="text/plain")
    try:
        rules = ledger.policy()
    except RegisterError:
        return HttpResponse("The calendar can't be made now.\n", status=503, content_type="text/plain")
    events = calendar_feed.events(rules)
    # Kept by whose it is alone, and asked for again each time: it may have been revoked.
    headers = {"ETag": calendar_feed.tag(events, found.language, rules), "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    content = calendar_feed.written(events, found.language, rules)
    headers["Content-Disposition"] = 'attachment; filename="expiring.ics"'
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)

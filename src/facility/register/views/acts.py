# SPDX-License-Identifier: GPL-3.0-or-later
"""From a filled form to an act: first its preview, then the act itself, and a way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ...people.entries import RegisterError
from .. import audit, ledger, words
from ..ledger import Change, ConflictError, Proposal
from ..log_in import staff_only
from ..models import Act

PREVIEW, MAKE = "preview", "make"


def actor(request: HttpRequest) -> str:
    """The login of who asks, as the register writes it."""
    return str(request.user.get_username()).lower()


def carry_out(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    change: Callable[[], Change],
    done: Callable[[Proposal], HttpResponse],
) -> HttpResponse:
    """Show a form, its preview, or make the change that it describes.

    Args:
        request: A GET shows the form; a POST has the form's fields and step, preview or make.
        template: The form's page. It gets problems (lines) and effects besides context.
        context: What else the page needs, the form's own values among it.
        change: The change that the form describes; RegisterError if it describes none.
        done: Where to go then.
    """
    if request.method != "POST":
        return render(request, template, context)
    problems: list[str] = []
    effects: list[dict[str, Any]] = []
    status = 200
    try:
        if request.POST.get("step") == MAKE:
            proposal = ledger.make(actor(request), change())
            messages.success(request, _("Recorded."), extra_tags=f"act-{audit.head()[0]}")
            return done(proposal)
        effects = shown(ledger.propose(actor(request), change()))
    except RegisterError as error:
        problems, status = error.problems, 422
    except ConflictError:
        problems = [_("Somebody else has changed this in the meantime. Look at it again: nothing was recorded.")]
        status = 409
    return render(request, template, {**context, "problems": problems, "effects": effects}, status=status)


def shown(proposal: Proposal) -> list[dict[str, Any]]:
    """What a change leads to, person by person, as a page shows it."""
    policy = ledger.policy().policy
    return [
        {
            "person": effect.person,
            "doors": [
                {"title": words.door_title(name, policy), "before": before, "after": after}
                for name, (before, after) in effect.doors.items()
                if not name.startswith("ppms:")
            ],
        }
        for effect in proposal.effects
    ]


@require_POST
@staff_only
def revoke(request: HttpRequest, fact: str) -> HttpResponse:
    """Revoke one fact, with a reason."""
    change = Change("revoke", revoked=[fact], reason=request.POST.get("reason", ""))
    return _at_once(request, change)


@require_POST
@staff_only
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Revoke what an act has added, if it has revoked nothing: the way back of a slip."""
    act = Act.objects.filter(number=number).first()
    payload = audit.payload_of(act) if act else {}
    if not payload.get("added") or payload.get("revoked") or payload.get("who") != actor(request):
        messages.error(request, _("This can't be taken back in one step: revoke what is wrong, fact by fact."))
        return _back(request)
    return _at_once(request, Change("undo", revoked=list(payload["added"]), reason=_("taken back at once")))


def _at_once(request: HttpRequest, change: Change) -> HttpResponse:
    try:
        ledger.make(actor(request), change)
        messages.success(request, _("Revoked."))
    except RegisterError as error:
        for problem in error.problems:
            messages.error(request, problem)
    except ConflictError:
        messages.error(request, _("This was revoked already."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    login = request.POST.get("person", "")
    return redirect("person", login=login) if login else redirect("people")

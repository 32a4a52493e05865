# SPDX-License-Identifier: GPL-3.0-or-later
"""Another policy, looked at before it is deployed: whom it would shut out or let in. Nothing of it is kept."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ...people.entries import RegisterError
from ...people.facts import Facts
from ...people.policy_preview import DAYS, LARGEST, Shift, policy_in, preview
from .. import ledger, store, words
from ..log_in import staff_only


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def previewed(request: HttpRequest) -> HttpResponse:
    """The form, and what the policy in the file would change; for IT administrators, who deploy it."""
    if not request.user.is_superuser:
        raise PermissionDenied
    problems: list[str] = []
    doors: list[tuple[str, list[Shift]]] = []
    looked = False
    if request.method == "POST":
        try:
            doors = _doors(request)
            looked = True
        except RegisterError as error:
            problems = error.problems
    context = {"problems": problems, "doors": doors, "looked": looked, "days": DAYS}
    return render(request, "register/policy.html", context, status=422 if problems else 200)


def _doors(request: HttpRequest) -> list[tuple[str, list[Shift]]]:
    """By door, as people call it, what differs."""
    if "file" not in request.FILES:
        raise RegisterError([_("Choose the file: facility.yml.")])
    rules = ledger.policy()
    after = policy_in(request.FILES["file"].read(LARGEST + 1), "facility.yml")
    found: dict[str, list[Shift]] = {}
    for shift in preview(Facts.of(store.everything()).known(), rules.policy, after, rules.today):
        known = after if shift.door.partition(":")[2] in after.instruments else rules.policy
        found.setdefault(words.door_title(shift.door, known), []).append(shift)
    return list(found.items())

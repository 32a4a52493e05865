# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller tells of the systems that follow the register, and what of that concerns one person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..log_in import is_controller
from ..models import Act, Applied, Touched

_MOST_SYSTEMS = 20
_LONGEST = 2000
# The controller asks each minute; then it is said that it does not come.
_LATE = timedelta(minutes=10)


class Follows(NamedTuple):
    """Whether a system has what is recorded of a person: state is yes, waits, late or error."""

    system: str
    state: str
    at: datetime
    error: str


@csrf_exempt
@require_POST
def told(request: HttpRequest) -> HttpResponse:
    """Take the controller's report: {"tag": of the export that it applied, "systems": {name: fault, or ""}}."""
    if not is_controller(request):
        return HttpResponse("This is for the controller.\n", status=403, content_type="text/plain")
    try:
        report = json.loads(request.body)
        number, _dash, chain = report["tag"].strip('"').partition("-")
        act = Act.objects.filter(number=int(number), hash__startswith=chain).first() if len(chain) >= 32 else None
        systems = {str(name)[:64]: str(fault)[:_LONGEST] for name, fault in report["systems"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return HttpResponse("This is no report.\n", status=400, content_type="text/plain")
    if act is None or len(systems) > _MOST_SYSTEMS:
        return HttpResponse("This register has no such export.\n", status=409, content_type="text/plain")
    now = datetime.now(UTC)
    with transaction.atomic():
        Applied.objects.exclude(system__in=systems).delete()
        for system, fault in systems.items():
            new: dict[str, Any] = {"at": now, "error": fault, **({} if fault else {"act": act.number})}
            Applied.objects.update_or_create(system=system, defaults=new)
    return HttpResponse(status=204)


def follows(login: str) -> list[Follows]:
    """How each system follows what is recorded of a person; nothing where no controller ever told."""
    touched = Touched.objects.filter(login=login).values_list("act", flat=True).first() or 0
    since = Act.objects.filter(number=touched).values_list("at", flat=True).first()
    found = []
    for one in Applied.objects.order_by("system"):
        state = "yes"
        if one.error:
            state = "error"
        elif one.act < touched:
            state = "late" if since and datetime.now(UTC) - since > _LATE else "waits"
        found.append(Follows(one.system, state, one.at, one.error))
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts as JSON Lines, for the controller alone, who shows a token."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from .. import audit, exchange
from ..log_in import is_controller


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The export; 304 if the controller has it as it is, 403 to everybody else."""
    if not is_controller(request):
        return HttpResponse("This is for the controller.\n", status=403, content_type="text/plain")
    # One moment for both: what comes in between would be fetched under the tag of what was before.
    with transaction.atomic():
        number, chain = audit.head()
        tag = f'"{number}-{chain[:32]}"'
        if request.headers.get("If-None-Match") == tag:
            return HttpResponse(status=304, headers={"ETag": tag})
        return HttpResponse(exchange.written_out(), content_type="application/jsonl", headers={"ETag": tag})

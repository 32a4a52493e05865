# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every answer and Django does not do by itself."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ..core.request_body import read_rest

_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " \
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"  # fmt: skip


class ContentSecurityPolicy:
    """No inline script, nothing from elsewhere; and no page with people's data is kept by a browser or proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add them."""
        response = self._get_response(request)
        response.setdefault("Content-Security-Policy", _POLICY)
        response.setdefault("Cache-Control", "no-store")
        return response


class WholeRequest:
    """A large proof of somebody whose log-in has ended is answered with the log-in page, and not with an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer when all was taken that was sent."""
        response = self._get_response(request)
        read_rest(request)
        return response

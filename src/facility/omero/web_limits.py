# SPDX-License-Identifier: GPL-3.0-or-later
"""What OMERO.web refuses before it looks at a request; OMERO.web loads it as middleware, in its own environment.

OMERO.web takes a name and a password from the address of any page, so that a limit on the log-in form alone limits
nothing, and the password is in logs and histories. And whoever isn't logged in has no business sending much.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ..core.request_body import read_rest

LARGEST_BODY = 1_000_000
"""Bytes that somebody may send who is not logged in; a log-in form has some hundred."""
_CREDENTIALS = ("username", "password")
_LOGGED_IN = "connector"


class Refusals:
    """Middleware; it comes after that of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """As Django calls it."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse, or hand on."""
        response = self._answer(request)
        read_rest(request)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # Django has decoded the names, whatever way they were spelt.
        if any(name in request.GET for name in _CREDENTIALS):
            return _refused("Log in with the form: names and passwords are not taken from an address.", 400)
        if _too_large(request) and not request.session.get(_LOGGED_IN):
            return _refused("Log in first: nothing so large is taken from who is not logged in.", 413)
        return self._get_response(request)


def _too_large(request: HttpRequest) -> bool:
    """Whether a request says that it is large, or does not say how large it is."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    chunked = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
    return chunked or not length.isdigit() or int(length) > LARGEST_BODY


def _refused(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The form for logging in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from ..log_in import DirectoryError


class LogIn(LoginView):
    """A wrong password and a directory that doesn't answer are told apart."""

    template_name = "register/log_in.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - as Django calls it
        """Try what was typed."""
        try:
            return super().post(request, *args, **kwargs)
        except DirectoryError:
            # Another look at what was typed would ask the directory again.
            form = self.form_class(request, initial={"username": request.POST.get("username", "")})
            return self.render_to_response(self.get_context_data(form=form, silent=True), status=503)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address shows what."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from .views import export, people

urlpatterns = [
    path("", people.start, name="start"),
    path("log-in/", LoginView.as_view(template_name="register/log_in.html"), name="log-in"),
    path("log-out/", LogoutView.as_view(), name="log-out"),
    path("people/", people.listed, name="people"),
    path("people/<str:login>/", people.shown, name="person"),
    path("export", export.export, name="export"),
]

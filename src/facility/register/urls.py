# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address shows what."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from .views import acts, applied, calendar, export, overview, passwords, people, policy, record, table
from .views.log_in import LogIn

urlpatterns = [
    path("", people.start, name="start"),
    path("log-in/", LogIn.as_view(), name="log-in"),
    path("log-out/", LogoutView.as_view(), name="log-out"),
    path("password/", passwords.choose, name="choose-password"),
    path("password/forgotten/", passwords.forgotten, name="forgotten"),
    path("password/change/", passwords.change, name="change-password"),
    path("me/", people.me, name="me"),
    path("people/", people.listed, name="people"),
    path("suggest", people.suggested, name="suggested"),
    path("new-person/", record.person, name="new-person"),
    path("new-people/", table.people, name="new-people"),
    path("people/<str:login>/", people.shown, name="person"),
    path("people/<str:login>/change/", record.person, name="change-person"),
    path("people/<str:login>/invite/", passwords.invite, name="invite"),
    path("people/<str:login>/exception/", record.exception, name="exception"),
    path("people/<str:login>/block/", record.block, name="block"),
    path("people/<str:login>/document/", record.document, name="document"),
    path("proofs/<str:document>", people.proof, name="proof"),
    path("sessions/", overview.planned, name="planned"),
    path("sessions/new/", record.session, name="session"),
    path("new-sessions/", table.sessions, name="new-sessions"),
    path("sessions/<str:session_id>/held/", record.held, name="held"),
    path("expiring/", overview.expiring, name="expiring"),
    path("calendar/", calendar.address, name="calendar"),
    path("calendar/<str:token>.ics", calendar.feed, name="feed"),
    path("matrix/", overview.matrix, name="matrix"),
    path("policy/", policy.previewed, name="policy"),
    path("facts/<str:fact>/revoke/", acts.revoke, name="revoke"),
    path("acts/<int:number>/undo/", acts.undo, name="undo"),
    path("export", export.export, name="export"),
    path("applied", applied.told, name="applied"),
]

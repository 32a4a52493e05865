# SPDX-License-Identifier: GPL-3.0-or-later
"""Who somebody is and what they are here: the directory says it at log-in, and again every few minutes."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from .config import Config

_log = logging.getLogger("facility.register")
_CHECKED = "directory_checked"
# Active Directory's words for an account that is neither disabled nor expired; a locked one unlocks itself.
_OPEN = (
    "(!(userAccountControl:1.2.840.113556.1.4.803:=2))(|(!(accountExpires=*))(accountExpires=0)(accountExpires>={now}))"
)
# Seconds from 1601, with which Active Directory begins to count, to 1970; and its ticks a second.
_SECONDS_BEFORE, _TICKS = 11_644_473_600, 10_000_000


class DirectoryError(Exception):
    """The directory doesn't answer."""


def _say_so(*_: Any, exception: Exception, **__: Any) -> None:  # noqa: ANN401 - as signals are sent
    # Without a receiver that raises, django-auth-ldap takes silence for an unknown person or a wrong password.
    raise DirectoryError(str(exception)) from exception


def open_accounts(filterstr: str) -> str:
    """A filter for accounts that are open now."""
    return filterstr.format(now=int((time.time() + _SECONDS_BEFORE) * _TICKS))


def ldap_settings(config: Config) -> dict[str, Any]:
    """The settings of django-auth-ldap."""
    if not config.directory_uris or config.directory_bind_password_file is None:
        return {}
    import ldap  # noqa: PLC0415 - only a host with a directory needs it
    from django_auth_ldap.config import LDAPSearch, NestedActiveDirectoryGroupType  # noqa: PLC0415

    class OpenNow(LDAPSearch):
        """A search whose filter has the moment of asking in it."""

        def execute(self, connection: Any, filterargs: Any = (), escape: bool = True) -> Any:  # noqa: ANN401
            now = LDAPSearch(self.base_dn, self.scope, open_accounts(self.filterstr), self.attrlist)
            return now.execute(connection, filterargs, escape)

    people = "(&(objectCategory=person)(objectClass=user)(sAMAccountName=%(user)s)" + _OPEN + ")"
    flags = {"is_staff": config.staff_group}
    if config.administrator_group:
        flags["is_superuser"] = config.administrator_group
    return {
        "AUTH_LDAP_SERVER_URI": config.directory_uris,
        "AUTH_LDAP_BIND_DN": config.directory_bind_dn,
        "AUTH_LDAP_BIND_PASSWORD": config.directory_bind_password_file.read_text(encoding="utf-8").strip(),
        "AUTH_LDAP_GLOBAL_OPTIONS": {
            ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
            ldap.OPT_X_TLS_CACERTFILE: str(config.directory_ca_file),
        },
        "AUTH_LDAP_CONNECTION_OPTIONS": {
            ldap.OPT_REFERRALS: 0, ldap.OPT_NETWORK_TIMEOUT: 5, ldap.OPT_TIMEOUT: 10,
        },
        "AUTH_LDAP_USER_SEARCH": OpenNow(config.directory_base, ldap.SCOPE_SUBTREE, people),
        "AUTH_LDAP_GROUP_SEARCH": LDAPSearch(config.directory_base, ldap.SCOPE_SUBTREE, "(objectClass=group)"),
        "AUTH_LDAP_GROUP_TYPE": NestedActiveDirectoryGroupType(),
        "AUTH_LDAP_USER_FLAGS_BY_GROUP": flags,
        "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "last_name": "sn"},
        "AUTH_LDAP_NO_NEW_USERS": False,
    }  # fmt: skip


class StillAllowed:
    """Whoever is logged in is looked up again after some minutes; whose account is gone or disabled is logged out.

    Roles follow, too. A directory that doesn't answer changes nothing until it does: the page says who they were.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        from django.conf import settings  # noqa: PLC0415 - settings.py imports this module

        self._get_response = get_response
        if settings.AUTHENTICATION_BACKENDS:
            from django_auth_ldap.backend import ldap_error  # noqa: PLC0415 - only a host with a directory needs it

            ldap_error.connect(_say_so)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look, if it is time."""
        if request.user.is_authenticated and self._due(request):
            self._check(request)
        return self._get_response(request)

    @staticmethod
    def _due(request: HttpRequest) -> bool:
        from django.conf import settings  # noqa: PLC0415 - settings.py imports this module

        age = time.time() - float(request.session.get(_CHECKED, 0))
        return bool(settings.FACILITY.directory_uris) and not 0 <= age < settings.FACILITY.recheck_seconds

    @staticmethod
    def _check(request: HttpRequest) -> None:
        from django.contrib.auth import logout  # noqa: PLC0415
        from django_auth_ldap.backend import LDAPBackend  # noqa: PLC0415

        try:
            known = LDAPBackend().populate_user(request.user.get_username())
        except DirectoryError as error:
            _log.warning("the directory does not answer, and roles stay as they are: %s", error)
            known = request.user
        if known is None:
            logout(request)
        else:
            request.user.refresh_from_db()
            request.session[_CHECKED] = time.time()


def is_controller(request: HttpRequest) -> bool:
    """Whether who asks shows the controller's token."""
    from django.conf import settings  # noqa: PLC0415 - settings.py imports this module

    token = settings.FACILITY.export_token_file.read_text(encoding="utf-8").strip()
    shown = request.headers.get("Authorization", "")
    return bool(token) and secrets.compare_digest(shown.encode(), f"Bearer {token}".encode())


def is_staff(request: HttpRequest) -> bool:
    """Whether who asks may record."""
    user = request.user
    return bool(user.is_authenticated and user.is_active and (user.is_staff or user.is_superuser))


def roles(request: HttpRequest) -> dict[str, Any]:
    """What every page knows: the facility's name, and whether who asks is staff."""
    from django.conf import settings  # noqa: PLC0415 - settings.py imports this module

    return {"facility_title": settings.FACILITY.title, "staff": hasattr(request, "user") and is_staff(request)}


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse a page to everybody but staff; who is not logged in is asked to log in."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
        from django.contrib.auth.views import redirect_to_login  # noqa: PLC0415
        from django.core.exceptions import PermissionDenied  # noqa: PLC0415

        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not is_staff(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    checked.staff_only = True  # type: ignore[attr-defined]
    return checked

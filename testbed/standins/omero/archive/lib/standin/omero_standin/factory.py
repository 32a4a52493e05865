# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceFactory, a client's door to everything, and the two that Glacier2 asks: who may come in, and to what."""

import uuid
from typing import Any

import Glacier2
import Ice
import omero
import omero.all

from omero_standin import services
from omero_standin.admin import Admin, Ldap
from omero_standin.deletion import delete
from omero_standin.dispatch import servant
from omero_standin.files import OriginalFileStore
from omero_standin.ownership import chown
from omero_standin.repository import Handle, ManagedRepository
from omero_standin.sessions import Session
from omero_standin.thumbnails import ThumbnailStore

_SERVICES = {
    "getAdminService": (Admin, omero.api.IAdminPrx),
    "getConfigService": (services.Config, omero.api.IConfigPrx),
    "getContainerService": (services.Container, omero.api.IContainerPrx),
    "getLdapService": (Ldap, omero.api.ILdapPrx),
    "getMetadataService": (services.Metadata, omero.api.IMetadataPrx),
    "getQueryService": (services.Query, omero.api.IQueryPrx),
    "getRepositoryInfoService": (services.RepositoryInfo, omero.api.IRepositoryInfoPrx),
    "getScriptService": (services.Scripts, omero.api.IScriptPrx),
    "getSessionService": (services.SessionService, omero.api.ISessionPrx),
    "getShareService": (services.Share, omero.api.ISharePrx),
    "getTypesService": (services.Types, omero.api.ITypesPrx),
    "createThumbnailStore": (ThumbnailStore, omero.api.ThumbnailStorePrx),
    "createRawFileStore": (OriginalFileStore, omero.api.RawFileStorePrx),
}


def _getter(implementation: type, proxy: type) -> Any:
    def get(self: Any, current: Any) -> Any:
        return proxy.uncheckedCast(self.server.publish(implementation(self.server, self.session), current))

    return get


_Getters = type("_Getters", (), {name: _getter(*parts) for name, parts in _SERVICES.items()})


@servant(omero.api.ServiceFactory)
class ServiceFactory(_Getters):
    """One client's connection to a session."""

    def __init__(self, server: Any, session: Session) -> None:
        self.server, self.session = server, session
        self.closes = True
        session.holders += 1

    def getByName(self, name: str, current: Any) -> Any:
        for getter, (_, proxy) in _SERVICES.items():
            if proxy.__name__ == name.rpartition(".")[2] + "Prx":
                return getattr(self, getter)(current)
        raise omero.ApiUsageException(None, None, f"the stand-in has no {name}")

    def sharedResources(self, current: Any) -> Any:
        return omero.grid.SharedResourcesPrx.uncheckedCast(
            self.server.publish(SharedResources(self.server, self.session), current)
        )

    def submit(self, request: Any, current: Any) -> Any:
        act = chown if isinstance(request, omero.cmd.Chown2) else delete
        handle = Handle(act(self.server, self.session, request), request)
        return omero.cmd.HandlePrx.uncheckedCast(self.server.publish(handle, current))

    def setSecurityContext(self, item: Any, current: Any) -> Any:
        before = omero.model.ExperimenterGroupI(self.session.group, False)
        if item.id.val not in self.server.people.groups_of(self.session.user):
            raise omero.SecurityViolation(None, None, f"{self.session.login} is no member of group {item.id.val}")
        self.session.group = item.id.val
        return before

    def getSecurityContexts(self, current: Any) -> Any:
        return [
            self.server.objects.one("ExperimenterGroup", group)
            for group in self.server.people.groups_of(self.session.user)
        ]

    def setCallback(self, callback: Any, current: Any) -> None:
        return None

    def activeServices(self, current: Any) -> list[str]:
        return []

    def keepAlive(self, proxy: Any, current: Any) -> bool:
        if self.server.sessions.get(self.session.uuid) is None:
            raise Ice.ObjectNotExistException
        return True

    def keepAllAlive(self, proxies: Any, current: Any) -> int:
        self.keepAlive(None, current)
        return 0

    def closeOnDestroy(self, current: Any) -> None:
        self.closes = True

    def detachOnDestroy(self, current: Any) -> None:
        self.closes = False

    def destroy(self, current: Any) -> None:
        self.session.holders -= 1
        if self.closes and self.session.holders <= 0:
            self.server.sessions.close(self.session.uuid)
        self.server.withdraw(current)


@servant(omero.grid.SharedResources)
class SharedResources:
    """The repositories."""

    def __init__(self, server: Any, session: Session) -> None:
        self.server, self.session = server, session

    def repositories(self, current: Any) -> Any:
        repository = ManagedRepository(self.server, self.session)
        proxy = omero.grid.ManagedRepositoryPrx.uncheckedCast(self.server.publish(repository, current))
        return omero.grid.RepositoryMap(descriptions=[repository.root(current)], proxies=[proxy])

    def areTablesEnabled(self, current: Any) -> bool:
        return False


class Verifier(Glacier2.PermissionsVerifier):
    """Glacier2 asks for each log-in from outside."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def checkPermissions(self, login: str, password: str, current: Any) -> tuple[bool, str]:
        if self.server.sessions.get(login) is not None and login == password:
            return True, ""
        try:
            good = self.server.people.log_in(login, password)
        except Exception:
            self.server.log.exception("log-in of %s", login)
            return False, "The directory or the database can't be asked; see Blitz-0.log."
        self.server.log.info("log-in of %s: %s", login, "good" if good else "refused")
        return good, "" if good else "Password check failed for " + login


class Manager(Glacier2.SessionManager):
    """Makes a session for who was let in; without Glacier2 (control is None) for the grid's own servers."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def create(self, login: str, control: Any, current: Any) -> Any:
        session = self.server.sessions.get(login)
        try:
            if session is None:
                session = self.server.sessions.open(login, current.ctx.get("omero.group", ""))
        except omero.ServerError as error:
            raise omero.WrappedCreateSessionException(error.message, False, 0, type(error).__name__) from error
        session.agent = current.ctx.get("omero.agent", "")
        if control is None:
            session.idle = 0
        factory = ServiceFactory(self.server, session)
        category = f"session-{current.ctx.get('omero.client.uuid', uuid.uuid4().hex)}-{uuid.uuid4().hex[:8]}"
        identity = Ice.Identity(session.uuid, category)
        return Glacier2.SessionPrx.uncheckedCast(current.adapter.add(factory, identity))

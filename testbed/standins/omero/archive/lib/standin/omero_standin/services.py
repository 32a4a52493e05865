# SPDX-License-Identifier: GPL-3.0-or-later
"""The smaller services: configuration, queries, sessions, and the ones that OMERO.web asks and gets nothing from."""

import datetime
import re
from typing import Any

import omero
import omero.all
from omero.rtypes import rlong, rmap, robject, rstring, rtime

from omero_standin.admin import _Service
from omero_standin.dispatch import servant, usage
from omero_standin.hql import QueryError, translate
from omero_standin.objects import moment, wrap
from omero_standin.schema import TABLES


@servant(omero.api.IConfig)
class Config(_Service):
    """The server's settings, as far as a client may know them."""

    def getVersion(self, current: Any) -> str:
        return str(self.server.configuration["omero.version"].partition("-")[0])

    def getConfigValue(self, key: str, current: Any) -> str:
        if re.search(r"pass", key, re.IGNORECASE):
            self.need_admin("ReadSession")
        return str(self.server.property(key))

    def getConfigValues(self, pattern: str, current: Any) -> dict[str, str]:
        names = [name for name in self.server.configuration.values if re.match(pattern, name) and "pass" not in name]
        return {name: self.server.configuration[name] for name in names}

    def getConfigDefaults(self, current: Any) -> dict[str, str]:
        return dict(self.server.configuration.defaults)

    def getClientConfigValues(self, current: Any) -> dict[str, str]:
        return self._client(self.server.configuration.values)

    def getClientConfigDefaults(self, current: Any) -> dict[str, str]:
        return self._client(self.server.configuration.defaults)

    def getDatabaseUuid(self, current: Any) -> str:
        return str(self.database.one("SELECT value FROM configuration WHERE name = 'omero.db.uuid'"))

    def getServerTime(self, current: Any) -> Any:
        return rtime(int(datetime.datetime.now(datetime.UTC).timestamp() * 1000))

    def _client(self, values: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in values.items() if name.startswith("omero.client.")}


@servant(omero.api.IQuery)
class Query(_Service):
    """HQL, and objects by class and id."""

    def get(self, entity: str, key: int, current: Any) -> Any:
        found = self._load(entity, key)
        if found is None:
            raise omero.ValidationException(None, None, f"No row with the given identifier exists: [{entity}#{key}]")
        return found

    def find(self, entity: str, key: int, current: Any) -> Any:
        return self._load(entity, key)

    def projection(self, text: str, parameters: Any, current: Any) -> Any:
        query, rows = self._run(text, parameters, current)
        entities = [self._entities(item, index, rows) for index, item in enumerate(query.items)]
        result = []
        for row in rows:
            values = [
                self._value(item, known, value) for item, known, value in zip(query.items, entities, row, strict=True)
            ]
            if query.as_map:
                names = [item.name or str(index) for index, item in enumerate(query.items)]
                values = [rmap(dict(zip(names, values, strict=True)))]
            result.append(values)
        return result

    def findAllByQuery(self, text: str, parameters: Any, current: Any) -> Any:
        query, rows = self._run(text, parameters, current)
        item = query.items[0]
        if not item.entity:
            raise omero.ValidationException(None, None, f"the query selects no objects: {text}")
        known = self._entities(item, 0, rows)
        # `join fetch` of a collection repeats the owner; the stand-in joins as asked and loads each once.
        return [known[key] for key in dict.fromkeys(row[0] for row in rows) if key in known]

    def findByQuery(self, text: str, parameters: Any, current: Any) -> Any:
        found = self.findAllByQuery(text, parameters, current)
        if len(found) > 1:
            raise omero.ValidationException(None, None, f"query did not return a unique result: {len(found)}")
        return found[0] if found else None

    def findAll(self, entity: str, filters: Any, current: Any) -> Any:
        parameters = omero.sys.Parameters(theFilter=filters) if filters else None
        return self.findAllByQuery(f"select o from {entity} o order by o.id", parameters, current)

    def findByString(self, entity: str, field: str, value: str, current: Any) -> Any:
        parameters = omero.sys.ParametersI().addString("value", value)
        return self.findByQuery(f"select o from {entity} o where o.{field} = :value", parameters, current)

    def _load(self, entity: str, key: int) -> Any:
        if entity not in TABLES:
            raise usage(f"the stand-in has no class {entity}")
        return self.objects.one(entity, key)

    def _run(self, text: str, parameters: Any, current: Any) -> tuple[Any, list[list[Any]]]:
        values = {name: _plain(value) for name, value in ((parameters.map if parameters else None) or {}).items()}
        lists = {name for name, value in values.items() if isinstance(value, list)}
        try:
            query = translate(text, self.server.sessions.viewer(self.session, dict(current.ctx)), lists)
        except QueryError as error:
            raise omero.ValidationException(None, None, f"{error}, in: {' '.join(text.split())}") from error
        sql = query.sql
        page = parameters.theFilter if parameters else None
        if page and page.limit:
            sql += f" LIMIT {page.limit.val} OFFSET {page.offset.val if page.offset else 0}"
        used = {name: value for name, value in values.items() if re.search(rf":{name}\b", sql)}
        return query, self.database.run(sql, **used)

    def _entities(self, item: Any, index: int, rows: list[list[Any]]) -> dict[int, Any]:
        if not item.entity or item.name.endswith("_details_permissions"):
            return {}
        keys = [row[index] for row in rows if row[index] is not None]
        return dict(self.objects.load(item.entity, list(dict.fromkeys(keys))))

    def _value(self, item: Any, known: dict[int, Any], value: Any) -> Any:
        if item.name.endswith("_details_permissions"):
            return self._permissions(item.entity, value)
        if item.entity:
            return robject(known[value]) if value in known else None
        return wrap(value)

    def _permissions(self, entity: str, key: int) -> Any:
        """OMERO's special answer to `x as x_details_permissions`: what may be done, as a map."""
        owner, group = self.database.run(f"SELECT owner_id, group_id FROM {entity.lower()} WHERE id = :id", id=key)[0]
        may = owner == self.session.user or self.people.is_admin(self.session.user)
        return wrap_permissions(str(self.objects.permissions(group)), may=may)


def wrap_permissions(perm: str, *, may: bool) -> Any:
    """Return the map of permissions that OMERO.web reads."""
    names = ("canEdit", "canAnnotate", "canLink", "canDelete", "canChgrp", "canChown")
    return rmap({"perm": rstring(perm), **{name: wrap(may) for name in names}})


@servant(omero.api.ISession)
class SessionService(_Service):
    """Sessions for oneself and, for administrators, for others."""

    def getSession(self, uuid: str, current: Any) -> Any:
        session = self.server.sessions.get(uuid)
        if session is None:
            raise omero.RemovedSessionException(None, None, f"No session with uuid: {uuid}")
        return self.server.sessions.as_object(session)

    def createSessionWithTimeouts(self, principal: Any, live: int, idle: int, current: Any) -> Any:
        self.need_admin("Sudo")
        seconds = idle / 1000 or None
        session = self.server.sessions.open(principal.name, principal.group, seconds, self.session)
        return self.server.sessions.as_object(session)

    def createSessionWithTimeout(self, principal: Any, live: int, current: Any) -> Any:
        return self.createSessionWithTimeouts(principal, live, 0, current)

    def createUserSession(self, live: int, idle: int, group: str, current: Any) -> Any:
        session = self.server.sessions.open(self.session.login, group, idle / 1000 or None)
        return self.server.sessions.as_object(session)

    def closeSession(self, session: Any, current: Any) -> int:
        self.server.sessions.close(session.uuid.val)
        return -2

    def getMyOpenSessions(self, current: Any) -> Any:
        return [self.server.sessions.as_object(self.session)]

    def getReferenceCount(self, uuid: str, current: Any) -> int:
        session = self.server.sessions.get(uuid)
        return session.holders if session else -1


@servant(omero.api.ITypes)
class Types(_Service):
    """Enumerations: none are kept apart."""

    def allEnumerations(self, name: str, current: Any) -> Any:
        return []


@servant(omero.api.IShare)
class Share(_Service):
    """Shares: there are none."""

    def getOwnShares(self, active: bool, current: Any) -> Any:
        return []

    def getMemberShares(self, active: bool, current: Any) -> Any:
        return []

    def deactivate(self, current: Any) -> None:
        return None


@servant(omero.api.IScript)
class Scripts(_Service):
    """No scripts are installed: OMERO.figure then offers no export."""

    def getScriptID(self, path: str, current: Any) -> int:
        return -1

    def getScripts(self, current: Any) -> Any:
        return []

    def getUserScripts(self, accepts: Any, current: Any) -> Any:
        return []


@servant(omero.api.IMetadata)
class Metadata(_Service):
    """Annotations: there are none."""

    def loadAnnotations(self, *arguments: Any) -> Any:
        return {}

    def loadSpecifiedAnnotations(self, *arguments: Any) -> Any:
        return []

    def countAnnotationsUsedNotOwned(self, *arguments: Any) -> Any:
        return rlong(0)


@servant(omero.api.IContainer)
class Container(_Service):
    """Counts of what is in what: only images count here."""

    def getCollectionCount(self, kind: str, attribute: str, ids: list[int], options: Any, current: Any) -> Any:
        return dict.fromkeys(ids, 0)


@servant(omero.api.IRepositoryInfo)
class RepositoryInfo(_Service):
    """Space on the data disk, in KiB."""

    def getFreeSpaceInKilobytes(self, current: Any) -> int:
        return int(self.server.disk().free // 1024)

    def getUsedSpaceInKilobytes(self, current: Any) -> int:
        return int(self.server.disk().used // 1024)


def _plain(value: Any) -> Any:
    if isinstance(value, omero.RTime):
        return moment(value.val)
    value = getattr(value, "_val", value)
    return [_plain(item) for item in value] if isinstance(value, list) else value

# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is logged in. A session lives until it was idle too long or nobody holds it any more."""

import itertools
import threading
import time
import uuid as uuids
from dataclasses import dataclass, field

import omero
import omero.all
from omero.rtypes import rlong, rstring, rtime

from omero_standin.hql import Viewer
from omero_standin.people import People

_numbers = itertools.count(1)


@dataclass
class Session:
    """One log-in.

    Attributes:
        idle: seconds without a call after which it ends; 0: never.
        holders: how many connections have joined it.
    """

    user: int
    login: str
    group: int
    idle: float
    uuid: str = field(default_factory=lambda: str(uuids.uuid4()))
    number: int = field(default_factory=lambda: next(_numbers))
    started: float = field(default_factory=time.time)
    seen: float = field(default_factory=time.monotonic)
    holders: int = 0
    sudoer: tuple[int, str] | None = None
    agent: str = ""


class Sessions:
    """All of them, by their uuid, which is also their key."""

    def __init__(self, people: People, idle: float) -> None:
        self.people = people
        self.idle = idle
        self.lock = threading.Lock()
        self.known: dict[str, Session] = {}

    def open(self, login: str, group: str = "", idle: float | None = None, sudoer: Session | None = None) -> Session:
        """Return a new session; the password was checked before.

        Raises:
            omero.ApiUsageException: for a person or a group that doesn't exist or doesn't fit.
        """
        user = self.people.find(login)
        if user is None:
            raise omero.ApiUsageException(None, None, f"Cannot find user: {login}")
        wanted = self.people.default_group(user)
        # "user" stands for "whatever group is the default one".
        if group and group != "user":
            named = self.people.find_group(group)
            if named is None or (named not in self.people.groups_of(user) and not self.people.is_admin(user)):
                raise omero.SecurityViolation(None, None, f"{login} is no member of {group}")
            wanted = named
        session = Session(user, login, wanted, self.idle if idle is None else idle)
        if sudoer:
            session.sudoer = (sudoer.user, sudoer.login)
        with self.lock:
            self.known[session.uuid] = session
        return session

    def get(self, uuid: str) -> Session | None:
        """Return a live session and note that it was used."""
        self.expire()
        with self.lock:
            session = self.known.get(uuid)
            if session:
                session.seen = time.monotonic()
            return session

    def close(self, uuid: str) -> None:
        """End a session."""
        with self.lock:
            self.known.pop(uuid, None)

    def expire(self) -> None:
        """End what was idle too long."""
        now = time.monotonic()
        with self.lock:
            for uuid, session in list(self.known.items()):
                if session.idle and now - session.seen > session.idle:
                    del self.known[uuid]

    def viewer(self, session: Session, context: dict[str, str]) -> Viewer:
        """Return what a call may see: the context's group, or the session's; -1: all of the person's."""
        admin = self.people.is_admin(session.user)
        group: int | None = int(context.get("omero.group") or session.group)
        if group is not None and group < 0:
            group = None
        return Viewer(session.user, admin, self.people.readable(session.user), group)

    def event_context(self, session: Session) -> omero.sys.EventContext:
        """Return what OMERO says of itself to a client."""
        people = self.people
        admin = people.is_admin(session.user)
        return omero.sys.EventContext(
            shareId=-1, sessionId=session.number, sessionUuid=session.uuid,
            userId=session.user, userName=session.login,
            sudoerId=rlong(session.sudoer[0]) if session.sudoer else None,
            sudoerName=rstring(session.sudoer[1]) if session.sudoer else None,
            groupId=session.group,
            groupName=people.database.one("SELECT name FROM experimentergroup WHERE id = :id", id=session.group),
            isAdmin=admin, adminPrivileges=people.privileges(session.user), eventId=-1, eventType="User",
            memberOfGroups=people.groups_of(session.user), leaderOfGroups=people.owned_groups(session.user),
            groupPermissions=omero.model.PermissionsI("rw----"),
        )  # fmt: skip

    def as_object(self, session: Session) -> omero.model.Session:
        """Return a session as OMERO's model has it."""
        item = omero.model.SessionI(session.number, True)
        item.uuid = rstring(session.uuid)
        item.timeToIdle = rlong(int(session.idle * 1000))
        item.timeToLive = rlong(0)
        item.started = rtime(int(session.started * 1000))
        item.userAgent = rstring(session.agent)
        item.owner = omero.model.ExperimenterI(session.user, False)
        item.details.owner = omero.model.ExperimenterI(session.user, False)
        item.details.group = omero.model.ExperimenterGroupI(session.group, False)
        return item

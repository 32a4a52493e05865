# SPDX-License-Identifier: GPL-3.0-or-later
"""Giving all that people have to somebody else."""

from typing import Any

import omero
import omero.all

from omero_standin.schema import PERSON, TABLES
from omero_standin.sessions import Session


def chown(server: Any, session: Session, request: Any) -> Any:
    """Do a Chown2 of all that people have, and return its response; anything else is refused by name."""
    if request.targetObjects or not request.targetUsers or request.dryRun:
        return _error("the stand-in gives all that people have, no single objects, and makes no trial")
    if not server.people.is_admin(session.user):
        return _error(f"user {session.login} may not give what is others'")
    database = server.database
    member_of = set(server.people.groups_of(request.userId))
    owned = [name.lower() for name, table in TABLES.items() if table.owned]
    for table in owned:
        for person in request.targetUsers:
            rows = database.run(f"SELECT DISTINCT group_id FROM {table} WHERE {PERSON} = :person", person=person)
            if strange := {row[0] for row in rows} - member_of:
                return _error(f"user {request.userId} is no member of group {min(strange)}")
    with database.transaction():
        for table in owned:
            for person in request.targetUsers:
                sql = f"UPDATE {table} SET {PERSON} = :taker WHERE {PERSON} = :person"
                database.run(sql, taker=request.userId, person=person)
    return omero.cmd.Chown2Response({}, {})


def _error(message: str) -> Any:
    return omero.cmd.ERR(category="::omero::cmd::Chown2", name="failed", parameters={"message": message})

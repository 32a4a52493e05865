# SPDX-License-Identifier: GPL-3.0-or-later
"""Erasing images, with the fileset and the files that were theirs."""

import shutil
from pathlib import Path
from typing import Any

import omero
import omero.all

from omero_standin.sessions import Session


def delete(server: Any, session: Session, request: Any) -> Any:
    """Do a Delete2 of images or filesets and return its response; anything else is refused by name."""
    if isinstance(request, omero.cmd.DoAll):
        return omero.cmd.DoAllRsp([delete(server, session, item) for item in request.requests], [])
    if not isinstance(request, omero.cmd.Delete2) or not set(request.targetObjects) <= {"Image", "Fileset"}:
        return _error(f"the stand-in does not know {type(request).__name__} for this")
    database = server.database
    filesets = set(request.targetObjects.get("Fileset", []))
    for image in request.targetObjects.get("Image", []):
        filesets.add(database.one("SELECT fileset FROM image WHERE id = :id", id=image))
    may_all = server.people.is_admin(session.user)
    folders = []
    with database.transaction():
        for fileset in filesets:
            row = database.run("SELECT owner_id, templateprefix FROM fileset WHERE id = :id", id=fileset)
            if not row or (row[0][0] != session.user and not may_all):
                return _error(f"no such fileset, or not yours: {fileset}")
            folders.append(Path(server.configuration["omero.managed.dir"]) / row[0][1])
            for sql in (
                "DELETE FROM pixels WHERE image IN (SELECT id FROM image WHERE fileset = :id)",
                "DELETE FROM image WHERE fileset = :id",
                "DELETE FROM originalfile WHERE id IN (SELECT originalfile FROM filesetentry WHERE fileset = :id)",
                "DELETE FROM filesetentry WHERE fileset = :id",
                "DELETE FROM fileset WHERE id = :id",
            ):
                database.run(sql, id=fileset)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return omero.cmd.Delete2Response({"ome.model.core.Image": list(request.targetObjects.get("Image", []))})


def _error(message: str) -> Any:
    return omero.cmd.ERR(category="::omero::cmd::Delete2", name="failed", parameters={"message": message})

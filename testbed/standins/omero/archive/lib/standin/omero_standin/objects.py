# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as objects of OMERO's model, with as much around them as its clients expect loaded."""

import datetime
from typing import Any

import omero
import omero.all
from omero.rtypes import rbool, rdouble, rlong, rstring, rtime

from omero_standin.database import Database
from omero_standin.schema import CREATION, GROUP, PERSON, TABLES

_ENUMERATIONS = {
    "pixelsType": omero.model.PixelsTypeI,
    "dimensionOrder": omero.model.DimensionOrderI,
    "hasher": omero.model.ChecksumAlgorithmI,
}
# What comes along with an object, as OMERO's clients ask for by `join fetch`.
_FETCHED = {
    "Image": ("pixels",),
    "Fileset": ("usedFiles",),
    "FilesetEntry": ("originalFile",),
    "GroupExperimenterMap": ("parent", "child"),
    "ProjectDatasetLink": ("parent", "child"),
    "DatasetImageLink": ("parent", "child"),
}
PERMISSIONS = ("rw----", "rwr---", "rwra--", "rwrw--")


def milliseconds(moment: datetime.datetime) -> int:
    """Return OMERO's form of a moment."""
    return int(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime.datetime:
    """Return the moment that OMERO means, as the database keeps it: in the host's own time."""
    return datetime.datetime.fromtimestamp(milliseconds / 1000)  # noqa: DTZ006


def wrap(value: Any) -> Any:
    """Return the RType of a plain value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return rbool(value)
    if isinstance(value, int):
        return rlong(value)
    if isinstance(value, float):
        return rdouble(value)
    if isinstance(value, datetime.datetime):
        return rtime(milliseconds(value))
    return rstring(str(value))


class Objects:
    """Loads objects by class and id."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def load(self, entity: str, ids: list[int], *, deep: bool = True) -> dict[int, Any]:
        """Return the objects by id; ids that don't exist are missing from the result."""
        table = TABLES[entity]
        columns = ["id", *table.columns, *table.references]
        names = [f'"{column.lower()}"' for column in columns]
        if table.owned:
            names += [PERSON, GROUP, CREATION]
        rows = self.database.run(
            f"SELECT {', '.join(names)} FROM {entity.lower()} WHERE id = ANY(CAST(:ids AS bigint[]))",
            ids=ids,
        )
        found = {}
        for row in rows:
            values = dict(zip(columns, row, strict=False))
            item = getattr(omero.model, f"{entity}I")(values["id"], True)
            _fill(item, entity, values)
            if table.owned:
                self._details(item, *row[-3:])
            found[values["id"]] = item
        if entity == "ExperimenterGroup":
            for item in found.values():
                item.details.permissions = self.permissions(item.id.val)
        if deep:
            for attribute in _FETCHED.get(entity, ()):
                self._fetch(entity, found, attribute)
        return found

    def one(self, entity: str, key: int) -> Any:
        """Return one object, None when it doesn't exist."""
        return self.load(entity, [key]).get(key)

    def permissions(self, group: int) -> omero.model.Permissions:
        """Return what a group's members may do with each other's data."""
        level = self.database.one("SELECT permissions FROM experimentergroup WHERE id = :id", id=group) or 0
        permissions = omero.model.PermissionsI(PERMISSIONS[level])
        permissions._restrictions = [False, False, False, False, False]
        return permissions

    def _details(self, item: Any, person: int, group: int, creation: int) -> None:
        details = item.details
        details.owner = self.load("Experimenter", [person], deep=False)[person]
        details.group = self.load("ExperimenterGroup", [group], deep=False)[group]
        details.permissions = self.permissions(group)
        moment = self.database.one("SELECT time FROM event WHERE id = :id", id=creation)
        event = omero.model.EventI(creation, True)
        event.time = rtime(milliseconds(moment))
        details.creationEvent = event
        details.updateEvent = event

    def _fetch(self, entity: str, found: dict[int, Any], attribute: str) -> None:
        table = TABLES[entity]
        if attribute in table.references:
            keys = {key: getattr(item, attribute).id.val for key, item in found.items() if getattr(item, attribute)}
            others = self.load(table.references[attribute], list(keys.values()), deep=False)
            for key, other in keys.items():
                setattr(found[key], attribute, others.get(other))
            return
        target, back = table.collections[attribute]
        rows = self.database.run(
            f'SELECT id, "{back.lower()}" FROM {target.lower()}'
            f' WHERE "{back.lower()}" = ANY(CAST(:ids AS bigint[])) ORDER BY id',
            ids=list(found),
        )
        others = self.load(target, [row[0] for row in rows])
        name = attribute[0].upper() + attribute[1:]
        for key, item in found.items():
            getattr(item, f"clear{name}")()
            getattr(item, f"_{attribute}Loaded", None)
            for other, parent in rows:
                if parent == key:
                    if attribute == "pixels":
                        item.addPixels(others[other])
                    else:
                        item.addFilesetEntry(others[other])


def _fill(item: Any, entity: str, values: dict[str, Any]) -> None:
    table = TABLES[entity]
    for column in table.columns:
        value = values[column]
        if "_" in column or column == "permissions" or value is None:
            continue
        if column in _ENUMERATIONS:
            enumeration = _ENUMERATIONS[column](1, True)
            enumeration.value = rstring(value)
            setattr(item, column, enumeration)
        elif hasattr(item, "_field_info") and hasattr(item._field_info, column):
            wrapper = getattr(item._field_info, column).wrapper
            setattr(item, column, wrapper(milliseconds(value) if wrapper is rtime else value))
    for reference, target in table.references.items():
        if values[reference] is not None and hasattr(item, f"_{reference}"):
            setattr(item, reference, getattr(omero.model, f"{target}I")(values[reference], False))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What OMERO has imported from its DropBox, by the paths under which OMERO remembers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .connection import ALL_GROUPS, call

# A fileset without images is an import that broke off: OMERO writes the fileset first and the images last.
_PATHS = (
    "select distinct e.clientPath from FilesetEntry e join e.fileset f join f.images i where e.clientPath like :pattern"
)
_IMAGES = (
    "select i.id, i.name, e.clientPath, i.details.owner.omeName, i.details.creationEvent.time"
    " from Image i join i.fileset f join f.usedFiles e where e.clientPath like :pattern"
    " and i.details.creationEvent.time >= :since order by i.id"
)


def client_prefix(dropbox: str) -> str:
    """Return a DropBox folder as OMERO writes it into paths: without the first slash, with one at the end."""
    return dropbox.strip("/") + "/"


def pattern(prefix: str) -> str:
    """Return a LIKE pattern that every path below a prefix fits; others may fit too and are sorted out afterwards."""
    for special in ("\\", "%", "_"):
        # One character in place of one: there is no agreement between databases on how to escape.
        prefix = prefix.replace(special, "_")
    return prefix + "%"


def imported_files(session: Any, dropbox: str, sets: Iterable[str]) -> dict[str, list[str]]:
    """Return for each set the files that OMERO has, relative to the set.

    Args:
        session: OMERO's ServiceFactory, of somebody who may see everything.
        dropbox: the DropBox folder as an absolute path.
        sets: ``<login>/<name>``; a set that is one loose file is answered with that file's own name.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    query = session.getQueryService()
    prefix = client_prefix(dropbox)
    found = {}
    for name in sets:
        parameters = omero.sys.ParametersI().addString("pattern", pattern(prefix + name))
        rows = call(f"files of {name}", query.projection, _PATHS, parameters, ALL_GROUPS)
        found[name] = files_of_set(name, prefix, (row[0].val for row in rows))
    return found


def files_of_set(name: str, prefix: str, paths: Iterable[str]) -> list[str]:
    """Return those of OMERO's paths that belong to a set, relative to it, sorted."""
    whole = prefix + name
    found = set()
    for path in paths:
        if path == whole:
            found.add(name.rpartition("/")[2])
        elif path.startswith(whole + "/"):
            found.add(path[len(whole) + 1 :])
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Imported:
    """One image that came in through DropBox.

    Attributes:
        path: where it lay, relative to DropBox: ``<login>/<set>/…``
        time: when it was imported, in epoch seconds.
    """

    image: int
    name: str
    path: str
    owner: str
    time: float


def imported_images(session: Any, dropbox: str, login: str, since: float = 0) -> list[Imported]:
    """Return the images that came in through a DropBox folder, oldest first.

    Args:
        session: OMERO's ServiceFactory, of somebody who may see everything.
        dropbox: the DropBox folder as an absolute path.
        login: only this person's; "" for everybody's.
        since: imported then or later, in epoch seconds.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    prefix = client_prefix(dropbox)
    wanted = f"{prefix}{login}/" if login else prefix
    parameters = omero.sys.ParametersI().addString("pattern", pattern(wanted))
    parameters.add("since", omero.rtypes.rtime(int(since * 1000)))
    rows = call("images", session.getQueryService().projection, _IMAGES, parameters, ALL_GROUPS)
    found = {}
    for image, name, path, owner, time in ([value.val for value in row] for row in rows):
        # An image of several files is known by the first of them.
        if path.startswith(wanted) and image not in found:
            found[image] = Imported(image, name, path[len(prefix) :], owner, time / 1000)
    return list(found.values())

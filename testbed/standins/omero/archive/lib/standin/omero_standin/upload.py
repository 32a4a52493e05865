# SPDX-License-Identifier: GPL-3.0-or-later
"""How the importer gives files to the server and gets images for them."""

from pathlib import Path

import omero
import omero.all
from omero.rtypes import rstring

from omero_standin import formats, targets

BLOCK = 1 << 20


class ImportFailedError(Exception):
    """The server took the files and could make no images of them."""


def client(server, port):
    """A client of a server."""
    return omero.client(server, port)


def known(session, path: Path) -> bool:
    """Whether a file of this path was imported before."""
    parameters = omero.sys.ParametersI().addString("path", str(path).lstrip("/"))
    query = "select e.id from FilesetEntry e join e.fileset f join f.images i where e.clientPath = :path"
    return bool(session.getQueryService().projection(query, parameters, {"omero.group": "-1"}))


def import_files(client, members: list[Path], target: str | None) -> list[int]:
    """Import files that belong together; return the ids of their images."""
    fileset = omero.model.FilesetI()
    for member in members:
        entry = omero.model.FilesetEntryI()
        # OMERO, too, keeps the path without its first slash.
        entry.clientPath = rstring(str(member).lstrip("/"))
        fileset.addFilesetEntry(entry)
    settings = omero.grid.ImportSettings()
    settings.checksumAlgorithm = omero.model.ChecksumAlgorithmI()
    settings.checksumAlgorithm.value = rstring("SHA1-160")
    if target:
        settings.userSpecifiedAnnotationList = [targets.annotation(target, members[0])]
    process = client.getManagedRepository().importFileset(fileset, settings)
    for index, member in enumerate(members):
        store = process.getUploader(index)
        with member.open("rb") as file:
            position = 0
            while block := file.read(BLOCK):
                store.write(block, position, len(block))
                position += len(block)
            if position == 0:
                store.write(b"", 0, 0)
        store.close()
    response = process.verifyUpload([formats.sha1(member) for member in members]).getResponse()
    if isinstance(response, omero.cmd.ERR):
        raise ImportFailedError(response.parameters.get("message", "failed"))
    return [pixels.image.id.val for pixels in response.pixels]

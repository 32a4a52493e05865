# SPDX-License-Identifier: GPL-3.0-or-later
"""The command-line importer, started by its Java stub as `omero import` starts OMERO's own."""

import argparse
import sys
from pathlib import Path

import omero
import omero.all
from omero.rtypes import rstring

from omero_standin import formats, targets, upgrades

BLOCK = 1 << 20


class ImportFailedError(Exception):
    """The server took the files and could make no images of them."""


def main() -> int:
    """Import what is named, or only say what would be imported together (-f)."""
    parser = argparse.ArgumentParser(prog="omero import")
    parser.add_argument("-s", dest="server")
    parser.add_argument("-p", dest="port", default="4064")
    parser.add_argument("-k", dest="key")
    parser.add_argument("-f", dest="only_list", action="store_true")
    parser.add_argument("-c", dest="carry_on", action="store_true")
    parser.add_argument("--exclude", default="")
    parser.add_argument("--skip", action="append", default=[])
    parser.add_argument("-T", "--target")
    parser.add_argument("paths", nargs="+", type=Path)
    options, unknown = parser.parse_known_args([item for item in sys.argv[1:] if not item.startswith("--agent")])
    for item in unknown:
        print(f"the stand-in passes over {item}", file=sys.stderr)
    files = [file for path in options.paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    sets = formats.group([file for file in files if file.is_file()])
    if options.only_list:
        for members in sets:
            print("#======================================")
            print("\n".join(map(str, members)))
        return 0
    if not sets:
        print("No imports found: no reader knows these files", file=sys.stderr)
        return 3
    if not {"upgrade", "all"} & set(options.skip):
        # From a setting of its own, which nothing configures.
        print(upgrades.complaint(upgrades.DEFAULT), file=sys.stderr)
    client = omero.client(options.server, int(options.port))
    failed = 0
    try:
        session = client.joinSession(options.key)
        session.detachOnDestroy()
        for members in sets:
            if options.exclude == "clientpath" and _known(session, members[0]):
                print(f"{members[0]} was imported before", file=sys.stderr)
                continue
            try:
                images = _import(client, members, options.target)
            except Exception as error:
                print(f"{members[0]}: {getattr(error, 'message', None) or error}", file=sys.stderr)
                failed += 1
                if not options.carry_on:
                    return 3
            else:
                print("Image:" + ",".join(map(str, images)))
    finally:
        client.closeSession()
    return 3 if failed else 0


def _known(session, path: Path) -> bool:
    parameters = omero.sys.ParametersI().addString("path", str(path).lstrip("/"))
    query = "select e.id from FilesetEntry e join e.fileset f join f.images i where e.clientPath = :path"
    return bool(session.getQueryService().projection(query, parameters, {"omero.group": "-1"}))


def _import(client, members: list[Path], target: str | None) -> list[int]:
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


sys.exit(main())

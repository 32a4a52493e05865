# SPDX-License-Identifier: GPL-3.0-or-later
"""The command-line importer, started by its Java stub as `omero import` starts OMERO's own."""

import argparse
import sys
from pathlib import Path

from omero_standin import formats, upgrades


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
    from omero_standin import upload  # noqa: PLC0415 - OMERO's classes take a second of a core, and every other call lists

    client = upload.client(options.server, int(options.port))
    failed = 0
    try:
        session = client.joinSession(options.key)
        session.detachOnDestroy()
        for members in sets:
            if options.exclude == "clientpath" and upload.known(session, members[0]):
                print(f"{members[0]} was imported before", file=sys.stderr)
                continue
            try:
                images = upload.import_files(client, members, options.target)
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


sys.exit(main())

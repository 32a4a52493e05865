# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the stand-in as an archive of the layout of OMERO.server-….zip, the same bytes from the same sources."""

import importlib.util
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent
NAME = "OMERO.server-5.6.18-standin"
_LONG_AGO = (2023, 11, 14, 0, 0, 0)


def pack(jar: Path, target: Path) -> None:
    """Write the archive.

    Args:
        jar: the compiled stubs of Java programs that omero-py starts.
        target: the zip file to be made; its folder is there.
    """
    vendor = target.with_suffix(".vendor")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(vendor)]
    subprocess.run([*command, "--requirement", str(FOLDER / "vendor.txt")], check=True)
    entries = {
        "lib/client/omero-standin.jar": jar.read_bytes(),
        "lib/server/omero-standin.jar": jar.read_bytes(),
        "sql/psql/OMERO5.4__0/schema.sql": _schema().encode(),
        **_tree(FOLDER / "archive", ""),
        **_tree(vendor, "lib/standin/vendor/"),
    }
    unfinished = target.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(f"{NAME}/{name}", _LONG_AGO)
            mode = 0o755 if entries[name].startswith(b"#!") else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name])
    unfinished.rename(target)


def _tree(folder: Path, prefix: str) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {prefix + path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _schema() -> str:
    """The tables, from the same description that the server reads them by."""
    path = FOLDER / "archive" / "lib" / "standin" / "omero_standin" / "schema.py"
    spec = importlib.util.spec_from_file_location("omero_standin_schema", path)
    assert spec and spec.loader  # noqa: S101 - the file is there
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return str(module.sql())

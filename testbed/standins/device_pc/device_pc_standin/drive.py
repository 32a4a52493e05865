# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the PC's things are on the Linux side, and Windows paths turned into Unix paths."""

import ntpath
import os
from pathlib import Path

STATE = Path(os.environ.get("DEVICE_PC_STATE", "/var/lib/device-pc"))
RUNTIME = Path(os.environ.get("DEVICE_PC_RUNTIME", "/run/device-pc"))
PREFIX = STATE / "prefix"
DRIVE_C = PREFIX / "drive_c"


def unix_path(path: str, folder: str = "C:\\") -> Path:
    r"""Return where a Windows path lies, relative to ``folder``; letters match in any case, as on Windows.

    Raises:
        ValueError: for a drive that the PC doesn't have, or a network path.
    """
    whole = ntpath.normpath(ntpath.join(folder, path))
    drive, rest = ntpath.splitdrive(whole)
    roots = {"C:": DRIVE_C, "Z:": Path("/")}
    if drive.upper() not in roots:
        raise ValueError(path)
    found = roots[drive.upper()]
    for part in rest.strip("\\").split("\\"):
        if part:
            found = found / _spelled(found, part)
    return found


def windows_path(path: Path) -> str:
    """Return the Windows path of a file on drive C:, or on Z: for any other."""
    if path.is_relative_to(DRIVE_C):
        return "C:\\" + str(path.relative_to(DRIVE_C)).replace("/", "\\").removeprefix(".")
    return "Z:" + str(path).replace("/", "\\")


def _spelled(folder: Path, name: str) -> str:
    if (folder / name).exists() or not folder.is_dir():
        return name
    return next((entry.name for entry in folder.iterdir() if entry.name.casefold() == name.casefold()), name)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that tests ask for: a full disk, no WinRM, no VBScript, a LOCAL SERVICE that is not told who is there."""

import os
import shutil
import subprocess
from pathlib import Path

from . import wine
from .drive import DRIVE_C, STATE

FAULTS = ("disk-full", "winrm-off", "vbscript-off", "service-blind", "none")
_FOLDERS = (DRIVE_C / "ProgramData", DRIVE_C / "Program Files")
"""Where programs of this project write. The rest of drive C: has room."""
_BALLAST = "device-pc-ballast"
_SPARE_PAGES = 64


def make(names: list[str]) -> None:
    """Let exactly these faults be there."""
    wanted = {name for name in names if name != "none"}
    _vbscript(off="vbscript-off" in wanted)
    _winrm(off="winrm-off" in wanted)
    _disk(full="disk-full" in wanted)
    wine.CONSOLE.chmod(0o600 if "service-blind" in wanted else 0o644)


def _vbscript(*, off: bool) -> None:
    marker = STATE / "vbscript-off"
    if off:
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def _winrm(*, off: bool) -> None:
    _do("systemctl", "stop" if off else "start", "device-pc-winrm.service")


def _disk(*, full: bool) -> None:
    for folder in _FOLDERS:
        if full and not os.path.ismount(folder):
            _fill(folder)
        elif not full and os.path.ismount(folder):
            _free(folder)


def _fill(folder: Path) -> None:
    """Put a file system over a folder that holds what is there and nothing more: writing fails as on a full drive."""
    pages = _pages(folder) + sum(_pages(path) for path in folder.rglob("*"))
    aside = STATE / "full-disk"
    aside.mkdir(exist_ok=True)
    _do("mount", "-t", "tmpfs", "-o", f"size={(pages + _SPARE_PAGES) * 4096}", "tmpfs", str(aside))
    _do("cp", "--archive", "--no-target-directory", str(folder), str(aside))
    try:
        with (aside / _BALLAST).open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
    except OSError:
        pass
    _do("mount", "--bind", str(aside), str(folder))
    _do("umount", str(aside))


def _free(folder: Path) -> None:
    """Take the file system away and keep what was changed in it."""
    kept = STATE / "kept"
    (folder / _BALLAST).unlink(missing_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    _do("cp", "--archive", "--no-target-directory", str(folder), str(kept))
    _do("umount", "--lazy", str(folder))
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    _do("cp", "--archive", "--no-target-directory", str(kept), str(folder))
    shutil.rmtree(kept)


def _pages(path: Path) -> int:
    return -(-path.lstat().st_size // 4096) + 1


def _do(*command: str) -> None:
    subprocess.run(command, check=True)

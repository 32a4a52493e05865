# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what the depot serves, once for each content; and the image that serves it."""

import hashlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from testbed.paths import BUILD, CACHE, REPOSITORY, content_key
from testbed.podman import LABEL, podman
from testbed.standins.omero.archive import NAME, pack

STANDIN = REPOSITORY / "testbed" / "standins" / "omero"
WHEEL = REPOSITORY / "roles" / "omero_server" / "files" / "build-ice-wheel"
COMPILED = {
    "ice": ("Ice for OMERO (about four minutes, once)", [STANDIN / "ice", STANDIN / "build_ice.sh", WHEEL]),
    "java": ("OMERO's programs in Java (half a minute, once)", [STANDIN / "java", STANDIN / "build_java.sh"]),
}
"""What has to be compiled: what is said then, and the files and folders that it is made from."""
CHECKSUMS = BUILD / "depot.json"
_BUILDER = "depot-builder.testbed.test"
_MINUTES = 15


def ensure(builder_image: str, serving_image: str) -> str:
    """Return the tag of the depot's image, and leave the files' checksums in build/depot.json for inventories.

    Args:
        builder_image: the image of the Debian release that the files are for.
        serving_image: the image that the depot's own is made from.
    """
    compiled = [_compiled(part, builder_image) for part in COMPILED]
    packed = [*_files(STANDIN / "archive"), STANDIN / "archive.py", STANDIN / "vendor.txt"]
    key = content_key(packed, *(folder.name for folder in compiled))
    folder = CACHE / "depot" / f"files-{key}"
    if not folder.exists():
        _pack(compiled, folder)
    for old in folder.parent.iterdir():
        if old not in {folder, *compiled}:
            shutil.rmtree(old)
    CHECKSUMS.parent.mkdir(parents=True, exist_ok=True)
    CHECKSUMS.write_text(json.dumps({path.name: _checksum(path) for path in sorted(folder.iterdir())}, indent=2) + "\n")
    unit = Path(__file__).with_name("depot.service")
    image = f"localhost/facility-testbed/depot:{content_key([unit, Path(__file__)], key, serving_image)}"
    if not podman("images", "--quiet", image, check=False).strip():
        _image(serving_image, folder, unit, image)
    return image


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _files(top: Path) -> list[Path]:
    """Return the file, or all below the folder."""
    return [path for path in (top, *top.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def _compiled(part: str, builder_image: str) -> Path:
    """Return the folder of what was compiled from the files that are there now, after compiling it where needed."""
    said, sources = COMPILED[part]
    key = content_key(list(itertools.chain.from_iterable(map(_files, sources))), builder_image)
    target = CACHE / "depot" / f"{part}-{key}"
    if not target.exists():
        print(f"  compiling {said}", flush=True)
        _compile(part, builder_image, target)
    return target


def _compile(part: str, image: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    podman("rm", "--force", "--time", "0", _BUILDER, check=False)
    podman("run", "--detach", "--name", _BUILDER, "--label", LABEL, "--network", "host", image, "sleep", "infinity")
    try:
        podman("cp", str(STANDIN), f"{_BUILDER}:/source")
        podman("cp", str(WHEEL), f"{_BUILDER}:/source/build-ice-wheel")
        podman("exec", _BUILDER, f"/source/build_{part}.sh", "/source", "/target", timeout=_MINUTES * 60)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            podman("cp", f"{_BUILDER}:/target", scratch)
            # The folder appears whole or not at all.
            (Path(scratch) / "target").rename(target)
    finally:
        podman("rm", "--force", "--time", "0", _BUILDER, check=False)


def _pack(compiled: Sequence[Path], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        files = {path.name: path for part in compiled for path in part.iterdir()}
        jar = files.pop("standin.jar")
        for path in files.values():
            shutil.copy(path, folder)
        pack(jar, Path(scratch) / f"{NAME}.zip")
        shutil.move(Path(scratch) / f"{NAME}.zip", folder)
        folder.rename(target)


def _image(base: str, folder: Path, unit: Path, tag: str) -> None:
    name = "depot-image.testbed.test"
    podman("rm", "--force", "--time", "0", name, check=False)
    podman("create", "--name", name, "--label", LABEL, base)
    try:
        podman("cp", str(folder), f"{name}:/srv/depot")
        podman("cp", str(unit), f"{name}:/etc/systemd/system/{unit.name}")
        with tempfile.TemporaryDirectory() as scratch:
            # systemd takes what is enabled from links alone.
            link = Path(scratch) / unit.name
            link.symlink_to(f"/etc/systemd/system/{unit.name}")
            podman("cp", f"{scratch}/.", f"{name}:/etc/systemd/system/multi-user.target.wants")
        podman("commit", "--quiet", "--change", f"LABEL {LABEL}=image", name, tag)
    finally:
        podman("rm", "--force", "--time", "0", name, check=False)

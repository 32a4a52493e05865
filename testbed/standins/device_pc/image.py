# SPDX-License-Identifier: GPL-3.0-or-later
"""Build image device_pc: Debian's with Wine, a Windows drive in it, and the programs that make it a PC."""

import shutil
import tempfile
from pathlib import Path

import yaml

from testbed.paths import CACHE, content_key
from testbed.podman import LABEL, podman

FOLDER = Path(__file__).parent
DEFINITION = FOLDER.parents[1] / "images" / "device_pc.yml"
_PACKAGE = FOLDER / "device_pc_standin"
_COMPILED = ("windows", "wine")
_INSTALLED = ("device_pc_standin", "units", "device-pc", "environment", "prepare.sh")
_MINUTES = 10


def ensure(base: str) -> str:
    """Return the image's tag after building what is missing of it.

    Args:
        base: the tag of the Debian image that it is made from.
    """
    definition = yaml.safe_load(DEFINITION.read_text())
    wine = _tag("device_pc_wine", content_key([DEFINITION], base))
    binaries_key = content_key([path for part in _COMPILED for path in _files(FOLDER / part)], base)
    installed = [path for part in _INSTALLED for path in _files(FOLDER / part)]
    image = _tag("device_pc", content_key([*installed, Path(__file__)], wine, binaries_key))
    if _exists(image):
        return image
    if not _exists(wine):
        print("  installing Wine into an image (about a minute, once)", flush=True)
        _build(base, wine, [_install(definition["packages"])])
    binaries = CACHE / "device_pc" / f"binaries-{binaries_key}"
    if not binaries.exists():
        print("  compiling Windows programs (about half a minute, once)", flush=True)
        _compile(base, binaries, definition["builder_packages"])
    print("  building image device_pc (about half a minute)", flush=True)
    copies = {
        FOLDER: "/build/source",
        binaries: "/build/binaries",
        _PACKAGE: "/usr/local/lib/device-pc/device_pc_standin",
    }
    _build(wine, image, ["/build/source/prepare.sh /build/source /build/binaries && rm -rf /build"], copies)
    return image


def _tag(name: str, key: str) -> str:
    return f"localhost/facility-testbed/{name}:{key}"


def _exists(image: str) -> bool:
    return bool(podman("images", "--quiet", image, check=False).strip())


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def _install(packages: list[str]) -> str:
    return (
        "DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends "
        f"install {' '.join(packages)} >/tmp/apt.log 2>&1 || {{ cat /tmp/apt.log; exit 1; }}; apt-get clean"
    )


def _build(base: str, image: str, scripts: list[str], copies: dict[Path, str] | None = None) -> None:
    """Run scripts in a container of ``base`` and keep what comes of it as ``image``."""
    name = "device-pc-image.testbed.test"
    _start(name, base)
    try:
        for source, target in (copies or {}).items():
            podman("exec", name, "mkdir", "-p", str(Path(target).parent))
            podman("cp", str(source), f"{name}:{target}")
        for script in scripts:
            podman("exec", name, "sh", "-c", script, timeout=_MINUTES * 60)
        # The container's own command was to wait.
        changes = ("--change", 'CMD ["/sbin/init"]', "--change", f"LABEL {LABEL}=image")
        podman("commit", "--quiet", *changes, name, image, timeout=_MINUTES * 60)
    finally:
        podman("rm", "--force", "--time", "0", name, check=False)


def _compile(base: str, target: Path, packages: list[str]) -> None:
    name = "device-pc-builder.testbed.test"
    target.parent.mkdir(parents=True, exist_ok=True)
    _start(name, base)
    try:
        podman("exec", name, "sh", "-c", _install(packages), timeout=_MINUTES * 60)
        podman("cp", str(FOLDER), f"{name}:/source")
        podman("exec", name, "/source/windows/build.sh", "/source/windows", "/target")
        podman("exec", name, "sh", "/source/wine/build.sh", "/target/wine")
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            podman("cp", f"{name}:/target", scratch)
            # The folder appears whole or not at all.
            (Path(scratch) / "target").rename(target)
    finally:
        podman("rm", "--force", "--time", "0", name, check=False)
    for old in target.parent.iterdir():
        if old != target and old.name.startswith("binaries-"):
            shutil.rmtree(old)


def _start(name: str, image: str) -> None:
    podman("rm", "--force", "--time", "0", name, check=False)
    podman("run", "--detach", "--name", name, "--label", LABEL, "--network", "host", image, "sleep", "infinity")

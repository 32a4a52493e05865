# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a Debian image from the machine's own package configuration, so that no registry is named anywhere."""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from testbed.depot import build as depot
from testbed.paths import CACHE, content_key
from testbed.podman import LABEL, podman
from testbed.standins.device_pc import image as device_pc

FOLDER = Path(__file__).parent
APT = Path("/etc/apt")


class ImageError(Exception):
    """An image can't be built; the message names the cure."""


def tag(name: str) -> str:
    """Return the image's tag in podman: it changes with everything that the image is made from."""
    definition = _definition(name)
    tree = [path for path in (FOLDER / "tree").rglob("*") if path.is_file()]
    key = content_key([*tree, Path(__file__), FOLDER / f"{name}.yml"], _sources(definition["suite"]))
    return f"localhost/facility-testbed/{name}:{key}"


def ensure(name: str) -> str:
    """Return the tag of image ``name`` after building it, or importing it from the cache, where needed.

    Raises:
        ImageError: for an unknown name, or when mmdebstrap fails.
    """
    if name == "depot":
        return depot.ensure(ensure("debian12"), ensure("debian13"))
    if name == "device_pc":
        return device_pc.ensure(ensure("debian13"))
    image = tag(name)
    if _exists(image):
        return image
    archive = CACHE / "images" / f"{name}-{image.rsplit(':')[-1]}.tar"
    if not archive.exists():
        print(f"  building image {name} (about half a minute)", flush=True)
        _build(_definition(name), archive)
        for old in archive.parent.glob(f"{name}-*.tar"):
            if old != archive:
                old.unlink()
    podman(
        "import",
        "--change", 'CMD ["/sbin/init"]',
        "--change", "STOPSIGNAL SIGRTMIN+3",
        "--change", "ENV container=podman",
        "--change", f"LABEL {LABEL}=image",
        str(archive), image,
    )  # fmt: skip
    return image


def _exists(image: str) -> bool:
    return bool(podman("images", "--quiet", image, check=False).strip())


def _definition(name: str) -> dict[str, list[str] | str]:
    path = FOLDER / f"{name}.yml"
    if not path.exists():
        known = ", ".join(sorted(["depot", *(entry.stem for entry in FOLDER.glob("*.yml"))]))
        raise ImageError(f"no image {name!r}; known are {known}")
    definition: dict[str, list[str] | str] = yaml.safe_load(path.read_text())
    return definition


def _sources(suite: object) -> str:
    """Return the machine's own deb822 sources with its suite replaced."""
    files = sorted((APT / "sources.list.d").glob("debian*.sources"))
    if not files:
        raise ImageError(
            f"{APT}/sources.list.d holds no debian*.sources; the images are built from the machine's own package "
            "sources in deb822 form (convert an old sources.list with: apt modernize-sources)"
        )
    own = _machine_suite()
    return "\n".join(path.read_text().replace(own, str(suite)) for path in files)


def _machine_suite() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise ImageError("/etc/os-release names no VERSION_CODENAME; the test bed runs on Debian")


def _build(definition: dict[str, list[str] | str], archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facility-image-") as scratch:
        sources = Path(scratch) / "debian.sources"
        sources.write_text(_sources(definition["suite"]))
        partial = archive.with_suffix(".partial.tar")
        command = [
            "mmdebstrap", "--quiet", "--variant=minbase",
            f"--include={','.join(definition['packages'])}",
            # Manuals and translations are half of the image and no test reads them.
            # No power fails here: without waiting for the disk after each file, packages take a quarter less time.
            "--dpkgopt=force-unsafe-io",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            '--aptopt=Acquire::Languages "none"',
            # Package lists stay: they are as old as the image says, and every host is spared the first update.
            "--skip=cleanup/apt/lists",
            # The machine's way to its package registries, and the authorities that it trusts.
            '--setup-hook=for f in /etc/apt/apt.conf.d/99*; do [ ! -e "$f" ] || cp "$f" "$1/etc/apt/apt.conf.d/"; done',
            '--customize-hook=if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$1/etc/"; fi',
            '--customize-hook=mkdir -p "$1/usr/local/share/ca-certificates" && '
            'cp -rL /usr/local/share/ca-certificates/. "$1/usr/local/share/ca-certificates/" && '
            'chroot "$1" update-ca-certificates >/dev/null',
            f'--customize-hook=cp -r {FOLDER}/tree/. "$1/"',
            '--customize-hook=chroot "$1" systemctl --quiet enable ssh.service testbed-mounts.service '
            "testbed-ssh-host-keys.service",
            # Each host makes its own identity at its first start.
            '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* && : > "$1/etc/machine-id"',
            str(definition["suite"]), str(partial), str(sources),
        ]  # fmt: skip
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        if done.returncode:
            raise ImageError(
                f"mmdebstrap ended with status {done.returncode}; its messages are above. "
                "Can this machine reach its Debian mirror? Try: apt-get update"
            )
        partial.rename(archive)

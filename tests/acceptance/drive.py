# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive X as a researcher's computer uses it, and what became of what was copied there."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

from tests.scenario import PATIENCE

REPOSITORY = Path(__file__).parents[2]


def picture(path: Path, seed: int) -> Path:
    """Write a small PNG that no other seed makes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * y * seed + x) % 256 for x in range(64)) for y in range(48))
    header = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


class Drive:
    """Drive X of one person."""

    def __init__(self, host: str, login: str, password: str, domain: str = "IMAGING") -> None:
        self.login = login
        self._share = f"//{host}/dropbox"
        self._user = f"{domain}\\{login}"
        self._password = password

    def run(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Do something on the drive, encrypted; see smbclient(1) for the commands."""
        return subprocess.run(
            [
                "smbclient",
                self._share,
                f"--user={self._user}",
                "--client-protection=encrypt",
                "-c",
                "; ".join(commands),
            ],
            env={**os.environ, "PASSWD": self._password},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def copy(self, folder: Path) -> None:
        """Copy a folder as it is into one's own."""
        done = self.run(f"cd {self.login}", f"lcd {folder.parent}", "recurse on", "prompt off", f'mput "{folder.name}"')
        assert done.returncode == 0, done.stdout + done.stderr


def imports(login: str) -> dict[str, Any]:
    """What playbooks/imports.yml tells of a person."""
    done = subprocess.run(
        ["ansible-playbook", "playbooks/imports.yml", "-e", json.dumps({"login": login})],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=True,
    )
    tasks = json.loads(done.stdout)["plays"][0]["tasks"]
    result: dict[str, Any] = next(iter(tasks[0]["hosts"].values()))
    return result


def imported(login: str, prefix: str, count: int, patience: float = 2 * PATIENCE) -> list[str]:
    """The paths of a person's images below a prefix, once there are so many, or all there are when time is up."""
    deadline = time.monotonic() + patience
    while True:
        paths = [image["path"] for image in imports(login)["images"] if image["path"].startswith(prefix)]
        if len(paths) >= count or time.monotonic() > deadline:
            return sorted(paths)
        time.sleep(3)


def settled(login: str, name: str, patience: float = PATIENCE) -> str:
    """What has become of a set, once it is no longer on its way."""
    deadline = time.monotonic() + patience
    while True:
        told = imports(login)
        found = [entry["state"] for entry in told["done"] + told["stuck"] if entry["name"] == name]
        if found or time.monotonic() > deadline:
            return found[0] if found else "on its way"
        time.sleep(3)

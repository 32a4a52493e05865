# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders, accounts and rights of a run, as role cifs_dropbox makes them on a host."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facility.core.program_files import program_files
from facility.core.python_program import install

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "src"
# Debian's own, as on the host: no package of the test environment may be needed.
PYTHON = "/usr/bin/python3"
# Numbers that no account has.
SETTLE, OMERO, FIRST_PERSON = 29999, 29998, 30001
FAST = {
    "quiet_seconds": 0.4,
    "written_quiet_seconds": 0.4,
    "unsuitable_wait_seconds": 1.0,
    "monitor_max_age": 1.0,
    "reoffer_seconds": 3.0,
    "reoffer_grace_seconds": 0.5,
    "notice_after_seconds": 1.0,
    "sentinel_wait_seconds": 1.0,
}


@dataclass(frozen=True)
class Layout:
    """Where everything lies; made by prepared()."""

    base: Path
    logins: tuple[str, ...]

    def folder(self, name: str) -> Path:
        return self.base / name

    def person(self, login: str) -> int:
        return FIRST_PERSON + self.logins.index(login)

    @property
    def config(self) -> Path:
        return self.base / "settle.toml"

    @property
    def monitor(self) -> Path:
        return self.base / "monitor" / "report.json"

    @property
    def asked(self) -> Path:
        return self.base / "run" / "asked.json"

    def settle(self, *arguments: str) -> list[str]:
        """The command that runs settle as its own user with CAP_LEASE alone."""
        caps = ["--inh-caps=-all,+lease", "--ambient-caps=-all,+lease", "--bounding-set=-all,+lease"]
        user = [f"--reuid={SETTLE}", f"--regid={SETTLE}", "--clear-groups"]
        return [
            "setpriv",
            *user,
            *caps,
            PYTHON,
            "-m",
            "facility.drive.settle",
            "--config",
            str(self.config),
            *arguments,
        ]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.base / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}

    def status(self) -> dict[str, Any]:
        """What `settle --status` says."""
        done = subprocess.run(
            self.settle("--status"), env=self.environment, cwd="/", capture_output=True, text=True, check=True
        )
        return dict(json.loads(done.stdout))

    def remove(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)


def prepared(
    logins: tuple[str, ...] = ("aadler", "bbaer"),
    settings: dict[str, Any] | None = None,
    rules: str = "",
    parent: str | None = None,
) -> Layout:
    """Make the folders of a run below a temporary one (needs root, and a file system with ACLs)."""
    base = Path(tempfile.mkdtemp(prefix="settle-", dir=parent))
    base.chmod(0o755)
    layout = Layout(base, logins)
    for name, owner in (
        ("incoming", 0), ("staging", SETTLE), ("DropBox", SETTLE), ("quarantine", SETTLE), ("state", SETTLE),
        ("run", SETTLE), ("monitor", OMERO), ("store", OMERO),
    ):  # fmt: skip
        made = layout.folder(name)
        made.mkdir(mode=0o755)
        os.chown(made, owner, owner)
    layout.folder("staging").chmod(0o700)
    grant(layout.folder("DropBox"), {OMERO: 5, SETTLE: 7})
    for login in logins:
        folder = layout.folder("incoming") / login
        folder.mkdir(mode=0o700)
        person = layout.person(login)
        os.chown(folder, person, person)
        grant(folder, {SETTLE: 7, OMERO: 5, person: 7})
    install(base / "lib", program_files("facility.drive.settle", SOURCES), check_mode=False)
    shutil.copy(Path(__file__).parent / "omero_stand_in.py", base / "lib")
    paths = {
        "incoming": "incoming", "staging": "staging", "dropbox": "DropBox", "quarantine": "quarantine",
        "state_dir": "state",
    }  # fmt: skip
    lines = [f'{key} = "{base / name}"' for key, name in paths.items()]
    lines += [f'monitor_file = "{layout.monitor}"', f'asked_file = "{layout.asked}"']
    lines.append(f'metrics_file = "{base / "run" / "settle.prom"}"')
    lines += [f"{key} = {json.dumps(value)}" for key, value in {**FAST, **(settings or {})}.items()]
    layout.config.write_text("\n".join([*lines, rules, ""]))
    return layout


def grant(folder: Path, users: dict[int, int]) -> None:
    """Give users rights (4 read + 2 write + 1 enter) to a folder and all that will be made in it; others get none.

    The binary form of an ACL (acl(5), linux/posix_acl_xattr.h), since setfacl may be missing.
    """
    anybody = 0xFFFFFFFF
    entries = [(0x01, 7, anybody), *((0x02, rights, user) for user, rights in sorted(users.items()))]
    entries += [(0x04, 0, anybody), (0x10, 7, anybody), (0x20, 0, anybody)]
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(folder, "system.posix_acl_default", packed)
    os.setxattr(folder, "system.posix_acl_access", packed)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a client's repository, or give it the keys that it shall have: ``… REPOSITORY MARKER < JSON``.

Standard input holds {"name", "recovery", "client", "former"}: the passwords of the two keys (without client there is
one), and of the recovery key that was there before, if that is to be renewed. Runs as root and calls restic as the user
who owns the repository. A new one comes to its place, and the marker is made, when all is done, so that whatever cut
this off, the next run does it again. A key of the same name with another password is removed.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..restic import explained
from .repositories import RECOVERY

OWNER = "restic-rest-server"


class Repository:
    """restic as the owner of one repository, with passwords in files of a private folder."""

    def __init__(self, path: Path, private: Path) -> None:
        self.path, self.private, self.user = path, private, pwd.getpwnam(OWNER)

    def password(self, name: str, text: str) -> Path:
        """Write a password where restic can read it."""
        file = self.private / name
        file.touch(0o600)
        file.write_text(text)
        os.chown(file, self.user.pw_uid, self.user.pw_gid)
        return file

    def call(self, password: Path, *words: str, good: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run restic; end the program with its message when it fails."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "RESTIC_PASSWORD_FILE": str(password),
            "RESTIC_CACHE_DIR": f"{self.private}/cache",
        }
        done = subprocess.run(
            ["restic", "--repo", str(self.path), "--retry-lock", "2m", *words],
            user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], umask=0o077,
            env=environment, text=True, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode not in good:
            sys.exit(f"{self.path}: restic {' '.join(words[:2])}: {explained(done.returncode, done.stderr)}")
        return done

    def keys(self, password: Path) -> list[dict[str, str]]:
        """Return the keys: id, userName, current."""
        listed: list[dict[str, str]] = json.loads(self.call(password, "key", "list", "--json").stdout)
        return listed

    def opens(self, password: Path) -> bool:
        """Say whether a password opens the repository: restic ends with 12 for a wrong one."""
        return self.call(password, "cat", "config", good=(0, 12)).returncode == 0

    def add(self, user: str, new: Path, known: Path) -> None:
        """Give the repository a key that it hasn't."""
        self.call(known, "key", "add", "--user", user, "--host", "backup", "--new-password-file", str(new))

    def give_key(self, user: str, new: Path, known: Path) -> None:
        """Give the repository a key, unless it opens it already, and take away older ones of the same user."""
        if not self.opens(new):
            self.add(user, new, known)
        for key in self.keys(new):
            if key["userName"] == user and not key["current"]:
                self.call(new, "key", "remove", key["id"])


def create(path: Path, private: Path, recovery: Path, clients: dict[str, Path]) -> None:
    """Make a repository with exactly these keys; until it has them all it lies beside its place."""
    if path.exists() and (path.is_mount() or any(path.iterdir())):
        sys.exit(f"{path} is no repository, and something else: move it aside (unmount it), and run this again")
    beside = path.with_name(f".{path.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    repository = Repository(beside, private)
    # restic gives its first key no name of ours, so that it is one that nobody will know.
    first = repository.password("first", secrets.token_hex(32))
    beside.mkdir(mode=0o700)
    os.chown(beside, repository.user.pw_uid, repository.user.pw_gid, follow_symlinks=False)
    repository.call(first, "init")
    repository.add(RECOVERY, recovery, known=first)
    for key in repository.keys(recovery):
        if not key["current"]:
            repository.call(recovery, "key", "remove", key["id"])
    for name, password in clients.items():
        repository.add(name, password, known=recovery)
    beside.rename(path)


def renew(repository: Repository, recovery: Path, former: Path | None, clients: dict[str, Path]) -> None:
    """Give a repository that is there these keys, in place of older ones."""
    known = next((password for password in (recovery, former) if password and repository.opens(password)), None)
    if known is None:
        sys.exit(
            f"{repository.path} does not open with its recovery password. Was that changed in the vault? Then the role "
            "needs the former one, too: backup_server_former_passwords (docs/services/backup.md, Renewing passwords)"
        )
    if former:
        repository.give_key(RECOVERY, recovery, known)
    for name, password in clients.items():
        repository.give_key(name, password, known=recovery)


def main() -> None:
    """Do it."""
    path, marker = Path(sys.argv[1]), Path(sys.argv[2])
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="create-") as folder:
        repository = Repository(path, Path(folder))
        os.chown(folder, repository.user.pw_uid, repository.user.pw_gid)
        recovery = repository.password("recovery", given["recovery"])
        clients = {given["name"]: repository.password("client", given["client"])} if "client" in given else {}
        if (path / "config").exists():
            former = repository.password("former", given["former"]) if given.get("former") else None
            renew(repository, recovery, former, clients)
        else:
            create(path, Path(folder), recovery, clients)
    marker.touch(0o600)


if __name__ == "__main__":
    main()

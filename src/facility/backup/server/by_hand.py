# SPDX-License-Identifier: GPL-3.0-or-later
"""``facility-backup-server COMMAND …``: the program by hand, as the user whose work it is, with the keys that it needs.

Recovery keys are root's, and only systemd reads them and hands them over: a command that needs some runs as a unit of
its own, as the units of the night do (roles/backup_server/templates/job.service.j2). Called by the role's launcher.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

# Databases' backups are pgBackRest's and need no recovery key.
_OF_DATABASES = {"ask", "drill-database", "drill-whole-list"}
_WITHOUT_KEYS = {"note-host-drill"}


class ByHandError(Exception):
    """What was asked for can't be begun; the message names the cure."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the role has put things, and as whom they run.

    Attributes:
        program: folder of the program.
        settings: folder of backup-server.toml and keys/.
        cache: folder of restic's cache.
        files_user: whose work repositories of files are.
        database_user: whose work databases' backups are.
    """

    program: Path
    settings: Path
    cache: Path
    files_user: str
    database_user: str

    @property
    def keys(self) -> Path:
        """The folder of recovery keys, a file a repository."""
        return self.settings / "keys"


def line(words: Sequence[str], place: Place, repositories: Collection[str]) -> list[str]:
    """Return the command that runs the program as its user.

    Args:
        words: the program's command and its arguments; none for its help.
        place: what the role made.
        repositories: names of all that have a recovery key.

    Raises:
        ByHandError: for a repository that is not among them.
    """
    words = list(words) or ["--help"]
    settings = [f"PYTHONPATH={place.program}", "PYTHONDONTWRITEBYTECODE=1"]
    config = str(place.settings / "backup-server.toml")
    command = ["/usr/bin/python3", "-m", "facility.backup.server", "--config", config, *words]
    user = place.database_user if words[0] in _OF_DATABASES else place.files_user
    if words[0] in _OF_DATABASES | _WITHOUT_KEYS or words[0].startswith("-"):
        return ["runuser", "-u", user, "--", "env", *settings, *command]
    properties = [f"CacheDirectory={place.cache.name}", f"User={user}"]
    properties += [f"LoadCredential={name}:{place.keys / name}" for name in _needed(words, repositories)]
    settings.append(f"XDG_CACHE_HOME={place.cache}")
    unit = [f"--property={entry}" for entry in properties] + [f"--setenv={entry}" for entry in settings]
    return ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *unit, "--", *command]


def _needed(words: Sequence[str], repositories: Collection[str]) -> list[str]:
    """Return the repositories whose keys a command needs: the one that it names, or else all."""
    if "--repository" not in words[:-1]:
        return sorted(repositories)
    name = words[words.index("--repository") + 1]
    if name not in repositories:
        raise ByHandError(f"there is no repository {name!r}: choose one of {', '.join(sorted(repositories))}")
    return [name]


def main() -> None:
    """Become the command: ``… PROGRAM SETTINGS CACHE FILES_USER DATABASE_USER -- WORDS``."""
    program, settings, cache, files_user, database_user = sys.argv[1:6]
    place = Place(Path(program), Path(settings), Path(cache), files_user, database_user)
    try:
        found = line(sys.argv[7:], place, [key.name for key in place.keys.iterdir()])
    except (OSError, ByHandError) as error:
        sys.exit(f"facility-backup-server: {error}")
    # Where everybody may be: the root's home is closed to those who work here.
    os.chdir("/")
    os.execvp(found[0], found)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()

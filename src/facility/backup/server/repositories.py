# SPDX-License-Identifier: GPL-3.0-or-later
"""The restic repositories of the configuration, opened with the passwords that systemd hands over."""

from __future__ import annotations

import os
from pathlib import Path

from ..restic import Repository, ResticError, key_owners
from .config import RepositoryConfig

# For as long a run waits for others' locks: a client's backup, or another command of the backup server.
WAIT = "3h"
RECOVERY = "recovery"
"""The user name of the key that is the backup server's own."""


def open_repository(repository: RepositoryConfig) -> Repository:
    """The port to a repository, with its recovery password.

    Raises:
        ResticError: When systemd handed no password over, or the repository's folder can't be read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    file = Path(folder, repository.name)
    if not folder or not file.is_file():
        raise ResticError(
            f"{repository.name}: its recovery password isn't there: start this by its unit, which has LoadCredential="
        )
    key = next((key for key, user in key_owners(repository.path).items() if user == RECOVERY), "")
    return Repository(str(repository.path), str(file), key=key)

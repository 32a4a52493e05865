# SPDX-License-Identifier: GPL-3.0-or-later
"""Initial passwords: one random password per new account, kept in a file until it has been handed over."""

from __future__ import annotations

import secrets
from pathlib import Path

from ..core.replace_file import replace_file

# Without 0 O 1 l I: initial passwords are read from a screen or a slip of paper.
_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 20  # 116 bits


def generated() -> str:
    """A random password that passes Active Directory's complexity rule (three kinds of characters)."""
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if any(map(str.islower, password)) and any(map(str.isupper, password)) and any(map(str.isdigit, password)):
            return password


def kept(folder: Path, login: str) -> str:
    """The password in folder/login; generated and written there if there is none yet.

    Call it before the account is created: if the run is cut off in between, the next one finds the file and uses
    the same password, so that no account exists whose password nobody knows. The file appears in one piece or not
    at all. Folder 0700, file 0600.

    Raises:
        OSError: If the folder or the file can't be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    file = folder / login
    try:
        found = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        found = ""
    if found:
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
        return found
    password = generated()
    replace_file(file, password + "\n", mode=0o600)
    return password

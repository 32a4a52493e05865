# SPDX-License-Identifier: GPL-3.0-or-later
"""The PC's local administrators, in a file that NTLM_USER_FILE may name."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spnego._ntlm_raw.crypto import ntowfv1  # the public interface has no hash of a password

from .drive import DRIVE_C, STATE
from .wine import computer_name

FILE = STATE / "users"


def put(name: str, password: str, file: Path = FILE) -> None:
    """Make the local administrator ``name``, or give it another password."""
    if not name or not password or any(letter in name for letter in ':\\@/"[]|<>+=;,?*\n'):
        raise ValueError(name)
    lines = file.read_text().splitlines() if file.exists() else []
    kept = [line for line in lines if _user(line) != name.casefold()]
    digest = ntowfv1(password).hex().upper()
    # A local account is asked for without a domain, with the PC's name, or with a dot.
    kept += [f"{domain}{name}:0:{'0' * 32}:{digest}:[U]:LCT-00000000" for domain in ("", f"{computer_name()}\\", ".\\")]
    partial = file.with_suffix(".new")
    partial.touch(mode=0o600)
    partial.write_text("\n".join(kept) + "\n")
    partial.rename(file)
    if DRIVE_C.exists():
        own = DRIVE_C / "users" / name
        own.mkdir(parents=True, exist_ok=True)
        own.chmod(0o700)


def basic(header: str, file: Path = FILE) -> str | None:
    """Return whose name and password an ``Authorization: Basic`` value carries; None when they are wrong."""
    try:
        data = base64.b64decode(header, validate=True)
    except binascii.Error:
        return None
    # Clients don't agree on the encoding.
    for encoding in ("utf-8", "cp1252"):
        name, _, password = data.decode(encoding, errors="replace").partition(":")
        user = _matching(name, password, file)
        if user is not None:
            return user
    return None


def of_certificate(certificate: Mapping[str, Any] | None, file: Path = FILE) -> str | None:
    """Return the account that a verified client certificate is mapped to: here the one that its common name says."""
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
    known = {_user(line) for line in (file.read_text().splitlines() if file.exists() else [])}
    return next((name.casefold() for name in names if name.casefold() in known), None)


def _matching(name: str, password: str, file: Path) -> str | None:
    lines = file.read_text().splitlines() if file.exists() else []
    digest = ntowfv1(password).hex().upper()
    for line in lines:
        fields = line.split(":")
        if fields[0].casefold() == name.casefold() and hmac.compare_digest(fields[3], digest):
            return _user(line)
    return None


def _user(line: str) -> str:
    return line.split(":", 1)[0].rpartition("\\")[2].casefold()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The port to OMERO's config.xml, and to the list of properties that comes with a server."""

from __future__ import annotations

import os
import pwd
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.plan import Plan
from .properties import (
    complaint,
    empty_properties,
    is_secret,
    properties_plan,
    property_names,
    template_names,
    unknown_properties,
)


class OmeroConfigError(Exception):
    """The configuration can't be read or written; the message names the cure.

    Attributes:
        unknown: property names that the program doesn't list, with similar ones.
    """

    def __init__(self, message: str, unknown: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.unknown = dict(unknown or {})


def configure(params: Mapping[str, Any], *, check_mode: bool) -> tuple[Plan, bool]:
    """Bring the file to what a module's parameters say.

    Returns:
        The plan of properties, and whether anything was to be done; the file's owner and mode count, too.

    Raises:
        OmeroConfigError: before anything is changed.
    """
    path, source = Path(params["path"]), Path(params["names_from"])
    wanted = {name: _text(value) for part in ("properties", "secrets") for name, value in params[part].items()}
    if shown := [name for name in params["properties"] if is_secret(name)]:
        raise OmeroConfigError(f"{', '.join(shown)} would show in logs; give it in secrets instead of properties")
    if unknown := unknown_properties(wanted, known_properties(source)):
        raise OmeroConfigError(complaint(unknown, str(source)), unknown)
    if _is_server(source) and (empty := empty_properties(wanted)):
        raise OmeroConfigError(
            f"{', '.join(empty)} without a value: OMERO takes an empty one for unset and goes on with its own default. "
            "Nothing was changed. Leave it out, or give it a value that says what you mean"
        )
    got = read(path)
    plan = properties_plan(got, wanted, purge=params["purge"])
    if plan.changed and not check_mode:
        write(path, wanted if params["purge"] else {**got, **wanted})
    return plan, _kept_private(path, params["owner"], check_mode=check_mode) or plan.changed


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _kept_private(path: Path, owner: str, *, check_mode: bool) -> bool:
    """Give the file to its reader, and return whether that was to be done."""
    try:
        account = pwd.getpwnam(owner)
    except KeyError as error:
        raise OmeroConfigError(f"no user {owner} on this host, who is to own {path}; make it first") from error
    if not path.exists():
        return not check_mode
    status = path.stat()
    if (status.st_uid, status.st_gid, status.st_mode & 0o777) == (account.pw_uid, account.pw_gid, 0o600):
        return False
    if not check_mode:
        os.chown(path, account.pw_uid, account.pw_gid)
        path.chmod(0o600)
    return True


def known_properties(source: Path) -> set[str]:
    """Return the names that a program lists.

    Args:
        source: an unpacked server, which lists them in etc/omero.properties and in its own jars, and OMERO.dropbox's in
            its grid's templates; or OMERO.web's settings.py, where they stand in quotation marks.

    Raises:
        OmeroConfigError: when there is no such list.
    """
    if not _is_server(source) and source.exists():
        return set(re.findall(r'"(omero\.[\w.]+)"', source.read_text()))
    return _of_server(source)


def _is_server(source: Path) -> bool:
    return source.suffix != ".py"


def _of_server(server: Path) -> set[str]:
    listed = server / "etc" / "omero.properties"
    if not listed.exists():
        raise OmeroConfigError(f"{listed} is missing: {server} is no unpacked OMERO.server")
    names = property_names(listed.read_text(errors="replace").splitlines())
    for templates in (server / "etc" / "templates" / "grid").glob("templates.xml"):
        names |= template_names(templates.read_text(errors="replace"))
    for jar in (server / "lib" / "server").glob("omero-*.jar"):
        try:
            with zipfile.ZipFile(jar) as archive:
                for entry in archive.namelist():
                    if entry.startswith("omero-") and entry.endswith(".properties"):
                        names |= property_names(archive.read(entry).decode(errors="replace").splitlines())
        except zipfile.BadZipFile as error:
            raise OmeroConfigError(f"{jar} is damaged ({error}); unpack the archive again") from error
    return names


def read(path: Path) -> dict[str, str]:
    """Return the properties of the active profile; {} when the file isn't there."""
    if not path.exists():
        return {}
    config = _opened(path, read_only=True)
    try:
        # Its own marks aside, everything in there is a property.
        return {name: value for name, value in config.as_map().items() if not name.startswith("omero.config.")}
    finally:
        config.close()


def write(path: Path, properties: Mapping[str, str]) -> None:
    """Replace the properties of the active profile by these, in one step."""
    config = _opened(path, read_only=False)
    try:
        for name in [name for name in config.as_map() if not name.startswith("omero.config.")]:
            del config[name]
        for name, value in properties.items():
            config[name] = value
    finally:
        config.close()
    path.chmod(0o600)


def _opened(path: Path, *, read_only: bool) -> Any:
    try:
        from omero.config import ConfigXml  # noqa: PLC0415 - only OMERO's own Python has it
    except ImportError as error:
        raise OmeroConfigError(
            "this Python has no omero-py; run the module with OMERO's: "
            "vars: {ansible_python_interpreter: /opt/omero/server/venv/bin/python}"
        ) from error
    try:
        return ConfigXml(str(path), read_only=read_only)
    except Exception as error:
        raise OmeroConfigError(f"{path} can't be opened: {error}") from error

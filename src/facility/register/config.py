# SPDX-License-Identifier: GPL-3.0-or-later
"""The register's settings: a TOML file read strictly, every problem at once, each with its cure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..core import settings
from ..core.settings import ConfigError

__all__ = ["Config", "ConfigError", "load", "of_environment"]

VARIABLE = "FACILITY_REGISTER"
"""The environment variable that names the settings' file."""
DEFAULT = Path("/etc/register/register.toml")


@dataclass(frozen=True, slots=True)
class Config:
    """The keys of register.toml.

    Attributes:
        hosts: names by which browsers and the controller reach it.
        database: the SQLite file.
        policy_file: JSON: `facility`, the policy as facility.people.policy takes it, and `administrators`, the IT
            administrators of people.yml, as people.yml has them.
        secret_key_file: what signs cookies.
        export_token_file: what the controller shows to read the export.
        proofs_folder: where proofs are kept, a file each.
        static_folder: where style sheets are collected for the web server.
        locale_folder: where translations are compiled to, see the command compile_words.
        title: the facility's name, as people read it.
        directory_uris: LDAPS addresses, parted by commas; with "" nobody can log in.
        directory_ca_file: whose certificates are believed.
        directory_base: where people and groups are.
        directory_bind_dn, directory_bind_password_file: who looks people up.
        staff_group, administrator_group: DNs of groups; who is in one, also through groups in groups, is that.
        address: how people reach the pages, for links in mails, like https://register1.example.org/.
        mail_server, mail_port: the relay that takes mails, with TLS (STARTTLS); with "" nobody is reminded.
        mail_ca_file: whose certificates are believed of it.
        mail_from: the sender's address.
        mail_digest: who of the staff gets a list of what runs out, each Monday.
        mail_language: in which language mails are written: en or de.
        password_unit: DN of the unit of accounts whose passwords are set here with a code; with "" none are.
        password_length: how many characters a password must have; the directory's own rule counts besides.
        activation_days: so long a code for a new account is valid.
        forgotten_minutes: so long one for a forgotten password is.
        recheck_seconds: after this time the directory is asked again whether somebody who is logged in still may.
        people_at_once: how many people one session may have.
    """

    hosts: tuple[str, ...]
    database: Path
    policy_file: Path
    secret_key_file: Path
    export_token_file: Path
    static_folder: Path = Path("/var/lib/register/static")
    proofs_folder: Path = Path("/var/lib/register/proofs")
    locale_folder: Path = Path("/var/lib/register/locale")
    title: str = "Facility"
    directory_uris: str = ""
    directory_ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    directory_base: str = ""
    directory_bind_dn: str = ""
    directory_bind_password_file: Path | None = None
    staff_group: str = ""
    administrator_group: str = ""
    address: str = ""
    mail_server: str = ""
    mail_port: int = 587
    mail_ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    mail_from: str = ""
    mail_digest: tuple[str, ...] = ()
    mail_language: str = "en"
    password_unit: str = ""
    password_length: int = 12
    activation_days: int = 7
    forgotten_minutes: int = 30
    recheck_seconds: int = 300
    people_at_once: int = 200


def load(path: Path) -> Config:
    """The settings of a file.

    Raises:
        ConfigError: With all problems.
    """
    return settings.load(path, Config, _contradictions)


def of_environment() -> Config:
    """The settings of the file that the environment names."""
    return load(Path(os.environ.get(VARIABLE, str(DEFAULT))))


def _contradictions(config: Config) -> list[str]:
    problems = []
    if not config.hosts:
        problems.append("hosts: is empty: name the host as browsers do")
    if config.directory_uris:
        problems += [
            f"directory_uris: {uri} is not encrypted: use ldaps://"
            for uri in config.directory_uris.split(",")
            if not uri.startswith("ldaps://")
        ]
        problems += [
            f"{key}: is empty, and directory_uris is not: name it"
            for key in ("directory_base", "directory_bind_dn", "directory_bind_password_file", "staff_group")
            if not getattr(config, key)
        ]
    if config.mail_server:
        problems += [
            f"{key}: is empty, and mail_server is not: write it" for key in ("mail_from", "address")
            if not getattr(config, key)
        ]  # fmt: skip
    if config.mail_language not in {"en", "de"}:
        problems.append(f"mail_language: is {config.mail_language}: write en or de")
    problems += [
        f"{key}: must be 1 or more"
        for key in ("recheck_seconds", "password_length", "activation_days", "forgotten_minutes")
        if getattr(config, key) < 1
    ]
    return problems

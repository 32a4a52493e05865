# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of the example facility's people, a file each in build/demo-passwords.

Researchers choose theirs in the register's pages, and nobody knows it; whoever tries the example out wants to be any of
them at once. Staff and IT administrators have the initial passwords that people.yml wrote down.
"""

import shutil
import sys
from pathlib import Path

import yaml

from facility.directory import initial_password, names
from facility.directory.port import DirectoryPort, open_directory
from facility.directory.server import DirectoryError, Server
from testbed.paths import DEMO_PASSWORDS, REPOSITORY

_GROUP_VARS = REPOSITORY / "inventories" / "example" / "group_vars" / "all"
_SECRETS = REPOSITORY / "inventories" / "example" / "secrets"


def main() -> int:
    """Give every researcher of the running example a password that this machine knows."""
    domain = yaml.safe_load((_GROUP_VARS / "facility.yml").read_text())["facility_domain"]
    vault = yaml.safe_load((_GROUP_VARS / "vault.yml").read_text())
    base = ",".join(f"DC={part}" for part in domain.split("."))
    account = f"CN=svc-controller,OU=Service Accounts,{base}"
    authority = str(_SECRETS / "authority" / "ca.crt")
    server = Server(f"ldaps://dc1.{domain}", account, vault["vault_svc_controller_password"], authority)
    DEMO_PASSWORDS.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in (_SECRETS / "initial-passwords").glob("*"):
        shutil.copy(file, DEMO_PASSWORDS / file.name)
    try:
        with open_directory(server) as directory:
            given = researchers_given(directory, base)
    except DirectoryError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given} researchers got a demo password.")
    return 0


def researchers_given(directory: DirectoryPort, base: str, folder: Path = DEMO_PASSWORDS) -> int:
    """Set what is not the password yet; return how many there were."""
    unit = f"OU=Researchers,OU=People,{base}"
    people = directory.search(unit, names.equals("objectClass", "user"), ["sAMAccountName"])
    given = 0
    for person in people:
        login = person.text("samaccountname") or ""
        new = not (folder / login).exists()
        password = initial_password.kept(folder, login)
        if new or not directory.accepts(person.dn, password):
            directory.modify(person.dn, [("replace", "unicodePwd", [f'"{password}"'.encode("utf-16-le")])])
            given += 1
    return given


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do by hand in a real facility before Ansible can manage a PC, done to the stand-ins of the test bed.

They enter instruments and people into PPMS, copy the tracker codes from its pages into the vault, and carry to each PC
the kit that playbooks/ops/first_contact.yml made.
"""

import argparse
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import yaml

from testbed.podman import podman
from testbed.standins.ppms.install import install

STATE = "/var/lib/device-pc"
ACCOUNT = "facility-admin"


def main() -> int:
    """Do it for what is named; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m testbed.first_contact", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("facility", help="the example facility").add_argument("inventory", type=Path)
    ppms = commands.add_parser("ppms", help="one stand-in of PPMS; what it knows comes as JSON on standard input")
    ppms.add_argument("host")
    pc = commands.add_parser("pc", help="one PC; the account's password comes on standard input")
    pc.add_argument("host")
    pc.add_argument("kit", type=Path)
    given = parser.parse_args()
    if given.command == "facility":
        whole_facility(given.inventory)
    elif given.command == "ppms":
        install(given.host, json.load(sys.stdin))
    else:
        carry(given.kit, given.host, sys.stdin.readline().rstrip("\n"))
    return 0


def whole_facility(inventory: Path) -> None:
    """Do it for every PC of an inventory, and for its stand-in of PPMS."""
    facility = _read(inventory / "group_vars/all/facility.yml")
    vault = _read(inventory / "group_vars/all/vault.yml")
    groups = _read(inventory / "hosts.yml")["all"]["children"]
    codes = tracker_codes(inventory / "group_vars/device_pc/vault.yml", facility["facility_instruments"])
    for host in groups.get("ppms_standin", {}).get("hosts", {}):
        people = _read(inventory / "register/people.yml")["people"]
        install(host, {"api_key": vault["vault_ppms_api_key"], **knowledge(facility, people, codes)})
        print(f"  {host}: knows {len(people)} people and {len(codes)} instruments")
    for host in groups.get("device_pc", {}).get("hosts", {}):
        carry(inventory / "secrets/first-contact" / host, host, vault["vault_device_pc_password"])
        print(f"  {host}: WinRM is on, {ACCOUNT} may manage it")


def tracker_codes(vault: Path, instruments: list[dict[str, Any]]) -> dict[str, str]:
    """Return each instrument's tracker code; those that PPMS does not have yet are made up and noted in the vault."""
    known = (_read(vault) if vault.exists() else {}).get("vault_tracker_codes", {})
    codes = {entry["name"]: known.get(entry["name"]) or secrets.token_hex(5) for entry in instruments}
    if codes != known:
        vault.touch(mode=0o600)
        vault.write_text(yaml.safe_dump({"vault_tracker_codes": codes}))
    return codes


def knowledge(facility: dict[str, Any], people: list[dict[str, Any]], codes: dict[str, str]) -> dict[str, Any]:
    """Return what PPMS gets to know: users, groups, systems and rights."""
    groups = {
        entry["name"]: {"unitlogin": entry["name"], "unitname": entry["title"]}
        for entry in facility["facility_research_groups"]
    }
    users = {
        person["login"]: {
            "login": person["login"], "lname": person["family_name"], "fname": person["given_name"],
            "email": person["mail"], "unitlogin": person.get("research_group") or "staff", "active": True,
            "userid": number, "admin": person["kind"] == "it_admin",
        }
        for number, person in enumerate(people, start=1)
    }  # fmt: skip
    systems = {
        str(entry["ppms_system_id"]): {"name": entry["title"], "code": codes[entry["name"]], "place": entry["location"]}
        for entry in facility["facility_instruments"]
        if "ppms_system_id" in entry
    }
    return {
        "users": users,
        "groups": {**groups, "staff": {"unitlogin": "staff", "unitname": "Staff"}},
        "systems": systems,
    }


def carry(kit: Path, host: str, password: str) -> None:
    """Do what enable-winrm.cmd does on a real PC: trust the authority, take the certificate, make the account.

    A PC that has the kit's certificate trusts the authority, too: the certificate comes last.
    """
    certificate = (kit / "winrm.crt").read_text()
    if podman("exec", host, "cat", f"{STATE}/winrm.crt", check=False) != certificate:
        authority = "/usr/local/share/ca-certificates/facility.crt"
        _put(host, authority, (kit / "ca.crt").read_text(), mode="0644")
        podman("exec", host, "update-ca-certificates")
        _put(host, f"{STATE}/winrm.key", (kit / "winrm.key").read_text())
        _put(host, f"{STATE}/winrm.crt", certificate)
    podman("exec", "--interactive", host, "device-pc", "user", ACCOUNT, stdin=password)


def _put(host: str, path: str, text: str, mode: str = "0600") -> None:
    """Write a file of a host, whole or not at all."""
    put = f"umask 077; cat > {path}.new && chmod {mode} {path}.new && mv {path}.new {path}"
    podman("exec", "--interactive", host, "sh", "-c", put, stdin=text)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    return found


if __name__ == "__main__":
    sys.exit(main())

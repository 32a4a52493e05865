# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of one account over the users, groups or computers of some units, on a Samba domain controller.

The entries are those of Windows' delegation wizard [MS-ADTS 5.1.3]: create and delete children of a class, and full
control of the children of that class; or to reset the passwords of users, and unlock them.
"""

from __future__ import annotations

import re
import subprocess

try:
    import ldb
    from samba.auth import system_session
    from samba.dcerpc import security
    from samba.ndr import ndr_pack, ndr_unpack
    from samba.param import LoadParm
    from samba.samdb import SamDB

    HAVE_SAMBA = True
except ImportError:
    HAVE_SAMBA = False

DATABASE = "/var/lib/samba/private/sam.ldb"

# schemaIDGUID of the classes [MS-ADSC].
CLASSES = {
    "user": "bf967aba-0de6-11d0-a285-00aa003049e2",
    "group": "bf967a9c-0de6-11d0-a285-00aa003049e2",
    "computer": "bf967a86-0de6-11d0-a285-00aa003049e2",
}
PASSWORDS = "password"
# The right to reset a password [MS-ADTS 5.1.3.2.1], and schemaIDGUID of lockoutTime, which is cleared with it.
RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"  # noqa: S105 - the number of a right
LOCKOUT_TIME = "28630ebf-41d5-11d1-a9c1-0000f80367c1"
FULL_CONTROL = "CCDCLCSWRPWPDTLOCRSDRCWDWO"
# Everybody, anonymous, and who has any account, as SDDL names them.
ANYBODY = {"WD", "AN", "AU", "BU", "DU", "S-1-1-0", "S-1-5-7", "S-1-5-11"}
ENTRY = re.compile(r"\([^)]*\)")


class DelegationError(Exception):
    """The rights can't be given; the message is one line that names the cure."""


def wanted_entries(sid: str, classes: list[str]) -> list[str]:
    """Return the access control entries in SDDL for an account's security identifier (S-1-…).

    Args:
        sid: The security identifier.
        classes: Keys of CLASSES, and PASSWORDS.
    """
    guids = [CLASSES[name] for name in classes if name != PASSWORDS]
    children = [f"(OA;CI;CCDC;{guid};;{sid})" for guid in guids]
    control = [f"(OA;CIIO;{FULL_CONTROL};;{guid};{sid})" for guid in guids]
    passwords = [
        f"(OA;CIIO;CR;{RESET_PASSWORD};{CLASSES['user']};{sid})",
        f"(OA;CIIO;RPWP;{LOCKOUT_TIME};{CLASSES['user']};{sid})",
    ]
    return children + control + (passwords if PASSWORDS in classes else [])


def missing_entries(sddl: str, wanted: list[str]) -> list[str]:
    """Return those of the wanted entries that a security descriptor in SDDL lacks, whatever the order of rights."""
    present = {_normal(entry) for entry in ENTRY.findall(sddl)}
    return [entry for entry in wanted if _normal(entry) not in present]


def _normal(entry: str) -> tuple[str, ...]:
    kind, flags, rights, *rest = entry.strip("()").split(";")
    letters = "".join(sorted(re.findall("..", rights)))
    return (kind, "".join(sorted(re.findall("..", flags))), letters, *(part.lower() for part in rest))


class LocalDirectory:
    """The port: security descriptors in the directory of the domain controller that this runs on.

    Raises:
        DelegationError: this host is no domain controller.
    """

    def __init__(self) -> None:
        if not HAVE_SAMBA:
            raise DelegationError("python3-samba is missing on this host: run the module on a domain controller")
        settings = LoadParm()
        settings.load_default()
        try:
            self._database = SamDB(url=DATABASE, session_info=system_session(), lp=settings)
        except ldb.LdbError as error:
            raise DelegationError(f"no directory in {DATABASE}: run the module on a domain controller") from error
        self._domain_sid = security.dom_sid(self._database.get_domain_sid())

    def sid(self, account: str) -> str:
        """Return the security identifier of an account."""
        expression = f"(sAMAccountName={ldb.binary_encode(account)})"
        found = self._database.search(self._database.domain_dn(), expression=expression, attrs=["objectSid"])
        if len(found) != 1:
            raise DelegationError(f'no account "{account}" in the directory: make it first, with directory_user')
        return str(ndr_unpack(security.dom_sid, found[0]["objectSid"][0]))

    def descriptor(self, unit: str) -> str:
        """Return a unit's security descriptor in SDDL."""
        try:
            found = self._database.search(unit, scope=ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"])
        except ldb.LdbError as error:
            raise DelegationError(f'no "{unit}" in the directory: make it first, a unit with directory_ou') from error
        descriptor = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])
        return str(descriptor.as_sddl(self._domain_sid))

    def remove(self, place: str, entries: list[str]) -> None:
        """Take entries out of an object's security descriptor; the others stay.

        Samba's own command does it: in Samba 4.22 a change of a DNS zone's descriptor through its Python ends the
        process with a segmentation fault.
        """
        for entry in entries:
            command = ["samba-tool", "dsacl", "delete", "--objectdn", place, "--sddl", entry]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise DelegationError(f"samba-tool can't take {entry} from {place}: {done.stderr.strip()}")

    def add(self, unit: str, entries: list[str]) -> None:
        """Add entries to a unit's security descriptor; Samba puts them in their canonical order."""
        descriptor = security.descriptor.from_sddl(self.descriptor(unit), self._domain_sid)
        for entry in entries:
            descriptor.dacl_add(security.descriptor.from_sddl(f"D:{entry}", self._domain_sid).dacl.aces[0])
        message = ldb.Message(ldb.Dn(self._database, unit))
        name = "nTSecurityDescriptor"
        message[name] = ldb.MessageElement(ndr_pack(descriptor), ldb.FLAG_MOD_REPLACE, name)
        self._database.modify(message)


def delegate(account: str, units: list[str], classes: list[str], *, apply: bool) -> dict[str, list[str]]:
    """Give an account its rights in each unit and return, per unit, the entries that were missing.

    Raises:
        DelegationError: no such account or unit, or this is no domain controller.
    """
    directory = LocalDirectory()
    wanted = wanted_entries(directory.sid(account), classes)
    # All units are looked at before the first is changed: a misspelt one leaves nothing half done.
    missing = {unit: missing_entries(directory.descriptor(unit), wanted) for unit in units}
    added = {unit: entries for unit, entries in missing.items() if entries}
    if apply:
        for unit, entries in added.items():
            directory.add(unit, entries)
    return added


def names_added_by_anybody(sddl: str) -> list[str]:
    """The entries of a zone's security descriptor that let every account, or nobody in particular, make children."""
    found = ENTRY.findall(sddl.split("S:", maxsplit=1)[0])
    return list(dict.fromkeys(entry for entry in found if _lets_anybody_add(entry)))


def _lets_anybody_add(entry: str) -> bool:
    kind, flags, rights, *_, who = entry.strip("()").split(";")
    inherited = "ID" in re.findall("..", flags)
    return kind in {"A", "OA"} and not inherited and "CC" in re.findall("..", rights) and who in ANYBODY


def close_zones(zone: str, base: str, *, apply: bool) -> dict[str, list[str]]:
    """Let only those add names to a domain's DNS zone, and to that of its controllers, who have that right by name.

    Args:
        zone: The domain's zone; that of its controllers is _msdcs below it.
        base: DN of the domain.
        apply: Whether to take the others' right away.

    Returns:
        For each zone in which others could, the entries that let them, in SDDL.

    Raises:
        DelegationError: no such zone, or this is no domain controller.
    """
    directory = LocalDirectory()
    places = {
        zone: f"DC={zone},CN=MicrosoftDNS,DC=DomainDnsZones,{base}",
        f"_msdcs.{zone}": f"DC=_msdcs.{zone},CN=MicrosoftDNS,DC=ForestDnsZones,{base}",
    }
    # All are looked at before the first is changed.
    found = {name: names_added_by_anybody(directory.descriptor(place)) for name, place in places.items()}
    entries = {name: entries for name, entries in found.items() if entries}
    if apply:
        for name, gone in entries.items():
            directory.remove(places[name], gone)
    return entries

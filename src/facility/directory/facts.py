# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory can do and what it holds; assumes no Active Directory, so that it can be asked about any server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.sid import sid_text
from . import names as directory_names
from .port import DirectoryPort, Entry
from .server import DirectoryError

_ROOT = [
    "defaultNamingContext",
    "namingContexts",
    "dnsHostName",
    "supportedCapabilities",
    "vendorName",
    "vendorVersion",
]
# LDAP_CAP_ACTIVE_DIRECTORY_OID and LDAP_MATCHING_RULE_IN_CHAIN [MS-ADTS 3.1.1.3.4]
_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
IN_CHAIN = "1.2.840.113556.1.4.1941"
_GROUPS = "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfMembers)(objectClass=posixGroup))"


def facts(directory: DirectoryPort, params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of directory_info.

    Raises:
        DirectoryError: not_found if the base isn't there, and whatever the connection raises.
    """
    root = directory.read("", _ROOT) or Entry("", {})
    base = params["base"] or _base(root)
    return {
        "bound_as": directory.bound_as(),
        "active_directory": _ACTIVE_DIRECTORY in root.texts("supportedcapabilities"),
        "base": base,
        "naming_contexts": list(root.texts("namingcontexts")),
        "dns_host_name": root.text("dnshostname"),
        "vendor": " ".join(filter(None, (root.text("vendorname"), root.text("vendorversion")))) or None,
        "user_count": len(directory.search(base, params["user_filter"], ())),
        "nested_groups": _nested_groups(directory, base),
        "group_sids": _group_sids(directory, base, params["require_groups"]),
        "missing_groups": _missing(directory, base, _GROUPS, "cn", params["require_groups"]),
        "missing_ous": _missing(directory, base, "(objectClass=organizationalUnit)", "ou", params["require_ous"]),
    }


def _base(root: Entry) -> str:
    contexts = root.texts("namingcontexts")
    default = root.text("defaultnamingcontext") or (contexts[0] if len(contexts) == 1 else None)
    if default is None:
        found = f"it offers {', '.join(contexts)}" if contexts else "it names none"
        raise DirectoryError("not_found", f"the server doesn't say where its people are ({found}): set base")
    return default


def _nested_groups(directory: DirectoryPort, base: str) -> bool | None:
    """Whether the rule works: a server without it finds nothing, where a known membership must be found."""
    for group in directory.search(base, f"(&{_GROUPS}(member=*))", ["member"]):
        for member in group.texts("member")[:1]:
            condition = directory_names.equals(f"member:{IN_CHAIN}:", member)
            return bool(directory.search(group.dn, condition, (), "base"))
    return None


def _group_sids(directory: DirectoryPort, base: str, names: list[str]) -> dict[str, str]:
    """The SIDs of those of the groups (plain names) that are there and have one, by the name that was asked for."""
    plain = [name for name in names if not directory_names.is_dn(name)]
    if not plain:
        return {}
    condition = directory_names.any_of(directory_names.equals("cn", name) for name in plain)
    found: dict[str, str] = {}
    for entry in directory.search(base, f"(&{_GROUPS}{condition})", ["cn", "objectSid"]):
        for sid in entry.attributes.get("objectsid", ()):
            found.update((text.lower(), sid_text(sid)) for text in entry.texts("cn"))
    return {name: found[name.lower()] for name in plain if name.lower() in found}


def _missing(directory: DirectoryPort, base: str, kind: str, attribute: str, names: list[str]) -> list[str]:
    """The names (plain, or DNs) that aren't there, in the given order."""
    plain = [name for name in names if not directory_names.is_dn(name)]
    there: set[str] = set()
    if plain:
        condition = directory_names.any_of(directory_names.equals(attribute, name) for name in plain)
        for entry in directory.search(base, f"(&{kind}{condition})", [attribute]):
            there.update(text.lower() for text in entry.texts(attribute))
    there.update(name.lower() for name in names if name not in plain and directory.read(name) is not None)
    return [name for name in names if name.lower() not in there]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of an AD-integrated DNS zone, written as dnsNode objects over LDAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.plan import Attributes, Change, Plan, Value, plan
from . import names
from .dns_record import TOMBSTONE, TYPES, DnsRecord, data_of, decoded, encoded, value_of
from .port import DirectoryPort, Entry, Operation
from .server import DirectoryError


class DnsRecordsTask:
    """Records as the options of directory_dns_record describe them.

    Per name and type the listed records are all there are; records of other types at the same name stay.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._records: list[dict[str, Any]] = params["records"]
        self._base: str = params["base"]
        self._zone: str = params["zone"].rstrip(".").lower()
        self._nodes: dict[str, Entry] = {}

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        wanted = self._wanted()
        try:
            nodes = directory.search(
                self._zone_dn(), "(objectClass=dnsNode)", ["dc", "dnsRecord", "dNSTombstoned"], "one"
            )
        except DirectoryError as error:
            if error.kind == "not_found":
                cure = "create the zone first, or mend its name"
                message = f"the directory {self._base} has no DNS zone {self._zone}: {cure}"
                raise DirectoryError("not_found", message) from None
            raise
        self._nodes = {(node.text("dc") or "").lower(): node for node in nodes}
        got = {name: _shown(_records(self._nodes[name])) for name in wanted if name in self._nodes}
        return plan(got, wanted)

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        node = self._nodes.get(change.key)
        kept = [record for record in _records(node) if _TYPES_BY_NUMBER.get(record.type) not in change.after]
        serial = max((record.serial for record in _records(node)), default=0) + 1
        values = [encoded(record) for record in kept]
        for kind, shown in change.after.items():
            values.extend(encoded(replace(_parsed(kind, text), serial=serial)) for text in _texts(shown))
        if node is None:
            attributes = {"objectClass": [b"dnsNode"], "dnsRecord": values}
            directory.add(names.child("DC", change.key, self._zone_dn()), attributes)
            return
        operations: list[Operation] = [("replace", "dnsRecord", values)]
        if node.text("dnstombstoned") == "TRUE":
            operations.append(("replace", "dNSTombstoned", [b"FALSE"]))
        directory.modify(node.dn, operations)

    def _zone_dn(self) -> str:
        return names.child("DC", self._zone, f"CN=MicrosoftDNS,DC=DomainDnsZones,{self._base}")

    def _wanted(self) -> dict[str, Attributes | None]:
        nodes: dict[str, dict[str, list[str]]] = {}
        for record in self._records:
            name, kind = self._relative(record["name"]), record["type"]
            try:
                value = value_of(kind, data_of(kind, record["value"]))
            except ValueError as error:
                raise DirectoryError("rejected", f"record {record['name']} {kind}: {error}") from None
            nodes.setdefault(name, {}).setdefault(kind, []).append(f"{value} ttl {record['ttl']}")
        for name, kinds in nodes.items():
            if "CNAME" in kinds and (len(kinds) > 1 or len(kinds["CNAME"]) > 1):
                raise DirectoryError(
                    "rejected", f"record {name}: a CNAME stands alone at its name: leave out the others"
                )
        return {name: {kind: tuple(sorted(set(v))) for kind, v in kinds.items()} for name, kinds in nodes.items()}

    def _relative(self, name: str) -> str:
        """The node's name inside the zone; the zone itself is @."""
        plain = name.rstrip(".").lower()
        if plain in {self._zone, "@", ""}:
            return "@"
        return plain.removesuffix(f".{self._zone}")


_TYPES_BY_NUMBER = {number: kind for kind, number in TYPES.items()}


def _records(node: Entry | None) -> list[DnsRecord]:
    if node is None:
        return []
    try:
        records = [decoded(raw) for raw in node.attributes.get("dnsrecord", ())]
    except ValueError as error:
        raise DirectoryError("rejected", f"{node.dn}: {error}: delete this record by hand") from None
    # A tombstone says that the node was deleted; it goes when there are records again.
    return [record for record in records if record.type != TOMBSTONE]


def _shown(records: list[DnsRecord]) -> Attributes:
    kinds: dict[str, list[str]] = {}
    for record in records:
        kind = _TYPES_BY_NUMBER.get(record.type)
        if kind:
            kinds.setdefault(kind, []).append(f"{value_of(kind, record.data)} ttl {record.ttl}")
    return {kind: tuple(sorted(values)) for kind, values in kinds.items()}


def _parsed(kind: str, shown: str) -> DnsRecord:
    value, _, ttl = shown.partition(" ttl ")
    return DnsRecord(TYPES[kind], data_of(kind, value), int(ttl))


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()

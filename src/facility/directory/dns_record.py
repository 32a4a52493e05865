# SPDX-License-Identifier: GPL-3.0-or-later
"""The binary dnsRecord attribute of AD-integrated zones [MS-DNSP 2.3.2.2 and 2.2.2.2.4]."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

# DataLength, Type, Version, Rank, Flags, Serial (little endian); TtlSeconds (big endian); Reserved, TimeStamp.
_HEAD = struct.Struct("<HHBBHI")
_TTL = struct.Struct(">I")
_TAIL = struct.Struct("<II")
_HEADER_LENGTH = _HEAD.size + _TTL.size + _TAIL.size
_VERSION = 5
_RANK_ZONE = 240  # authoritative data of the zone itself

TYPES = {"A": 1, "CNAME": 5, "PTR": 12}
TOMBSTONE = 0


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One resource record; data is still binary, because the types that aren't managed are only passed on."""

    type: int
    data: bytes
    ttl: int
    serial: int = 1
    rank: int = _RANK_ZONE
    flags: int = 0
    timestamp: int = 0  # hours since 1601, 0 = static: never scavenged


def decoded(raw: bytes) -> DnsRecord:
    """Raises ValueError if the bytes aren't a dnsRecord of version 5."""
    if len(raw) < _HEADER_LENGTH:
        raise ValueError(f"dnsRecord of {len(raw)} bytes is shorter than its header")
    length, kind, version, rank, flags, serial = _HEAD.unpack_from(raw)
    data = raw[_HEADER_LENGTH:]
    if version != _VERSION or length != len(data):
        raise ValueError(
            f"dnsRecord of version {version} with {len(data)} bytes of data, where {length} were announced"
        )
    (ttl,) = _TTL.unpack_from(raw, _HEAD.size)
    _, timestamp = _TAIL.unpack_from(raw, _HEAD.size + _TTL.size)
    return DnsRecord(kind, data, ttl, serial, rank, flags, timestamp)


def encoded(record: DnsRecord) -> bytes:
    """The reverse of decoded."""
    head = _HEAD.pack(len(record.data), record.type, _VERSION, record.rank, record.flags, record.serial)
    return head + _TTL.pack(record.ttl) + _TAIL.pack(0, record.timestamp) + record.data


def data_of(kind: str, value: str) -> bytes:
    """The data of a record as people write it: "192.0.2.1" for A, a host name for CNAME and PTR.

    Raises:
        ValueError: If the value doesn't suit the type.
    """
    if kind == "A":
        try:
            return ipaddress.IPv4Address(value).packed
        except ipaddress.AddressValueError:
            raise ValueError(f'"{value}" is no IPv4 address; write it like 192.0.2.1') from None
    labels = value.rstrip(".").encode("idna").split(b".") if value.strip(".") else []
    if not labels or any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f'"{value}" is no host name; write it like wiki1.example.org')
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(name) > 255:
        raise ValueError(f'"{value}" is longer than 255 bytes')
    # DNS_COUNT_NAME: bytes of the name with its closing null, number of labels, the labels.
    return bytes([len(name), len(labels)]) + name


def value_of(kind: str, data: bytes) -> str:
    """The reverse of data_of."""
    if kind == "A":
        return str(ipaddress.IPv4Address(data))
    labels, rest = [], data[2:]
    while rest and rest[0]:
        labels.append(rest[1 : 1 + rest[0]].decode("ascii"))
        rest = rest[1 + rest[0] :]
    return ".".join(labels).lower()

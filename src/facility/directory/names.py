# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names and filters: built and compared, never pasted together [RFC 4514, RFC 4515]."""

from __future__ import annotations

from collections.abc import Iterable

try:
    import ldap.dn
    import ldap.filter
except ImportError:  # directory.open_directory says what to do about it, before anything here is called
    pass


def child(attribute: str, value: str, parent: str) -> str:
    """The DN of an object under parent, its name escaped."""
    return f"{attribute}={_escaped(value)},{parent}"


def normalised(dn: str) -> str:
    """One spelling for all ways to write a DN (case, blanks, escapes), for comparing only.

    Raises:
        ValueError: If the text is no DN.
    """
    return ",".join(
        "+".join(f"{attribute.lower()}={_escaped(value.lower())}" for attribute, value, _ in rdn) for rdn in _parsed(dn)
    )


def parent(dn: str) -> str:
    """Where an object lies, normalised: OU=people,… of CN=Anna,OU=people,…."""
    return normalised(ldap.dn.dn2str(_parsed(dn)[1:]))


def first(dn: str) -> str:
    """An object's own name, as CN=Anna of CN=Anna,OU=people,…."""
    return str(ldap.dn.dn2str(_parsed(dn)[:1]))


def is_dn(text: str) -> bool:
    """Whether the text is a DN rather than a plain name."""
    return "=" in text and bool(ldap.dn.is_dn(text))


def domain_part(dn: str) -> str:
    """The domain's own DN: the DC= components at the end of a DN, as they are written."""
    parts = [rdn[0] for rdn in _parsed(dn)]
    return ",".join(f"{name}={_escaped(value)}" for name, value, _ in parts if name.lower() == "dc")


def dns_domain(dn: str) -> str:
    """The DNS name of a DN's domain: DC=imaging,DC=example,DC=org is imaging.example.org."""
    return ".".join(rdn[0][1] for rdn in _parsed(dn) if rdn[0][0].lower() == "dc")


def equals(attribute: str, value: str) -> str:
    """A filter for one value."""
    return f"({attribute}={ldap.filter.escape_filter_chars(value)})"


def any_of(filters: Iterable[str]) -> str:
    """A filter that holds if one of the filters does."""
    return f"(|{''.join(filters)})"


def _escaped(value: str) -> str:
    # python-ldap leaves control characters as they are, libldap takes a line end at the edge of a value for a blank.
    escaped = str(ldap.dn.escape_dn_chars(value))
    return "".join(f"\\{ord(character):02X}" if character < " " else character for character in escaped)


def _parsed(dn: str) -> list[list[tuple[str, str, int]]]:
    try:
        parsed: list[list[tuple[str, str, int]]] = ldap.dn.str2dn(dn)
    except ldap.DECODING_ERROR:
        raise ValueError(f'"{dn}" is no distinguished name; write it like OU=people,DC=example,DC=org') from None
    return parsed

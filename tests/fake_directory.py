# SPDX-License-Identifier: GPL-3.0-or-later
"""An Active Directory in memory, behind the same port as the real one.

It refuses what Active Directory refuses and these modules could get wrong: two objects of one name, an enabled account
without a password, an object below a missing one, a member that doesn't exist, a value deleted that isn't there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from facility.directory import names
from facility.directory.port import Entry, Operation, Scope
from facility.directory.server import DirectoryError

BASE = "DC=imaging,DC=example,DC=org"
UNITS = ("people", "groups", "services", "instruments")


class FakeDirectory:
    """Objects by normalised DN; writes holds what was done, searches how often it was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, dict[str, list[bytes]]]] = {}
        self.writes: list[str] = []
        self.searches = 0
        self.failures: dict[str, DirectoryError] = {}  # part of a DN -> what a write there raises
        self.passwords: dict[str, str] = {}  # login -> password
        self.put("", objectClass="top", defaultNamingContext=BASE, namingContexts=BASE)
        self.put(BASE, objectClass="domainDNS", maxPwdAge="-36288000000000", minPwdLength="7", pwdProperties="17")
        for unit in UNITS:
            self.put(f"OU={unit},{BASE}", objectClass="organizationalUnit", ou=unit)

    def put(self, dn: str, **attributes: str | bytes | Sequence[str | bytes]) -> None:
        """Prepare an object, unchecked."""
        lists = {n.lower(): [v] if isinstance(v, (str, bytes)) else list(v) for n, v in attributes.items()}
        stored = {n: [v.encode() if isinstance(v, str) else v for v in values] for n, values in lists.items()}
        self.objects[names.normalised(dn)] = (dn, stored)

    def put_account(self, login: str, **attributes: str) -> str:
        """Prepare an account; its DN."""
        dn = f"CN={login},OU=people,{BASE}"
        defaults = {"userAccountControl": "512", "accountExpires": "0"}
        self.put(dn, objectClass="user", cn=login, sAMAccountName=login, **{**defaults, **attributes})
        return dn

    def text(self, dn: str, attribute: str) -> str | None:
        """One value, None if there is none."""
        entry = self.read(dn, ["*"])
        assert entry is not None, f"{dn} should exist"
        return entry.text(attribute.lower())

    def members(self, group: str) -> set[str]:
        """The logins and names of a group's members."""
        entry = self.read(f"CN={group},OU=groups,{BASE}", ["*"])
        assert entry is not None, f"group {group} should exist"
        return {dn.split(",", maxsplit=1)[0].removeprefix("CN=") for dn in entry.texts("member")}

    def search(self, base: str, condition: str, attributes: Iterable[str], scope: Scope = "subtree") -> list[Entry]:
        """See DirectoryPort."""
        self.searches += 1
        del attributes  # a server may send more than was asked for
        top = names.normalised(base)
        if top not in self.objects:
            raise DirectoryError("not_found", f"fake: the search under {base}: create it first")
        holds = _parsed(condition)
        return [
            Entry(dn, attributes)
            for key, (dn, attributes) in self.objects.items()
            if _in_scope(key, top, scope) and holds(attributes, self)
        ]

    def read(self, dn: str, attributes: Iterable[str] = ()) -> Entry | None:
        """See DirectoryPort."""
        del attributes
        found = self.objects.get(names.normalised(dn))
        return Entry(*found) if found else None

    def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """See DirectoryPort."""
        self._write("add", dn)
        key = names.normalised(dn)
        stored = {name.lower(): list(values) for name, values in attributes.items()}
        login = stored.get("samaccountname", [b""])[0]
        taken = login and any(
            o.get("samaccountname", [b""])[0].lower() == login.lower() for _, o in self.objects.values()
        )
        parent = key.partition(",")[2]
        if key in self.objects or taken or parent not in self.objects:
            raise DirectoryError("rejected", f"fake rejects creating {dn}: exists already, or its parent doesn't")
        enabled = stored.get("useraccountcontrol") == [b"512"]
        if stored["objectclass"] == [b"user"] and enabled and "unicodepwd" not in stored:
            raise DirectoryError("rejected", f"fake rejects creating {dn}: enabled without a password")
        rdn, value = dn.split(",", maxsplit=1)[0].split("=", maxsplit=1)
        stored.setdefault(rdn.lower(), [value.encode()])
        self._keep_password(stored)
        self.objects[key] = (dn, stored)

    def modify(self, dn: str, operations: Sequence[Operation]) -> None:
        """See DirectoryPort."""
        self._write("modify", dn)
        _, stored = self.objects[names.normalised(dn)]
        for operation, name, values in operations:
            current = stored.setdefault(name.lower(), [])
            if name == "member" and any(names.normalised(v.decode()) not in self.objects for v in values):
                raise DirectoryError("rejected", f"fake rejects changing {dn}: no such member")
            if operation == "replace":
                stored[name.lower()] = list(values)
            elif operation == "add":
                current.extend(values)
            else:
                for value in values:
                    current.remove(value)
            if not stored[name.lower()]:
                del stored[name.lower()]
        self._keep_password(stored)

    def move(self, dn: str, unit: str) -> str:
        """See DirectoryPort."""
        self._write("move", dn)
        if names.normalised(unit) not in self.objects:
            raise DirectoryError("rejected", f"fake rejects moving {dn}: {unit} isn't there")
        old, new = names.normalised(dn), f"{names.first(dn)},{unit}"
        self.objects[names.normalised(new)] = (new, self.objects.pop(old)[1])
        for _, stored in self.objects.values():
            if "member" in stored:
                stored["member"] = [
                    new.encode() if names.normalised(v.decode()) == old else v for v in stored["member"]
                ]
        return new

    def delete(self, dn: str) -> None:
        """See DirectoryPort."""
        self._write("delete", dn)
        del self.objects[names.normalised(dn)]

    def accepts(self, name: str, password: str) -> bool:
        """See DirectoryPort."""
        login = self.text(name, "sAMAccountName") if names.is_dn(name) else name.partition("@")[0]
        return bool(password) and self.passwords.get(login or "") == password

    def bound_as(self) -> str:
        """See DirectoryPort."""
        return "u:IMAGING\\Administrator"

    def _write(self, what: str, dn: str) -> None:
        for part, error in self.failures.items():
            if part in dn:
                raise error
        self.writes.append(f"{what} {dn}")

    def _keep_password(self, stored: dict[str, list[bytes]]) -> None:
        if "unicodepwd" in stored:
            password = stored.pop("unicodepwd")[0].decode("utf-16-le")
            self.passwords[stored["samaccountname"][0].decode()] = password.removeprefix('"').removesuffix('"')


def _in_scope(key: str, top: str, scope: Scope) -> bool:
    if scope == "base":
        return key == top
    if scope == "one":
        return key.partition(",")[2] == top and key != top
    return key == top or key.endswith(f",{top}")


class _Condition:
    """A filter as a tree: its operator and parts, or its attribute and value."""

    def __init__(self, operator: str, parts: list[_Condition], attribute: str = "", value: str = "") -> None:
        self.operator, self.parts, self.attribute, self.value = operator, parts, attribute, value

    def __call__(self, attributes: Mapping[str, Sequence[bytes]], directory: FakeDirectory) -> bool:
        held = (part(attributes, directory) for part in self.parts)
        if self.operator == "&":
            return all(held)
        if self.operator == "|":
            return any(held)
        if self.operator == "!":
            return not next(held)
        name, _, rule = self.attribute.lower().partition(":")
        values = [value.decode(errors="replace").lower() for value in attributes.get(name, ())]
        if name == "objectcategory":  # person and group are all that is asked for here
            wanted = "user" if self.value == "person" else self.value
            return wanted.encode() in attributes.get("objectclass", ())
        if self.value == "*":
            return bool(values) or name == "objectclass"
        assert not rule or rule.startswith("1.2.840.113556.1.4.1941"), f"unknown matching rule {rule}"
        return self.value.lower() in values


def _parsed(text: str) -> _Condition:
    condition, rest = _next(text)
    assert not rest, f"filter {text} has {rest} too much"
    return condition


def _next(text: str) -> tuple[_Condition, str]:
    assert text.startswith("("), f"filter {text} must begin with a parenthesis"
    if text[1] in "&|!":
        parts, rest = [], text[2:]
        while rest.startswith("("):
            part, rest = _next(rest)
            parts.append(part)
        return _Condition(text[1], parts), rest[1:]
    inner, rest = text[1:].split(")", maxsplit=1)
    attribute, value = inner.split("=", maxsplit=1)
    unescaped = re.sub(r"(?:\\[0-9a-fA-F]{2})+", _bytes, value)
    return _Condition("=", [], attribute, unescaped), rest


def _bytes(match: re.Match[str]) -> str:
    return bytes.fromhex(match.group().replace("\\", "")).decode()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizational units directly below one object of the directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.plan import Attributes, Change, Plan, plan
from . import names as directory_names
from .port import DirectoryPort, Entry
from .server import DirectoryError


class UnitsTask:
    """Units as the options of directory_ou describe them."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._units: list[dict[str, Any]] = params["ous"]
        self._base: str = params["base"]
        self._entries: dict[str, Entry] = {}

    def plan(self, directory: DirectoryPort) -> Plan:
        """See DirectoryTask."""
        names = [unit["name"].lower() for unit in self._units]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DirectoryError("rejected", f'two units have the name "{twice[0]}": leave one out')
        try:
            directory_names.normalised(self._base)
        except ValueError as error:
            raise DirectoryError("rejected", f"base: {error}") from None
        entries = directory.search(self._base, "(objectClass=organizationalUnit)", ["ou", "description"], "one")
        self._entries = {(entry.text("ou") or "").lower(): entry for entry in entries}
        got: dict[str, Attributes] = {}
        wanted: dict[str, Attributes | None] = {}
        for unit in self._units:
            entry = self._entries.get(unit["name"].lower())
            if entry:
                got[unit["name"]] = {"description": entry.text("description")}
            given = unit["description"]
            wanted[unit["name"]] = {} if given is None else {"description": given}
        return plan(got, wanted)

    def apply(self, directory: DirectoryPort, change: Change) -> None:
        """See DirectoryTask."""
        description = change.after.get("description")
        values = [str(description).encode()] if description else []
        if change.action == "create":
            attributes = {"objectClass": [b"organizationalUnit"]}
            if values:
                attributes["description"] = values
            directory.add(directory_names.child("OU", change.key, self._base), attributes)
        else:
            directory.modify(self._entries[change.key.lower()].dn, [("replace", "description", values)])

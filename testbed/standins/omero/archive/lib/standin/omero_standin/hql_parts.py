# SPDX-License-Identifier: GPL-3.0-or-later
"""What a query is made of: who asks, what is selected, which name means which table, and how tables hang together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omero_standin.schema import CREATION, GROUP, PERSON, TABLES

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<parameter>:\w+)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign><=|>=|<>|!=|\|\||[-+*/=<>(),]))"
)
_DETAILS = {
    "owner": (PERSON, "Experimenter"),
    "group": (GROUP, "ExperimenterGroup"),
    "creationEvent": (CREATION, "Event"),
    "updateEvent": (CREATION, "Event"),
}


class QueryError(Exception):
    """A query says something that the stand-in does not understand."""


@dataclass(frozen=True)
class Viewer:
    """Who asks: sees all, or what he owns and what is in groups that let their members read; in one group or all."""

    user: int
    sees_all: bool
    readable_groups: tuple[int, ...]
    group: int | None

    def condition(self, alias: str) -> str:
        """Return the SQL condition that lets this viewer's rows through."""
        parts = []
        if not self.sees_all:
            groups = ",".join(map(str, self.readable_groups)) or "-1"
            parts.append(f"({alias}.{PERSON} = {self.user} OR {alias}.{GROUP} IN ({groups}))")
        if self.group is not None:
            parts.append(f"{alias}.{GROUP} = {self.group}")
        return " AND ".join(parts)


@dataclass(frozen=True)
class Item:
    """One thing that is selected: a value, or (with its class) an object by its id; named inside `new map`."""

    sql: str
    entity: str = ""
    name: str = ""


@dataclass
class Query:
    """A finished translation.

    Attributes:
        sql: with parameters as :name.
        items: what each column is.
        as_map: whether the columns belong into one map.
    """

    sql: str
    items: list[Item]
    as_map: bool


@dataclass
class Scope:
    """The aliases of one select, inside those of the selects around it."""

    parent: "Scope | None"
    counter: list[int]
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    implicit: dict[tuple[str, str], str] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)

    def find(self, alias: str) -> "tuple[Scope, str, str] | None":
        scope: Scope | None = self
        while scope:
            if alias in scope.aliases:
                return scope, *scope.aliases[alias]
            scope = scope.parent
        return None

    def new_alias(self) -> str:
        self.counter[0] += 1
        return f"t{self.counter[0]}"


def reference(entity: str, alias: str, attribute: str) -> tuple[str, str]:
    """Return the SQL of a reference and the class that it points to."""
    table = TABLES[entity]
    if attribute in table.references:
        return f'{alias}."{attribute.lower()}"', table.references[attribute]
    if attribute in _DETAILS and table.owned:
        column, target = _DETAILS[attribute]
        return f"{alias}.{column}", target
    raise QueryError(f"{entity} has no {attribute}")


def joined(entity: str, alias: str, attribute: str) -> tuple[str, str]:
    """Return the class at the other end and the condition, with {new} for its alias."""
    if attribute in TABLES[entity].collections:
        target, back = TABLES[entity].collections[attribute]
        return target, f'{{new}}."{back.lower()}" = {alias}.id'
    sql, target = reference(entity, alias, attribute)
    return target, f"{{new}}.id = {sql}"


def tokens(text: str) -> Iterator[str]:
    """Yield the words and signs of a query."""
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise QueryError(f"cannot read {text[position : position + 20]!r}")
        yield match.group(match.lastgroup or 0)
        position = match.end()

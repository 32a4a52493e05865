# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there (got) and what should be (wanted) to a plan of changes.

Knows no Ansible and no network. A state maps the name of an object ("aadler") to its attributes ("mail": ...).
An attribute that is missing, None, "" or () is the same thing: not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is written, but never compared (equal to nothing else) and never shown."""

    value: str | None
    shown: str = "(not shown)"

    def __repr__(self) -> str:
        return f"Secret({self.shown})"


Value = str | int | bool | tuple[str, ...] | Secret | None
Attributes = Mapping[str, Value]
State = Mapping[str, Attributes]


@dataclass(frozen=True, slots=True)
class Change:
    """One object's change; before and after hold only the attributes that differ."""

    key: str
    action: Literal["create", "update", "delete"]
    before: Attributes
    after: Attributes


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they should be made, and how many wanted objects need none."""

    changes: tuple[Change, ...]
    unchanged: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.changes)

    def keys(self, action: Literal["create", "update", "delete"]) -> list[str]:
        """The names of the objects with this action, in the plan's order."""
        return [change.key for change in self.changes if change.action == action]

    def diff(self) -> dict[str, str]:
        """Ansible's before/after form: sorted, YAML-like text of what differs, without secrets."""
        ordered = sorted(self.changes, key=lambda change: change.key)
        return {
            "before": "".join(_text(change.key, change.before) for change in ordered if change.action != "create"),
            "after": "".join(_text(change.key, change.after) for change in ordered if change.action != "delete"),
        }


def plan(got: State, wanted: Mapping[str, Attributes | None]) -> Plan:
    """Plan the way from got to wanted.

    Args:
        got: What is there. Objects and attributes that aren't in wanted are left alone.
        wanted: The attributes an object should have; None for an object that should not be there.

    Returns:
        Creations, updates and deletions, in the order of wanted.
    """
    changes = []
    for key, attributes in wanted.items():
        current = got.get(key)
        if attributes is None:
            if current is not None:
                changes.append(Change(key, "delete", dict(current), {}))
        elif current is None:
            changes.append(Change(key, "create", {}, {n: v for n, v in attributes.items() if not _missing(v)}))
        else:
            differing = [name for name, value in attributes.items() if not _same(current.get(name), value)]
            if differing:
                before = {name: current.get(name) for name in differing}
                changes.append(Change(key, "update", before, {name: attributes[name] for name in differing}))
    return Plan(tuple(changes), unchanged=len(wanted) - len(changes))


def applied(got: State, changes: Iterable[Change]) -> dict[str, dict[str, Value]]:
    """The state after the changes, as if they had been made."""
    state = {key: dict(attributes) for key, attributes in got.items()}
    for change in changes:
        if change.action == "delete":
            del state[change.key]
        else:
            merged = {**state.get(change.key, {}), **change.after}
            state[change.key] = {name: value for name, value in merged.items() if not _missing(value)}
    return state


def membership(
    current: Collection[str],
    *,
    add: Collection[str] | None = None,
    remove: Collection[str] | None = None,
    set: Collection[str] | None = None,
) -> tuple[list[str], list[str]]:
    """Which members to add and which to remove, both sorted.

    Args:
        current: The members now, in the same spelling as the other lists.
        add: Must be members; others stay.
        remove: Must not be members; others stay.
        set: Exactly these are members (an empty list: nobody). Excludes add and remove.

    Raises:
        ValueError: If set is given with add or remove, or a name is to be both added and removed.
    """
    now = frozenset(current)
    if set is not None:
        if add or remove:
            raise ValueError("members: give either set, or add and remove, not both")
        return sorted(frozenset(set) - now), sorted(now - frozenset(set))
    both = sorted(frozenset(add or ()) & frozenset(remove or ()))
    if both:
        raise ValueError(f"members: {', '.join(both)} can't be in both add and remove")
    return sorted(frozenset(add or ()) - now), sorted(frozenset(remove or ()) & now)


def _missing(value: Value) -> bool:
    return value is None or value in {"", ()}


def _same(one: Value, other: Value) -> bool:
    return one == other or (_missing(one) and _missing(other))


def _text(key: str, attributes: Attributes) -> str:
    lines = [f"{key}:\n"]
    for name in sorted(attributes):
        value = attributes[name]
        if isinstance(value, tuple) and value:
            lines.append(f"  {name}:\n" + "".join(f"    - {item}\n" for item in value))
        elif not _missing(value):
            lines.append(f"  {name}: {_scalar(value)}\n")
    return "".join(lines)


def _scalar(value: Value) -> str:
    if isinstance(value, Secret):
        return value.shown
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)

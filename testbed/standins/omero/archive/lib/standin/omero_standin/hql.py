# SPDX-License-Identifier: GPL-3.0-or-later
"""Hibernate's query language as far as OMERO's clients speak it, turned into SQL over the tables of schema.py."""

import re

from omero_standin.hql_parts import Item, Query, QueryError, Scope, Viewer, joined, reference, tokens
from omero_standin.schema import GROUP, TABLES

__all__ = ["Item", "Query", "QueryError", "Viewer", "translate"]

_CLASSES = {name.lower(): name for name in TABLES}
_STOP = {"where", "order", "group", "left", "right", "inner", "outer", "join", "fetch", "with", "on", "having", "cross"}


class _Translator:
    def __init__(self, text: str, viewer: Viewer, lists: set[str]) -> None:
        self.tokens = list(tokens(text))
        self.at = 0
        self.viewer = viewer
        self.lists = lists
        self.counter = [0]

    # --- reading --------------------------------------------------------------------------------------------------
    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def word(self, ahead: int = 0) -> str:
        return self.peek(ahead).lower()

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise QueryError("the query ends too early")
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        if tuple(self.word(index) for index in range(len(words))) == words:
            self.at += len(words)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise QueryError(f"expected {word!r}, found {self.peek()!r}")

    # --- a whole select -------------------------------------------------------------------------------------------
    def select(self, parent: Scope | None) -> Query:
        scope = Scope(parent, self.counter)
        start = None
        distinct = False
        if self.accept("select"):
            distinct = self.accept("distinct")
            start = self.at
            self._skip_to_from()
        self.expect("from")
        self._from(scope)
        conditions = [self.viewer.condition(alias) for alias in scope.roots]
        if self.accept("where"):
            conditions.append(self.expression(scope))
        tail = self._tail(scope)
        end = self.at
        if start is None:
            first = next(iter(scope.aliases.values()))
            items, as_map = [Item(f"{first[1]}.id", first[0])], False
        else:
            self.at = start
            items, as_map = self._items(scope)
            self.at = end
        where = " AND ".join(f"({condition})" for condition in conditions if condition)
        sql = f"SELECT {'DISTINCT ' if distinct else ''}{', '.join(item.sql for item in items)}"
        sql += f" FROM {' '.join(scope.tables)}" + (f" WHERE {where}" if where else "") + tail
        return Query(sql, items, as_map)

    def _skip_to_from(self) -> None:
        depth = 0
        while depth or self.word() != "from":
            token = self.take()
            depth += (token == "(") - (token == ")")

    def _from(self, scope: Scope) -> None:
        while True:
            name = self.take()
            if name.lower() not in _CLASSES:
                raise QueryError(f"no class {name}")
            alias = self._alias(scope, _CLASSES[name.lower()])
            separator = " CROSS JOIN " if scope.tables else ""
            scope.tables.append(f"{separator}{name.lower()} {alias}")
            if TABLES[_CLASSES[name.lower()]].owned:
                scope.roots.append(alias)
            while self._join(scope):
                pass
            if not self.accept(","):
                return

    def _alias(self, scope: Scope, entity: str) -> str:
        alias = scope.new_alias()
        scope.aliases[self._name() or alias] = (entity, alias)
        return alias

    def _name(self) -> str:
        self.accept("as")
        if self.peek() and re.fullmatch(r"\w+", self.peek()) and self.word() not in _STOP:
            return self.take()
        return ""

    def _join(self, scope: Scope) -> bool:
        kind = "JOIN"
        if self.accept("left", "outer", "join") or self.accept("left", "join"):
            kind = "LEFT JOIN"
        elif not (self.accept("inner", "join") or self.accept("join")):
            return False
        fetch = self.accept("fetch")
        parts = self.take().split(".")
        found = scope.find(parts[0])
        if found is None:
            raise QueryError(f"no alias {parts[0]}")
        _, entity, alias = found
        for part in parts[1:-1]:
            if part != "details":
                entity, alias = self._step(scope, entity, alias, part)
        try:
            target, condition = joined(entity, alias, parts[-1])
        except QueryError:
            if not (fetch and kind == "LEFT JOIN"):
                raise
            # To load more, where there is any: the stand-in has none of it. The alias, if any, is this object's.
            scope.aliases[self._name()] = (entity, alias)
            return True
        new = self._alias(scope, target)
        if self.accept("with"):
            condition += f" AND {self.expression(scope)}"
        scope.tables.append(f"{kind} {target.lower()} {new} ON {condition.format(new=new)}")
        return True

    def _items(self, scope: Scope) -> tuple[list[Item], bool]:
        if self.accept("new", "map"):
            self.expect("(")
            items = self._item_list(scope)
            self.expect(")")
            return items, True
        return self._item_list(scope), False

    def _item_list(self, scope: Scope) -> list[Item]:
        items = []
        while True:
            entity = self._entity(scope)
            sql = self.expression(scope)
            name = self.take() if self.accept("as") else ""
            items.append(Item(sql, entity, name))
            if not self.accept(","):
                return items

    def _entity(self, scope: Scope) -> str:
        """Return the class when the next expression is an object alone and not a value."""
        if self.word(1) not in {",", "from", "as", ")", ""} or not re.match(r"[A-Za-z_]", self.peek()):
            return ""
        return self._path(scope, self.peek())[1]

    def _tail(self, scope: Scope) -> str:
        tail = ""
        if self.accept("group", "by"):
            tail += " GROUP BY " + self._list(scope)
        if self.accept("order", "by"):
            tail += " ORDER BY " + self._list(scope)
        return tail

    def _list(self, scope: Scope) -> str:
        parts = []
        while True:
            part = self.expression(scope)
            if self.word() in {"asc", "desc"}:
                part += f" {self.take().upper()}"
            parts.append(part)
            if not self.accept(","):
                return ", ".join(parts)

    # --- expressions, from weak to strong binding -----------------------------------------------------------------
    def expression(self, scope: Scope) -> str:
        left = self._conjunction(scope)
        while self.accept("or"):
            left = f"({left} OR {self._conjunction(scope)})"
        return left

    def _conjunction(self, scope: Scope) -> str:
        left = self._negation(scope)
        while self.accept("and"):
            left = f"{left} AND {self._negation(scope)}"
        return left

    def _negation(self, scope: Scope) -> str:
        if self.accept("not"):
            return f"NOT ({self._negation(scope)})"
        if self.accept("exists"):
            self.expect("(")
            inner = self.select(scope).sql
            self.expect(")")
            return f"EXISTS ({inner})"
        return self._comparison(scope)

    def _comparison(self, scope: Scope) -> str:
        left = self._sum(scope)
        if self.peek() in {"=", "<", ">", "<=", ">=", "<>", "!="}:
            return f"{left} {self.take()} {self._sum(scope)}"
        if self.accept("is"):
            return f"{left} IS {'NOT ' if self.accept('not') else ''}{self.take().upper()}"
        negated = "NOT " if self.accept("not") else ""
        if self.accept("like"):
            return f"{left} {negated}LIKE {self._sum(scope)}"
        if self.accept("in"):
            return f"{negated}{left} {self._members(scope)}"
        return left

    def _members(self, scope: Scope) -> str:
        brackets = self.accept("(")
        if self.word() == "select":
            inner = f"IN ({self.select(scope).sql})"
        elif self.peek().startswith(":") and self.peek()[1:] in self.lists:
            inner = f"= ANY({self.primary(scope)})"
        else:
            parts = [self._sum(scope)]
            while self.accept(","):
                parts.append(self._sum(scope))
            inner = f"IN ({', '.join(parts)})"
        if brackets:
            self.expect(")")
        return inner

    def _sum(self, scope: Scope) -> str:
        left = self.primary(scope)
        while self.peek() in {"+", "-", "*", "/", "||"}:
            left = f"{left} {self.take()} {self.primary(scope)}"
        return left

    def primary(self, scope: Scope) -> str:
        token = self.take()
        if token == "(":
            inner = self.select(scope).sql if self.word() == "select" else self.expression(scope)
            self.expect(")")
            return f"({inner})"
        if token.startswith(":"):
            return f"CAST(:{token[1:]} AS bigint[])" if token[1:] in self.lists else token
        if token[0] in "'-" or token[0].isdigit() or token.lower() in {"true", "false", "null"}:
            return token
        if token.lower() == "case":
            return self._case(scope)
        if self.peek() == "(":
            return self._call(scope, token)
        return self._path(scope, token)[0]

    def _case(self, scope: Scope) -> str:
        parts = ["CASE"]
        while self.accept("when"):
            parts.append(f"WHEN {self.expression(scope)}")
            self.expect("then")
            parts.append(f"THEN {self.expression(scope)}")
        if self.accept("else"):
            parts.append(f"ELSE {self.expression(scope)}")
        self.expect("end")
        return " ".join([*parts, "END"])

    def _call(self, scope: Scope, name: str) -> str:
        self.expect("(")
        if name.lower() not in {"count", "lower", "upper", "max", "min", "sum", "coalesce", "length"}:
            raise QueryError(f"no function {name}")
        distinct = "DISTINCT " if self.accept("distinct") else ""
        if self.accept("*"):
            inner = "*"
        else:
            inner = self.expression(scope)
            while self.accept(","):
                inner += f", {self.expression(scope)}"
        self.expect(")")
        return f"{name.upper()}({distinct}{inner})"

    # --- paths ----------------------------------------------------------------------------------------------------
    def _path(self, scope: Scope, path: str) -> tuple[str, str]:
        """Return (SQL, class or ""): the class when the path ends at an object, whose id the SQL then is."""
        parts = path.split(".")
        found = scope.find(parts[0])
        if found is None:
            # An attribute without its alias, as in: select count(id) from Image i
            first = next(iter(scope.aliases), None)
            if first is None:
                raise QueryError(f"no alias {parts[0]}")
            parts.insert(0, first)
            found = scope.find(first)
            assert found
        owner, entity, alias = found
        if len(parts) == 1:
            return f"{alias}.id", entity
        for part in parts[1:-1]:
            if part != "details":
                # `x.y.id` is the column y of x: no need to visit y.
                if parts[-1] == "id" and part == parts[-2]:
                    return reference(entity, alias, part)[0], ""
                entity, alias = self._step(owner, entity, alias, part)
        last = parts[-1]
        table = TABLES[entity]
        if last == "id":
            return f"{alias}.id", ""
        if last == "permissions":
            return f"{alias}.{GROUP}", ""
        if last in table.columns:
            return f'{alias}."{last.lower()}"', ""
        sql, target = reference(entity, alias, last)
        return sql, target

    def _step(self, scope: Scope, entity: str, alias: str, part: str) -> tuple[str, str]:
        target, condition = joined(entity, alias, part)
        known = scope.implicit.get((alias, part))
        if known is None:
            known = scope.new_alias()
            scope.implicit[(alias, part)] = known
            scope.tables.append(f"LEFT JOIN {target.lower()} {known} ON {condition.format(new=known)}")
        return target, known


def translate(text: str, viewer: Viewer, lists: set[str]) -> Query:
    """Return SQL for an HQL query.

    Args:
        text: the query.
        viewer: who asks; rows that he may not see are left out.
        lists: the names of parameters that are lists.

    Raises:
        QueryError: for what the stand-in does not understand, naming it.
    """
    translator = _Translator(text, viewer, lists)
    query = translator.select(None)
    if translator.peek():
        raise QueryError(f"cannot read from {translator.peek()!r} on")
    return query

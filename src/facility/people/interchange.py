# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as text: JSON Lines for machines, a folder of YAML for people. Both have the same entries.

JSON Lines: a first line with the schema, a line a fact, sorted, and a last line with their number. Each line carries a
sum over itself and the line before it, so that what was changed, moved, left out or cut off is found, with its number.
The sum is against accidents: who can write the file can make it anew. Against those stand the rules, and how it comes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any

from .entries import RegisterError, entries, hint
from .fact_fields import KIND_OF_FACT, KIND_OF_KEY, KIND_OF_NAME, entry_of, fact_of, fields_of
from .facts import Facts, Person
from .policy import Policy
from .register import document_of
from .register_fields import check_fields
from .validation import Entry, validated

SCHEMA = 1
FACTS_FOLDER = "facts"
# A person's names, mail and reasons; nothing of ours is near that.
LONGEST_LINE = 20_000


def written(facts: Facts) -> str:
    """All facts as JSON Lines. IT administrators are not among them: people.yml alone makes one."""
    lines: list[str] = []
    bodies = [{"fact": KIND_OF_FACT[type(fact)].name, **entry_of(fact)} for fact in facts.all]
    before = ""
    for body in [{"schema": SCHEMA}, *bodies, {"facts": len(bodies)}]:
        before = _sum(before, body)
        lines.append(_canonical({**body, "sum": before}) + "\n")
    return "".join(lines)


def read_lines(
    text: str, policy: Policy, administrators: Iterable[Person] = (), today: date | None = None, *, name: str = "export"
) -> Facts:
    """The facts of JSON Lines that written made.

    Args:
        text: The lines.
        policy: What the facts must fit.
        administrators: IT administrators, whom people.yml knows and no export.
        today: Nothing can have been recorded later; None: not looked at.
        name: What problems call the text.

    Raises:
        RegisterError: The first line that is not as it was written, or all problems of the facts.
    """
    return validated(_entries_of_lines(text, name), administrators, policy, today, exported=True)


def people_in(text: str, name: str = "export") -> list[Person]:
    """Who stands in JSON Lines. Everything else is not looked at: read_lines does that, with the policy.

    Raises:
        RegisterError: The first line that is not as it was written, or all problems with people's entries.
    """
    people = [(place, entry) for place, kind, entry in _entries_of_lines(text, name) if kind.make is Person]
    fields = fields_of(KIND_OF_FACT[Person])
    problems = [f"{place}: {problem}" for place, entry in people for problem in check_fields(entry, fields)]
    if problems:
        raise RegisterError(problems)
    found = [fact_of(KIND_OF_FACT[Person], entry) for _, entry in people]
    return [one for one in found if isinstance(one, Person) and one.known_on(None)]


def _entries_of_lines(text: str, name: str) -> list[Entry]:
    lines = text.split("\n")
    if lines.pop():
        raise RegisterError([f"{name}, line {len(lines) + 1}: is cut off: fetch the whole file again"])
    found: list[Entry] = []
    before, ended = "", False
    for number, line in enumerate(lines, start=1):
        place = f"{name}, line {number}"
        body = _body(place, line)
        claimed, before = body.pop("sum", None), _sum(before, {key: body[key] for key in body if key != "sum"})
        if claimed != before or _canonical({**body, "sum": claimed}) != line:
            raise RegisterError([f"{place}: isn't as it was written: fetch the file again, and ask who changed it"])
        if number == 1:
            if body != {"schema": SCHEMA}:
                cure = "write it with this version, or read it with the one that wrote it"
                raise RegisterError([f"{place}: schema is {body.get('schema')}, must be {SCHEMA}: {cure}"])
        elif ended:
            raise RegisterError([f"{place}: comes after the last line: fetch the file again"])
        elif set(body) == {"facts"}:
            ended = True
            if body["facts"] != number - 2:
                raise RegisterError([f"{place}: {number - 2} facts are there, {body['facts']} were written"])
        else:
            kind = KIND_OF_NAME.get(str(body.pop("fact", None)))
            if kind is None:
                raise RegisterError([f"{place}: is no fact that this version knows: {', '.join(KIND_OF_NAME)}"])
            found.append((f'{place} (id "{body.get("id")}")', kind, body))
    if not ended:
        raise RegisterError([f"{name}, line {len(lines) + 1}: the last line is missing: fetch the whole file again"])
    return found


def read_folder(folder: Path, register: Iterable[Person], policy: Policy, today: date | None = None) -> Facts:
    """The facts of a register's folder: people.yml's people, and facts/*.yml, if it is there.

    Args:
        folder: The register's folder.
        register: The people of its people.yml.
        policy: What the facts must fit.
        today: Nothing can have been recorded later; None: not looked at.

    Raises:
        RegisterError: With all problems.
    """
    problems: list[str] = []
    found: list[Entry] = []
    for file in sorted((folder / FACTS_FOLDER).glob("*.yml")):
        found.extend(_entries_of(problems, file))
    try:
        facts = validated(found, register, policy, today)
    except RegisterError as error:
        raise RegisterError([*problems, *error.problems]) from None
    if problems:
        raise RegisterError(problems)
    return facts


def _sum(before: str, body: dict[str, Any]) -> str:
    return blake2b((before + _canonical(body)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _body(place: str, line: str) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise RegisterError([f"{place}: is longer than {LONGEST_LINE} characters: no fact is"])
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        raise RegisterError([f"{place}: is no JSON: fetch the file again"]) from None
    if not isinstance(body, dict):
        raise RegisterError([f"{place}: must be keys and values: fetch the file again"])
    return body


def _entries_of(problems: list[str], file: Path) -> Iterator[Entry]:
    shown = f"{file.parent.name}/{file.name}"
    try:
        document = document_of(file, shown, "was removed meanwhile: start again")
    except RegisterError as error:
        problems.extend(error.problems)
        return
    if document is None:
        return
    if not isinstance(document, dict):
        problems.append(f"{shown}: must have keys at its top, of {', '.join(KIND_OF_KEY)}: write sessions: and a list")
        return
    for key, listed in document.items():
        kind = KIND_OF_KEY.get(str(key))
        if kind is None:
            problems.append(f'{shown}: unknown key "{key}": {hint(str(key), KIND_OF_KEY)}')
            continue
        for place, entry in entries(problems, f"{shown}, {key}", listed, optional=True):
            yield place, kind, entry

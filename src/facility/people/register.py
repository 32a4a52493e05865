# SPDX-License-Identifier: GPL-3.0-or-later
"""The people register and the facility's own data: read strictly, refused with every problem at once.

A problem is one line: file, entry, what is wrong, the cure.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import yaml

from .entries import Located, RegisterError, checked, entries, refuse_twice
from .person_fields import KINDS, group_problems, person_fields
from .policy_fields import facility_entries

__all__ = ["PEOPLE_FILE", "RegisterError", "document_of", "parsed", "read", "validated"]

PEOPLE_FILE = "people.yml"


_PERSON = person_fields(KINDS)


def validated(people_file: str, document: object, facility: Mapping[str, Any]) -> dict[str, Any]:
    """Check parsed data.

    Args:
        people_file: The name to put into messages, like "register/people.yml".
        document: The parsed file: {"people": [{login, given_name, ...}, ...]}.
        facility: {"research_groups": [{name, title, omero}], "instruments": [{name, title, host, location, biosafety}],
            "time_zone": "Europe/Berlin"}.

    Returns:
        people (sorted by login, with every key; research_group and valid_until may be None, valid_until is a string
        YYYY-MM-DD), research_groups, instruments, time_zone.

    Raises:
        RegisterError: With all problems.
    """
    problems: list[str] = []
    groups, instruments = facility_entries(problems, facility)
    people = checked(problems, _people(problems, people_file, document), _PERSON)
    group_names = [group["name"] for _, group in groups if isinstance(group.get("name"), str)]
    for place, person in people:
        problems.extend(f"{place}: {problem}" for problem in group_problems(person, group_names))
    refuse_twice(problems, people, "login")
    refuse_twice(problems, people, "mail")
    if problems:
        raise RegisterError(problems)
    return {
        "people": sorted((_complete(person) for _, person in people), key=lambda person: str(person["login"])),
        "research_groups": [dict(group) for _, group in groups],
        "instruments": [dict(instrument) for _, instrument in instruments],
        "time_zone": facility["time_zone"],
    }


def read(folder: Path, facility: Mapping[str, Any]) -> dict[str, Any]:
    """The validated register in a folder; see validated.

    Raises:
        RegisterError: Also if people.yml is missing or no YAML.
    """
    shown = f"{folder.name}/{PEOPLE_FILE}"
    missing = f"there is no such file in {folder}: create it, or mend path"
    return validated(shown, document_of(folder / PEOPLE_FILE, shown, missing), facility)


def document_of(file: Path, shown: str, missing: str) -> object:
    """The document in a YAML file.

    Args:
        file: The file.
        shown: What problems call it.
        missing: What is wrong if it isn't there, and the cure.

    Raises:
        RegisterError: If there is no such file, or it can't be read, or is no YAML.
    """
    try:
        return parsed(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RegisterError([f"{shown}: {missing}"]) from None
    except OSError as error:
        raise RegisterError([f"{shown}: can't be read ({error.strerror}): mend its permissions"]) from None
    except UnicodeDecodeError as error:
        raise RegisterError([f"{shown}: is no UTF-8 text (byte {error.start}): save it as UTF-8"]) from None
    except yaml.YAMLError as error:
        raise RegisterError([f"{shown}{_line_of(error)}: mend the YAML there"]) from None


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML that refuses a key given twice (YAML keeps the last one silently) and leaves dates as they are written."""

    # Without the timestamp resolver, 2026-02-30 stays text and is refused with its entry, not with a bare ValueError.
    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f'"{key.value}" is given twice', key.start_mark)
            seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def parsed(text: str) -> object:
    """The document in a YAML text, with dates as text.

    Raises:
        yaml.YAMLError: With the place in its problem_mark.
    """
    document: object = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    return document


def _people(problems: list[str], file: str, document: object) -> Located:
    if document is None:
        problems.append(f"{file}: is empty: list the facility's people under people:")
        return []
    if not isinstance(document, dict):
        problems.append(f"{file}: must have the key people: at its top: write people: with one list entry a person")
        return []
    for key in document:
        if key != "people":
            close = get_close_matches(str(key), ["people"])
            problems.append(f'{file}: unknown key "{key}": {"did you mean people?" if close else "remove it"}')
    if "people" not in document:
        problems.append(f"{file}: has no people: list the facility's people under people:")
        return []
    return entries(problems, file, document["people"])


def _complete(person: Mapping[str, Any]) -> dict[str, str | None]:
    complete = {field.name: person.get(field.name) for field in _PERSON}
    if complete["valid_until"] is not None:
        complete["valid_until"] = str(complete["valid_until"])
    return complete


def _line_of(error: yaml.YAMLError) -> str:
    """Where and why YAML can't be read, to stand behind the file's name."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f", line {mark.line + 1}" if mark else ""
    return f"{where}: {problem or ' '.join(str(error).split())}"

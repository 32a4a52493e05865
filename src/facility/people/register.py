# SPDX-License-Identifier: GPL-3.0-or-later
"""The people register and the facility's own data: read strictly, refused with every problem at once.

A problem is one line: file, entry, what is wrong, the cure.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import yaml

from .register_fields import Field, check_fields, one_of, text_like

PEOPLE_FILE = "people.yml"
FACILITY_FILE = "group_vars/all/facility.yml"
KINDS = ("researcher", "staff", "it_admin")
BIOSAFETY = ("none", "S1", "S2")
# What members of a research group may do with each other's images.
OMERO_PERMISSIONS = ("private", "read-only", "read-annotate", "read-write")

# sAMAccountName allows more; every system that shares these accounts (POSIX, OMERO, SMB, PPMS) allows this.
_LOGIN = re.compile(r"[a-z]([a-z0-9._-]{0,18}[a-z0-9_-])?")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
# Accounts that every domain or host has already; a person of that name would take them over.
_RESERVED_LOGINS = frozenset({"administrator", "guest", "krbtgt", "nobody", "root", "omero"})

_NAME_CURE = "use 1 to 40 of a-z 0-9 -, beginning with a letter"


class RegisterError(Exception):
    """All problems of a register, one line each."""

    def __init__(self, problems: list[str]) -> None:
        # A line end inside a value must not break a problem's one line.
        self.problems = ["".join(c if c.isprintable() else " " for c in problem) for problem in problems]
        super().__init__("\n".join(self.problems))


def _login(value: str) -> str | None:
    if value in _RESERVED_LOGINS:
        return "is a built-in account's name: choose another"
    return None if _LOGIN.fullmatch(value) else "is no login: use 1 to 20 of a-z 0-9 . _ -, beginning with a letter"


def _day(value: object) -> str | None:
    cure = "write a day like 2026-12-31"
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            return f"is no date: {cure}"
        return None if len(value) == 10 else f"is no date of this form: {cure}"
    return None if isinstance(value, date) and not isinstance(value, datetime) else f"is no date: {cure}"


def _system(value: object) -> str | None:
    return None if isinstance(value, int) and value > 0 else "is no number of PPMS: take it from the instrument's page"


_NAMED = text_like(_NAME, f"is no name: {_NAME_CURE}")
_PERSON = (
    Field("login", required=True, check=_login),
    Field("given_name", required=True),
    Field("family_name", required=True),
    Field("mail", required=True, check=text_like(_MAIL, "is no mail address: write it like name@example.org")),
    Field("kind", required=True, check=one_of(KINDS)),
    Field("research_group"),
    Field("valid_until", types=(str, date), check=_day),
)
_RESEARCH_GROUP = (
    Field("name", required=True, check=_NAMED),
    Field("title", required=True),
    Field("omero", check=one_of(OMERO_PERMISSIONS)),
)
_INSTRUMENT = (
    Field("name", required=True, check=_NAMED),
    Field("title", required=True),
    Field("host", required=True, check=text_like(_HOST, "is no host name: write it like mic1")),
    Field("location", required=True),
    Field("biosafety", required=True, check=one_of(BIOSAFETY)),
    Field("ppms_system_id", types=(int,), check=_system),
)


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
    groups = _entries(problems, f"{FACILITY_FILE}, facility_research_groups", facility.get("research_groups"))
    instruments = _entries(problems, f"{FACILITY_FILE}, facility_instruments", facility.get("instruments"))
    groups = _checked(problems, groups, _RESEARCH_GROUP)
    instruments = _checked(problems, instruments, _INSTRUMENT)
    _refuse_twice(problems, groups, "name")
    _refuse_twice(problems, instruments, "name")
    _refuse_twice(problems, instruments, "host")
    _check_time_zone(problems, facility.get("time_zone"))

    people = _checked(problems, _people(problems, people_file, document), _PERSON)
    group_names = [group["name"] for _, group in groups if isinstance(group.get("name"), str)]
    for place, person in people:
        _check_group(problems, place, person, group_names)
    _refuse_twice(problems, people, "login")
    _refuse_twice(problems, people, "mail")
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
    file = folder / PEOPLE_FILE
    shown = f"{folder.name}/{PEOPLE_FILE}"
    try:
        document = parsed(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RegisterError([f"{shown}: there is no such file in {folder}: create it, or mend path"]) from None
    except OSError as error:
        raise RegisterError([f"{shown}: can't be read ({error.strerror}): mend its permissions"]) from None
    except UnicodeDecodeError as error:
        raise RegisterError([f"{shown}: is no UTF-8 text (byte {error.start}): save it as UTF-8"]) from None
    except yaml.YAMLError as error:
        raise RegisterError([f"{shown}{_line(error)}: mend the YAML there"]) from None
    return validated(shown, document, facility)


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


_Located = list[tuple[str, dict[str, Any]]]


def _people(problems: list[str], file: str, document: object) -> _Located:
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
    return _entries(problems, file, document["people"])


def _entries(problems: list[str], place: str, found: object) -> _Located:
    if not isinstance(found, list) and found is not None:
        problems.append(f"{place}: must be a list, is {type(found).__name__}: begin each entry with a dash")
        return []
    if not found:
        problems.append(f"{place}: has no entries: add at least one")
        return []
    entries: _Located = []
    for number, entry in enumerate(found, start=1):
        if not isinstance(entry, dict):
            problems.append(f'{place}, entry {number}: must be keys and values, is "{entry}": write key: value')
            continue
        named = next((key for key in ("login", "name") if entry.get(key)), None)
        name = f' ({named} "{entry[named]}")' if named else ""
        entries.append((f"{place}, entry {number}{name}", entry))
    return entries


def _checked(problems: list[str], entries: _Located, fields: tuple[Field, ...]) -> _Located:
    for place, entry in entries:
        problems.extend(f"{place}: {problem}" for problem in check_fields(entry, fields))
    return entries


def _check_group(problems: list[str], place: str, person: Mapping[str, Any], known: list[str]) -> None:
    kind, group = person.get("kind"), person.get("research_group")
    if kind == "researcher":
        if group is None:
            problems.append(f"{place}: a researcher needs research_group: one of {', '.join(known)}")
        if person.get("valid_until") is None:
            problems.append(f"{place}: a researcher needs valid_until: the last day of the account, like 2026-12-31")
    elif kind in KINDS and group is not None:
        problems.append(f"{place}: a person of kind {kind} has no research_group: remove it, or set kind: researcher")
    if isinstance(group, str) and group not in known:
        close = get_close_matches(group, known, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"one of {', '.join(known)}"
        cure = f"{hint} (or add it to facility_research_groups in {FACILITY_FILE})"
        problems.append(f'{place}: research_group "{group}" doesn\'t exist: {cure}')


def _refuse_twice(problems: list[str], entries: _Located, key: str) -> None:
    first: dict[str, str] = {}
    for place, entry in entries:
        value = entry.get(key)
        if not isinstance(value, str):
            continue
        if value.lower() in first:
            other = first[value.lower()].rpartition(", ")[2]
            problems.append(f'{place}: {key} "{value}" is also that of {other}: give one of them another {key}')
        else:
            first[value.lower()] = place


def _check_time_zone(problems: list[str], zone: object) -> None:
    cure = "write it like Europe/Berlin"
    try:
        zoneinfo.ZoneInfo(zone if isinstance(zone, str) else "")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(f'{FACILITY_FILE}: facility_time_zone "{zone}" is no time zone: {cure}')


def _complete(person: Mapping[str, Any]) -> dict[str, str | None]:
    complete = {field.name: person.get(field.name) for field in _PERSON}
    if complete["valid_until"] is not None:
        complete["valid_until"] = str(complete["valid_until"])
    return complete


def _line(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f", line {mark.line + 1}" if mark else ""
    return f"{where}: {problem or ' '.join(str(error).split())}"

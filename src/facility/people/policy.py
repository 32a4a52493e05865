# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: what briefings there are, and what doors and instruments demand. Reviewed YAML, no person's data.

Everything in it is optional. A facility that says nothing demands nothing, and every account opens every door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .entries import FACILITY_FILE, Located, RegisterError, checked, entries, filled, refuse_twice, unknown
from .policy_fields import BIOSAFETY_DEMANDS, DOOR_DEMANDS, REQUIREMENT, facility_entries
from .register_fields import Field, check_fields

DOORS = tuple(field.name for field in DOOR_DEMANDS)
KEYS = ("research_groups", "instruments", "time_zone", "requirements", "door_demands", "biosafety_demands")
"""What of facility.yml is policy; each is the variable facility_<key>."""

# TRGS 555 no. 5.3 asks for two years at least; a site's officer may ask for more.
KEEP_YEARS = 2
_REQUIREMENTS = f"{FACILITY_FILE}, facility_requirements"
_TRAINING_ONLY = ("training_months", "idle_days", "equivalent_to", "trainers")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a door can demand of a person.

    Attributes:
        name: a-z, 0-9 and -.
        title: What people read.
        months: How long it counts, to the same day of the month; None: it doesn't end.
        grace_days: How many days a door stays open after that.
        form: any, oral, electronic (with a test that was passed) or document.
        proof: none, optional or required: whether a document must lie beside the attendance.
        remind_days: How many days before its end people are reminded, longest first.
        keep_years: How long the facts must be kept after their end.
        recorded_by: Logins who may record it; empty: all staff.
    """

    name: str
    title: str
    months: int | None = None
    grace_days: int = 0
    form: str = "any"
    proof: str = "optional"
    remind_days: tuple[int, ...] = ()
    keep_years: int = KEEP_YEARS
    recorded_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instrument:
    """What an instrument demands of those who log on to it.

    Attributes:
        name, title, ppms_system_id: As in facility.yml.
        demands: Requirements, its own and those of its biosafety level.
        training: Whether people must have been trained on it.
        training_months: How long a training counts; None: it doesn't end.
        idle_days: After how many days without use a training lapses, where use is known; None: never.
        counts: Instruments whose training counts for it: itself and all equivalent ones.
        trainers: Logins who may train on it; empty: all staff. They need no training themselves.
    """

    name: str
    title: str
    ppms_system_id: int | None = None
    demands: tuple[str, ...] = ()
    training: bool = False
    training_months: int | None = None
    idle_days: int | None = None
    counts: tuple[str, ...] = ()
    trainers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResearchGroup:
    """A research group; owner is the login of who answers for it, or None."""

    name: str
    title: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """All of it. Two policies are the same only if they are one object: what follows from one is kept by it.

    Attributes:
        requirements, instruments, groups: By name, in the order of facility.yml.
        doors: By door (wiki, share, omero) the requirements that it demands.
        common: Requirements that every door and every instrument demands.
        used: Requirements that any door or instrument demands, in the order of facility.yml.
        time_zone: Where a day begins and ends.
    """

    requirements: Mapping[str, Requirement]
    doors: Mapping[str, tuple[str, ...]]
    instruments: Mapping[str, Instrument]
    groups: Mapping[str, ResearchGroup]
    common: tuple[str, ...]
    used: tuple[str, ...]
    time_zone: str


def validated(facility: Mapping[str, Any]) -> Policy:
    """Check what facility.yml says.

    Args:
        facility: KEYS and their values. Only research_groups, instruments and time_zone must be there.

    Raises:
        RegisterError: With all problems.
    """
    problems: list[str] = []
    groups, instruments = facility_entries(problems, facility)
    requirements = entries(problems, _REQUIREMENTS, facility.get("requirements"), optional=True)
    requirements = checked(problems, requirements, REQUIREMENT)
    refuse_twice(problems, requirements, "name")
    for place, entry in requirements:
        problems.extend(f"{place}: {problem}" for problem in _contradictions(entry))
    known = _names(requirements)
    doors = _demands(problems, facility, "door_demands", DOOR_DEMANDS, known)
    biosafety = _demands(problems, facility, "biosafety_demands", BIOSAFETY_DEMANDS, known)
    for place, entry in instruments:
        _check_demands(problems, f"{place}: demands", entry.get("demands"), known)
    counts = _equivalents(problems, instruments)
    if problems:
        raise RegisterError(problems)
    built = {entry["name"]: _instrument(filled(entry), biosafety, counts) for _, entry in instruments}
    demanded = [*doors.values(), *(instrument.demands for instrument in built.values())]
    return Policy(
        requirements={entry["name"]: _requirement(filled(entry)) for _, entry in requirements},
        doors=doors,
        instruments=built,
        groups={e["name"]: ResearchGroup(e["name"], e["title"], e.get("owner")) for _, e in groups},
        common=tuple(name for name in known if all(name in names for names in demanded)),
        used=tuple(name for name in known if any(name in names for names in demanded)),
        time_zone=facility["time_zone"],
    )


def _names(located: Located) -> list[str]:
    return [entry["name"] for _, entry in located if isinstance(entry.get("name"), str)]


def _contradictions(entry: Mapping[str, Any]) -> Iterator[str]:
    form = entry.get("form") or "any"
    # A document may have an end of its own.
    if entry.get("months") is None and form in ("oral", "electronic"):
        for key in ("grace_days", "remind_days"):
            if entry.get(key):
                yield f"{key} has no effect on what never ends: add months, or remove {key}"
    if form == "document" and entry.get("proof") == "none":
        yield "proof none contradicts form document, which is a proof: remove proof"


def _demands(
    problems: list[str], facility: Mapping[str, Any], key: str, fields: Sequence[Field], known: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    place = f"{FACILITY_FILE}, facility_{key}"
    found = facility.get(key)
    if found is None:
        found = {}
    if not isinstance(found, dict):
        cure = f"write it like {{{fields[0].name}: [{known[0] if known else 'name-of-a-requirement'}]}}"
        problems.append(f"{place}: must be keys and values, is {type(found).__name__}: {cure}")
        return {}
    problems.extend(f"{place}: {problem}" for problem in check_fields(found, fields))
    for field in fields:
        _check_demands(problems, f"{place}: {field.name}", found.get(field.name), known)
    return {field.name: _as_tuple(found.get(field.name)) for field in fields}


def _check_demands(problems: list[str], place: str, names: object, known: Sequence[str]) -> None:
    problems.extend(
        f"{place}: {unknown('requirement', name, known, f'facility_requirements in {FACILITY_FILE}')}"
        for name in (names if isinstance(names, list) else [])
        if isinstance(name, str) and name not in known
    )


def _equivalents(problems: list[str], instruments: Located) -> dict[str, tuple[str, ...]]:
    """By instrument, all whose training counts for it. A circle says something twice, so one of it is a mistake."""
    names = _names(instruments)
    trained = _names([(place, entry) for place, entry in instruments if entry.get("training") == "required"])
    classes = {name: [name] for name in names}
    for place, entry in instruments:
        if entry.get("training") != "required":
            problems.extend(
                f"{place}: {key} has no effect without training: add training: required, or remove {key}"
                for key in _TRAINING_ONLY
                if entry.get(key)
            )
            continue
        for other in entry["equivalent_to"] if isinstance(entry.get("equivalent_to"), list) else []:
            if not isinstance(other, str) or entry.get("name") not in names:
                continue
            if other not in names:
                problems.append(f"{place}: {unknown('equivalent_to', other, names)}")
            elif other not in trained:
                problems.append(f'{place}: equivalent_to "{other}", which demands no training: remove it')
            elif other in classes[entry["name"]]:
                why = "is itself" if other == entry["name"] else "is equivalent already, and a circle says it twice"
                problems.append(f'{place}: equivalent_to "{other}" {why}: remove it')
            else:
                both = [*classes[entry["name"]], *classes[other]]
                classes.update(dict.fromkeys(both, both))
    return {name: tuple(sorted(members)) for name, members in classes.items()}


def _requirement(entry: Mapping[str, Any]) -> Requirement:
    changed = dict(entry)
    changed["recorded_by"] = _as_tuple(entry.get("recorded_by"))
    changed["remind_days"] = tuple(sorted(entry.get("remind_days", ()), reverse=True))
    return Requirement(**changed)


def _instrument(
    entry: Mapping[str, Any], biosafety: Mapping[str, tuple[str, ...]], counts: Mapping[str, tuple[str, ...]]
) -> Instrument:
    demands = dict.fromkeys([*entry.get("demands", ()), *biosafety.get(entry["biosafety"], ())])
    return Instrument(
        name=entry["name"],
        title=entry["title"],
        ppms_system_id=entry.get("ppms_system_id"),
        demands=tuple(demands),
        training=entry.get("training") == "required",
        training_months=entry.get("training_months"),
        idle_days=entry.get("idle_days"),
        counts=counts[entry["name"]],
        trainers=_as_tuple(entry.get("trainers")),
    )


def _as_tuple(names: object) -> tuple[str, ...]:
    return tuple(names) if isinstance(names, list) else ()

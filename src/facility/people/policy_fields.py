# SPDX-License-Identifier: GPL-3.0-or-later
"""What facility.yml may say of research groups, instruments and requirements; what is written there, with its place."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import Any

from .entries import FACILITY_FILE, Located, checked, entries, refuse_twice
from .register_fields import Field, list_of, login_like, named, number_from, one_of, text_like

BIOSAFETY = ("none", "S1", "S2")
# What members of a research group may do with each other's images.
OMERO_PERMISSIONS = ("private", "read-only", "read-annotate", "read-write")
FORMS = ("any", "oral", "electronic", "document")
PROOFS = ("none", "optional", "required")
TRAINING = ("none", "required")

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_MONTHS = number_from(1, 1200)
_DAYS = number_from(1, 3660)


def _system(value: object) -> str | None:
    return None if isinstance(value, int) and value > 0 else "is no number of PPMS: take it from the instrument's page"


_NAMES = list_of(named)
_LOGINS = list_of(login_like)

RESEARCH_GROUP = (
    Field("name", required=True, check=named),
    Field("title", required=True),
    Field("omero", check=one_of(OMERO_PERMISSIONS)),
    Field("owner", check=login_like),
    # A name of PPMS's own, with blanks and all.
    Field("ppms_group"),
)
INSTRUMENT = (
    Field("name", required=True, check=named),
    Field("title", required=True),
    Field("host", required=True, check=text_like(_HOST, "is no host name: write it like mic1")),
    Field("location", required=True),
    Field("biosafety", required=True, check=one_of(BIOSAFETY)),
    Field("ppms_system_id", types=(int,), check=_system),
    Field("demands", types=(list,), check=_NAMES),
    Field("training", check=one_of(TRAINING)),
    Field("training_months", types=(int,), check=_MONTHS),
    Field("idle_days", types=(int,), check=_DAYS),
    Field("equivalent_to", types=(list,), check=_NAMES),
    Field("trainers", types=(list,), check=_LOGINS),
)
REQUIREMENT = (
    Field("name", required=True, check=named),
    Field("title", required=True),
    Field("months", types=(int,), check=_MONTHS),
    Field("grace_days", types=(int,), check=number_from(0, 366)),
    Field("form", check=one_of(FORMS)),
    Field("proof", check=one_of(PROOFS)),
    Field("remind_days", types=(list,), check=list_of(_DAYS, kind=int)),
    Field("keep_years", types=(int,), check=number_from(1, 100)),
    Field("recorded_by", types=(list,), check=_LOGINS),
)
DOOR_DEMANDS = tuple(Field(door, types=(list,), check=_NAMES) for door in ("wiki", "share", "omero"))
BIOSAFETY_DEMANDS = tuple(Field(level, types=(list,), check=_NAMES) for level in BIOSAFETY[1:])


def facility_entries(problems: list[str], facility: Mapping[str, Any]) -> tuple[Located, Located]:
    """Research groups and instruments as facility.yml has them, with their places; what is wrong becomes problems.

    Args:
        problems: Gets what is wrong, the time zone included.
        facility: {"research_groups": [...], "instruments": [...], "time_zone": "Europe/Berlin"}.
    """
    groups = entries(problems, f"{FACILITY_FILE}, facility_research_groups", facility.get("research_groups"))
    instruments = entries(problems, f"{FACILITY_FILE}, facility_instruments", facility.get("instruments"))
    groups = checked(problems, groups, RESEARCH_GROUP)
    instruments = checked(problems, instruments, INSTRUMENT)
    refuse_twice(problems, groups, "name")
    refuse_twice(problems, instruments, "name")
    refuse_twice(problems, instruments, "host")
    _check_time_zone(problems, facility.get("time_zone"))
    return groups, instruments


def _check_time_zone(problems: list[str], zone: object) -> None:
    cure = "write it like Europe/Berlin"
    try:
        zoneinfo.ZoneInfo(zone if isinstance(zone, str) else "")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(f'{FACILITY_FILE}: facility_time_zone "{zone}" is no time zone: {cure}')

# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO's properties: which names a server knows, and the way from what is configured to what should be.

Knows no Ansible and no OMERO.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from ..core.plan import Plan, Secret, plan

_FAMILIES = (
    # Passed on to Ice as they are; Ice knows them, OMERO's own list doesn't.
    "Ice.",
    "IceSSL.",
    "omero.glacier2.IceSSL.",
    # One property for each Java server: omero.jvmcfg.percent.blitz
    "omero.jvmcfg.",
    # Read by clients, for any name that a client chooses.
    "omero.client.",
    # Read by another program from the same file.
    "omero.certificates.",
    # Read by `omero admin`, and listed nowhere.
    "omero.server.servicemanager.",
)
# What OMERO.dropbox reads: listed in the templates of a server's grid alone; those of its repository are with the rest.
_DROPBOX, _REPOSITORY = "omero.fs.", "omero.fs.repo."
# omero.db.pass, omero.security.keyStorePassword, omero.web.secret_key; not omero.web.show_forgot_password
_SECRET = re.compile(r"(?<!forgot_)(pass|password|secret|secret_key)$", re.IGNORECASE)


def property_names(lines: Iterable[str]) -> set[str]:
    """Return the names that a file of Java properties defines."""
    names = set()
    for line in lines:
        text = line.strip()
        if text and text[0] not in "#!" and "=" in text:
            names.add(text.split("=", 1)[0].strip())
    return names


def template_names(text: str) -> set[str]:
    """Return the names of OMERO's properties that a grid's templates.xml sets."""
    return set(re.findall(r'<property\s+name="(omero\.[\w.]+)"', text))


def is_secret(name: str) -> bool:
    """Whether a property holds a password."""
    return bool(_SECRET.search(name))


def unknown_properties(wanted: Iterable[str], known: set[str]) -> dict[str, list[str]]:
    """Return the names that the server doesn't know, each with up to three that were perhaps meant."""
    unknown = {}
    lists_dropbox = any(name.startswith(_DROPBOX) and not name.startswith(_REPOSITORY) for name in known)
    for name in wanted:
        if name.startswith(_DROPBOX) and not lists_dropbox:
            continue
        # Each program reads its own part of the file; the other's list knows the rest.
        foreign = name.startswith("omero.web.") and not any(other.startswith("omero.web.session") for other in known)
        if name not in known and not name.startswith(_FAMILIES) and not foreign:
            unknown[name] = difflib.get_close_matches(name, known, n=3, cutoff=0.75)
    return unknown


def complaint(unknown: Mapping[str, list[str]], where: str) -> str:
    """Return one line that names each unknown property and its cure."""
    parts = [f"{name}" + (f" (did you mean {' or '.join(near)}?)" if near else "") for name, near in unknown.items()]
    return f"{where} knows no property {'; '.join(parts)}. Nothing was changed. Correct the names, or leave them out."


def empty_properties(wanted: Mapping[str, str]) -> list[str]:
    """Return the names with an empty value, which Ice takes for unset: OMERO's own default would hold, silently."""
    return sorted(name for name, value in wanted.items() if not value.strip())


def properties_plan(got: Mapping[str, str], wanted: Mapping[str, str], *, purge: bool) -> Plan:
    """Plan the way from the configured properties to the wanted ones.

    Args:
        got: name to value, as configured.
        wanted: name to value.
        purge: whether properties that nobody wants go.

    Returns:
        One change a property. Values of secrets are compared, but never shown.
    """
    targets: dict[str, dict[str, Secret | str] | None] = {}
    for name, value in wanted.items():
        if is_secret(name):
            if got.get(name) != value:
                targets[name] = {"value": Secret(value)}
        else:
            targets[name] = {"value": value}
    if purge:
        targets.update({name: None for name in got if name not in wanted})
    shown = {name: {"value": Secret(value) if is_secret(name) else value} for name, value in got.items()}
    return plan(shown, targets)

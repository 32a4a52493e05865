# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an import's images go by a rule about folders' names (`omero import --target regex:…`), as in OMERO.

The importer hands the rule on as an annotation, and beside it the folder of the file that it imports; the server
compares the two: the whole path of the folder must fit, without a slash at its end and without the file's name.
"""

import re
from pathlib import Path
from typing import Any

import omero
import omero.all
from omero.constants.namespaces import NSTARGETTEMPLATE
from omero.rtypes import rstring


def annotation(target: str, file: Path) -> Any:
    """What the importer sends along with an import's settings."""
    found = omero.model.CommentAnnotationI()
    found.ns, found.textValue = rstring(NSTARGETTEMPLATE), rstring(target)
    found.description = rstring(str(file.parent))
    return found


def rules(settings: Any) -> list[tuple[str, str]]:
    """The rules in an import's settings, each with its folder."""
    annotations = getattr(settings, "userSpecifiedAnnotationList", None) or []
    return [
        (item.textValue.val, item.description.val)
        for item in annotations
        if item.ns is not None and item.ns.val == NSTARGETTEMPLATE
    ]


def dataset(target: str, folder: str) -> str | None:
    """The name of the dataset that a rule asks for; None where the folder does not fit, and images stay orphaned.

    Raises:
        omero.ValidationException: If the target is none that the stand-in knows.
    """
    action, _, rest = target.partition(":")
    discriminator, colon, pattern = rest.partition(":")
    if not colon:
        discriminator, pattern = "+name", rest
    if action != "regex" or discriminator not in {"name", "+name"}:
        raise omero.ValidationException(None, None, f"the stand-in knows no target {target}")
    # Java writes a group's name otherwise than Python.
    match = re.fullmatch(re.sub(r"\(\?<(?=\w)", "(?P<", pattern), folder)
    name = match["Container1"] if match else ""
    return name if name.strip() else None

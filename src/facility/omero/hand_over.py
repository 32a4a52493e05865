# SPDX-License-Identifier: GPL-3.0-or-later
"""All that somebody has in OMERO becomes somebody else's: images, and datasets, tags and regions with them.

Images stay in their group, so that the same people see them. Their files stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .connection import ALL_GROUPS, OmeroError, call, submit

_IMAGES = (
    "select i.details.group.name, count(i.id) from Image i where i.details.owner.omeName = :login"
    " group by i.details.group.name"
)


def images_of(session: Any, login: str) -> dict[str, int]:
    """How many images somebody has, by group.

    Raises:
        OmeroError: when OMERO can't be asked.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    parameters = omero.sys.ParametersI().addString("login", login)
    query = session.getQueryService()
    rows = call(f"images of {login}", query.projection, _IMAGES, parameters, ALL_GROUPS)
    return {row[0].val: row[1].val for row in rows}


def missing_groups(images: Mapping[str, int], memberships: set[str]) -> list[str]:
    """Groups with images in which their new owner isn't, sorted."""
    return sorted(set(images) - memberships)


def hand_over(session: Any, giver: str, taker: str, *, check_mode: bool, seconds: float) -> dict[str, int]:
    """Give all that somebody has to somebody else; give how many images that were, by group.

    Args:
        session: OMERO's ServiceFactory, of an administrator.
        giver: The login of who has it.
        taker: The login of who gets it: a member of each group in which images are.
        check_mode: only look.
        seconds: How long OMERO may take.

    Raises:
        OmeroError: when one of the two is unknown or the taker isn't in a group of the images (then nothing was
            changed), or when OMERO refuses or does not do it.
    """
    import omero  # noqa: PLC0415 - only OMERO's own Python has it

    if giver == taker:
        raise OmeroError(f"{giver} has these images already: name somebody else who gets them")
    admin = session.getAdminService()
    from_id, to_id = (_person(admin, login) for login in (giver, taker))
    images = images_of(session, giver)
    memberships = {group.name.val for group in call(f"groups of {taker}", admin.containedGroups, to_id)}
    if lacking := missing_groups(images, memberships):
        raise OmeroError(
            f"{taker} is not in {', '.join(lacking)}, where {giver} has images, and would not see them: make {taker} a "
            "member first, in the register or with omero_user"
        )
    if check_mode or not images:
        return images
    request = omero.cmd.Chown2(targetUsers=[from_id], userId=to_id)
    submit(session, f"hand over what {giver} has", request, seconds)
    if left := images_of(session, giver):
        raise OmeroError(f"OMERO says that it is done, and {giver} still has images in {', '.join(sorted(left))}")
    return images


def _person(admin: Any, login: str) -> int:
    for person in admin.lookupExperimenters():
        if person.omeName.val == login:
            return int(person.id.val)
    raise OmeroError(f"OMERO does not know {login}: look at the login; who never logged in has no images")

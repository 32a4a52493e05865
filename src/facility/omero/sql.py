# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that are asked of OMERO's database itself, where OMERO doesn't run: in backups and after a restore.

Names of tables and columns are those of OMERO 5.6 (schema OMERO5.4__0).
"""

from __future__ import annotations

import re

LOGIN = re.compile(r"[a-z][a-z0-9._-]{0,62}")

# OMERO notes times without a zone, as its host's clock shows them: the session that asks must have that zone.
_FILES = """
SELECT ltrim(originalfile.path || originalfile.name, '/') AS file, originalfile.size,
       coalesce(originalfile.hash, '') AS sha1, extract(epoch FROM event.time::timestamptz) AS time,
       experimenter.omename AS login
FROM originalfile
JOIN event ON event.id = originalfile.creation_id
JOIN experimenter ON experimenter.id = originalfile.owner_id
WHERE EXISTS (SELECT 1 FROM filesetentry WHERE filesetentry.originalfile = originalfile.id)
ORDER BY originalfile.id
"""

_IMAGE_COUNT = "SELECT count(*) AS images FROM image"

_IMAGES_OF_PERSON = """
SELECT image.id AS image, image.name, experimentergroup.name AS "group", event.time::timestamptz AS imported,
       fileset.templateprefix AS folder, originalfile.path, originalfile.name AS file, originalfile.size,
       originalfile.hash AS sha1
FROM experimenter
LEFT JOIN (image
  JOIN event ON event.id = image.creation_id
    AND event.time::timestamptz >= to_timestamp({begin:d})
    AND event.time::timestamptz < to_timestamp({end:d})
  JOIN experimentergroup ON experimentergroup.id = image.group_id
  JOIN fileset ON fileset.id = image.fileset
  JOIN filesetentry ON filesetentry.fileset = fileset.id
  JOIN originalfile ON originalfile.id = filesetentry.originalfile
) ON image.owner_id = experimenter.id
WHERE experimenter.omename = '{login}'
ORDER BY image.id, originalfile.id
"""


def image_files() -> str:
    """All files that belong to images: file (below the managed repository), size, sha1, time (epoch seconds), login."""
    return _one_line(_FILES)


def image_count() -> str:
    """How many images there are: images."""
    return _IMAGE_COUNT


def images_of_person(login: str, begin: int, end: int) -> str:
    """What a person imported in a time: a row a file, and one without image when the person is known at all.

    Columns: image, name, group, imported, folder (of the import, in the managed repository), path, file, size, sha1.

    Args:
        login: as in the register.
        begin: epoch seconds.
        end: epoch seconds; this second itself is not in it.

    Raises:
        ValueError: for what can't be a login, so that nobody's name becomes SQL.
    """
    if not LOGIN.fullmatch(login):
        raise ValueError(f"{login!r} is no login: write it as it stands in the register, like bbergstroem")
    return _one_line(_IMAGES_OF_PERSON.format(login=login, begin=int(begin), end=int(end)))


def _one_line(query: str) -> str:
    return " ".join(query.split())

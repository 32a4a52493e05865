# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the managed repository, as OMERO hands them out again."""

import contextlib
from pathlib import Path
from typing import Any

import Ice
import omero
import omero.all

from omero_standin.admin import _Service
from omero_standin.dispatch import servant, usage


@servant(omero.api.RawFileStore)
class OriginalFileStore(_Service):
    """One file at a time, by its id, for reading."""

    path: Path | None = None

    def setFileId(self, key: int, current: Any) -> None:
        rows = self.database.run("SELECT path, name, owner_id FROM originalfile WHERE id = :id", id=key)
        if not rows:
            raise omero.ValidationException(
                None, None, f"No row with the given identifier exists: [OriginalFile#{key}]"
            )
        folder, name, owner = rows[0]
        if owner != self.session.user and not self.people.is_admin(self.session.user):
            raise omero.SecurityViolation(None, None, f"{self.session.login} may not read OriginalFile {key}")
        self.path = Path(self.server.configuration["omero.managed.dir"]) / folder / name

    def read(self, position: int, length: int, current: Any) -> bytes:
        with self._chosen().open("rb") as file:
            file.seek(position)
            return file.read(length)

    def size(self, current: Any) -> int:
        return self._chosen().stat().st_size

    def exists(self, current: Any) -> bool:
        return self._chosen().exists()

    def close(self, current: Any) -> None:
        with contextlib.suppress(Ice.NotRegisteredException):
            current.adapter.remove(current.id)

    def _chosen(self) -> Path:
        if self.path is None:
            raise usage("no file was chosen: call setFileId first")
        if not self.path.is_file():
            raise omero.ResourceError(None, None, f"{self.path} is not there")
        return self.path

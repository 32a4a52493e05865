# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of images, made from the files in the managed repository when they are asked for."""

import io
from pathlib import Path
from typing import Any

import omero
import omero.all
import PIL.Image

from omero_standin.admin import _Service
from omero_standin.dispatch import servant


@servant(omero.api.ThumbnailStore)
class ThumbnailStore(_Service):
    """Thumbnails as JPEG."""

    pixels = -1

    def setPixelsId(self, key: int, current: Any) -> bool:
        self.pixels = key
        return True

    def getThumbnail(self, width: Any, height: Any, current: Any) -> bytes:
        return self._picture(self.pixels, width.val if width else 96)

    def getThumbnailByLongestSide(self, size: Any, current: Any) -> bytes:
        return self._picture(self.pixels, size.val if size else 96)

    # Drawn anew instead of out of a cache, which there is none of.
    getThumbnailDirect = getThumbnail  # noqa: N815 - the name of an operation
    getThumbnailByLongestSideDirect = getThumbnailByLongestSide  # noqa: N815 - so is this

    def getThumbnailByLongestSideSet(self, size: Any, ids: list[int], current: Any) -> dict[int, bytes]:
        return {key: self._picture(key, size.val if size else 96) for key in ids}

    def getThumbnailSet(self, width: Any, height: Any, ids: list[int], current: Any) -> dict[int, bytes]:
        return self.getThumbnailByLongestSideSet(width, ids, current)

    def thumbnailExists(self, *arguments: Any) -> bool:
        return True

    def isInProgress(self, current: Any) -> bool:
        return False

    def getRenderingDefId(self, current: Any) -> int:
        return 1

    def close(self, current: Any) -> None:
        current.adapter.remove(current.id)

    def _picture(self, pixels: int, size: int) -> bytes:
        rows = self.database.run(
            "SELECT o.path, o.name FROM pixels p JOIN image i ON i.id = p.image"
            " JOIN filesetentry e ON e.fileset = i.fileset AND e.fileset_index = 0"
            " JOIN originalfile o ON o.id = e.originalfile WHERE p.id = :id", id=pixels,
        )  # fmt: skip
        if not rows:
            return b""
        folder = Path(self.server.configuration["omero.managed.dir"]) / rows[0][0]
        found = next(folder.rglob(rows[0][1]), None)
        output = io.BytesIO()
        try:
            with PIL.Image.open(str(found)) as image:
                small = image.convert("RGB")
                small.thumbnail((size, size))
        except OSError:
            small = PIL.Image.new("RGB", (size, size))
        small.save(output, "JPEG")
        return output.getvalue()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed repository: files come in over ImportProcess, are checked by hash, and become images."""

import contextlib
import datetime
import hashlib
import uuid
from pathlib import Path, PurePosixPath
from typing import Any

import Ice
import omero
import omero.all

from omero_standin import formats, pace, targets
from omero_standin.admin import _Service
from omero_standin.dispatch import servant, usage
from omero_standin.sessions import Session


@servant(omero.grid.ManagedRepository)
class ManagedRepository(_Service):
    """Takes filesets in."""

    def root(self, current: Any) -> Any:
        found = omero.model.OriginalFileI(0, True)
        found.name, found.path = omero.rtypes.rstring("ManagedRepository"), omero.rtypes.rstring("/")
        return found

    def importFileset(self, fileset: Any, settings: Any, current: Any) -> Any:
        paths = [entry.clientPath.val for entry in fileset.copyUsedFiles()]
        if not paths:
            raise usage("a fileset without files")
        process = ImportProcess(self.server, self.session, paths, settings)
        return omero.grid.ImportProcessPrx.uncheckedCast(self.server.publish(process, current))


class _Import:
    """A fileset on its way in: the row comes first, the images last, as in OMERO."""

    def __init__(self, server: Any, session: Session, paths: list[str]) -> None:
        self.server, self.session, self.paths = server, session, paths
        now = datetime.datetime.now(datetime.UTC)
        self.prefix = f"{session.login}_{session.user}/{now:%Y-%m/%d/%H-%M-%S}.{uuid.uuid4().hex[:6]}/"
        self.folder = Path(server.configuration["omero.managed.dir"]) / self.prefix
        self.folder.mkdir(parents=True)
        common = PurePosixPath(*_common(paths))
        self.names = [str(PurePosixPath(path).relative_to(common)) for path in paths]
        database = server.database
        with database.transaction():
            self.owned = {
                "owner": session.user,
                "group": session.group,
                "event": database.one(
                    "INSERT INTO event (time, experimenter, experimentergroup) VALUES (now(), :user, :group)"
                    " RETURNING id",
                    user=session.user, group=session.group,
                ),
            }  # fmt: skip
            self.fileset = self.insert("fileset", templateprefix=self.prefix)
            self.entries = [
                self.insert("filesetentry", clientpath=path, fileset=self.fileset, fileset_index=index)
                for index, path in enumerate(paths)
            ]

    def insert(self, table: str, **values: Any) -> int:
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(f":{name}" for name in values)
        return int(
            self.server.database.one(
                f"INSERT INTO {table} ({columns}, owner_id, group_id, creation_id)"
                f" VALUES ({marks}, :owner, :group, :event) RETURNING id",
                **values, **self.owned,
            )
        )  # fmt: skip

    def finish(self, hashes: list[str], rules: list[tuple[str, str]]) -> list[int]:
        """Check what arrived, make the images and put them where the rules say; return the ids of their pixels."""
        files = [self.folder / name for name in self.names]
        found = [formats.sha1(file) for file in files]
        if found != list(hashes):
            raise omero.ValidationException(None, None, "checksums differ: the files did not arrive whole")
        pace.wait("import")
        if not self.server.preferences:
            self.server.log.error("[java.util.prefs] Error flushing preferences")
        images = formats.read(files)
        with self.server.database.transaction():
            for file, entry, digest in zip(files, self.entries, found, strict=True):
                folder = PurePosixPath(self.prefix) / file.parent.relative_to(self.folder)
                original = self.insert(
                    "originalfile", name=file.name, path=f"{folder}/", size=file.stat().st_size, hash=digest,
                    hasher="SHA1-160", mimetype="application/octet-stream",
                )  # fmt: skip
                self.server.database.run(
                    "UPDATE filesetentry SET originalfile = :original WHERE id = :id", original=original, id=entry
                )
            names = [name for target, folder in rules if (name := targets.dataset(target, folder))]
            made = [self._image(index, image) for index, image in enumerate(images)]
            for name in names[:1]:
                dataset = self._dataset(name)
                for image, _ in made:
                    self.insert("datasetimagelink", parent=dataset, child=image)
            return [pixels for _, pixels in made]

    def _dataset(self, name: str) -> int:
        """The newest of this person's datasets with the name, a new one if there is none."""
        found = self.server.database.one(
            "SELECT max(id) FROM dataset WHERE name = :name AND owner_id = :owner AND group_id = :group",
            name=name, owner=self.owned["owner"], group=self.owned["group"],
        )  # fmt: skip
        return int(found) if found else self.insert("dataset", name=name)

    def _image(self, index: int, found: formats.Image) -> tuple[int, int]:
        """The ids of the image and of its pixels."""
        image = self.insert("image", name=found.name[:255], archived=False, series=index, fileset=self.fileset)
        pixels = self.insert(
            "pixels", image=image, sizex=found.width, sizey=found.height, sizez=1, sizec=found.channels, sizet=1,
            sha1=hashlib.sha1(str(image).encode()).hexdigest(),
            pixelstype="uint8", dimensionorder="XYZCT",
        )  # fmt: skip
        return image, pixels


@servant(omero.grid.ImportProcess)
class ImportProcess(_Import):
    """What the importer talks to."""

    def __init__(self, server: Any, session: Session, paths: list[str], settings: Any) -> None:
        super().__init__(server, session, paths)
        self.settings = settings

    def getUploader(self, index: int, current: Any) -> Any:
        path = self.folder / self.names[index]
        path.parent.mkdir(parents=True, exist_ok=True)
        store = RawFileStore(path)
        return omero.api.RawFileStorePrx.uncheckedCast(self.server.publish(store, current))

    def getUploadOffset(self, index: int, current: Any) -> int:
        path = self.folder / self.names[index]
        return path.stat().st_size if path.exists() else 0

    def getImportSettings(self, current: Any) -> Any:
        return self.settings

    def verifyUpload(self, hashes: list[str], current: Any) -> Any:
        try:
            pixels = self.finish(hashes, targets.rules(self.settings))
            items = [self.server.objects.one("Pixels", key) for key in pixels]
            response: Any = omero.cmd.OK() if not items else omero.grid.ImportResponse(pixels=items, objects=[])
        except (omero.ValidationException, formats.UnknownFormatError) as error:
            response = omero.cmd.ERR(
                category="::omero::grid::ImportRequest",
                name="failed",
                parameters={"message": getattr(error, "message", None) or str(error)},
            )
        handle = Handle(response)
        return omero.cmd.HandlePrx.uncheckedCast(self.server.publish(handle, current))


@servant(omero.cmd.Handle)
class Handle:
    """A command that is already done."""

    def __init__(self, response: Any, request: Any = None) -> None:
        self.response, self.request = response, request

    def getResponse(self, current: Any) -> Any:
        return self.response

    def getRequest(self, current: Any) -> Any:
        return self.request

    def getStatus(self, current: Any) -> Any:
        return omero.cmd.Status(steps=1, currentStep=1, flags=[])

    def addCallback(self, callback: Any, current: Any) -> None:
        # The command is over before anybody can ask: the client looks for the response right after this.
        return None

    def removeCallback(self, callback: Any, current: Any) -> None:
        return None

    def cancel(self, current: Any) -> bool:
        return False

    def close(self, current: Any) -> None:
        current.adapter.remove(current.id)


@servant(omero.api.RawFileStore)
class RawFileStore:
    """A file of the repository, open for writing or reading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, data: bytes, position: int, length: int, current: Any) -> None:
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.seek(position)
            file.write(bytes(data)[:length])

    def read(self, position: int, length: int, current: Any) -> bytes:
        with self.path.open("rb") as file:
            file.seek(position)
            return file.read(length)

    def size(self, current: Any) -> int:
        return self.path.stat().st_size

    def exists(self, current: Any) -> bool:
        return self.path.exists()

    def save(self, current: Any) -> Any:
        return None

    def close(self, current: Any) -> None:
        with contextlib.suppress(Ice.NotRegisteredException):
            current.adapter.remove(current.id)


def _common(paths: list[str]) -> tuple[str, ...]:
    parts = [PurePosixPath(path).parent.parts for path in paths]
    common = []
    for level in zip(*parts, strict=False):
        if len(set(level)) != 1:
            break
        common.append(level[0])
    return tuple(common)

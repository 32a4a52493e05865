# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that IceGrid starts as Blitz-0."""

import logging
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import Ice
import omero
import omero.all
from omero.util import configure_server_logging

from omero_standin import java, pace, upgrades
from omero_standin.configuration import Configuration
from omero_standin.database import Database
from omero_standin.factory import Manager, Verifier
from omero_standin.ldap import Directory
from omero_standin.objects import Objects
from omero_standin.people import People
from omero_standin.sessions import Sessions


class Server(Ice.Application):
    """Holds the parts together; each servant gets it as its first argument."""

    log = logging.getLogger("standin")
    preferences = False
    """Whether Java's preferences have a place that may be written."""

    def run(self, args: list[str]) -> int:
        """Serve until IceGrid says stop."""
        pace.wait("start")
        communicator = self.communicator()
        self.properties = communicator.getProperties()
        configure_server_logging(self.properties)
        omero.ObjectFactoryRegistrar.registerObjectFactory(communicator)
        for factory in omero.rtypes.ObjectFactories.values():
            factory.register(communicator)
        self.configuration = Configuration(Path.cwd())
        if said := upgrades.complaint(self.configuration["omero.upgrades.url"]):
            self.log.error(said)
        self.database = Database(self.configuration)
        self.directory = Directory(self.configuration)
        self.people = People(self.database, self.directory)
        self.objects = Objects(self.database)
        self.sessions = Sessions(self.people, int(self.configuration["omero.sessions.timeout"]) / 1000)
        if self.database.one("SELECT count(*) FROM dbpatch") == 0:
            raise RuntimeError("the database holds no dbpatch: run `omero db script` and load what it writes")
        managed = Path(self.configuration["omero.managed.dir"])
        managed.mkdir(parents=True, exist_ok=True)
        adapter = communicator.createObjectAdapter("BlitzAdapter")
        adapter.add(Verifier(self), communicator.stringToIdentity("BlitzVerifier"))
        adapter.add(Manager(self), communicator.stringToIdentity("BlitzManager"))
        adapter.activate()
        self.log.info("Started the stand-in for OMERO.blitz; data in %s", managed.parent)
        communicator.waitForShutdown()
        return 0

    def publish(self, servant: Any, current: Any) -> Ice.ObjectPrx:
        """Return a proxy for a new servant; it belongs to the same client as the call."""
        identity = Ice.Identity(uuid.uuid4().hex, current.id.category)
        return current.adapter.add(servant, identity)

    def withdraw(self, current: Any) -> None:
        """Forget a client's servants, its ServiceFactory included."""
        current.adapter.remove(current.id)

    def property(self, name: str) -> str:
        """Return a setting; some come from the grid's descriptor alone."""
        return self.configuration[name] or str(self.properties.getProperty(name))

    def disk(self) -> Any:
        """Return total, used and free bytes of the data disk."""
        return shutil.disk_usage(self.configuration["omero.data.dir"])


Server.preferences = any(item.startswith(java.PREFERENCES) for item in sys.argv)
sys.exit(Server().main([item for item in sys.argv if item.startswith("--Ice.") or not item.startswith("-")]))

# SPDX-License-Identifier: GPL-3.0-or-later
"""How Ice's calls reach plain Python methods, and how errors get back as OMERO's own exceptions."""

import logging
from collections.abc import Callable
from typing import Any

import omero
import omero.all

log = logging.getLogger("standin")


def servant(interface: type) -> Callable[[type], type]:
    """Make a class with plain methods a servant of an Ice interface.

    OMERO's services are asynchronous: Ice calls `name_async(callback, …)` and waits for the callback; without it the
    client would wait for ever. What a class doesn't have raises an error that names it.
    """

    def wrap(implementation: type) -> type:
        members: dict[str, Any] = {}
        for base in interface.__mro__:
            for name in vars(base):
                if name.startswith("_op_ice_") or not name.startswith("_op_"):
                    continue
                if f"{name[4:]}_async" not in members:
                    operation = name[4:]
                    members[f"{operation}_async"] = _asynchronous(operation)
                    if not any(operation in vars(cls) for cls in implementation.__mro__):
                        members[operation] = _unknown(interface.__name__, operation)
        return type(implementation.__name__, (implementation, interface), members)

    return wrap


def _asynchronous(operation: str) -> Callable[..., None]:
    def call(self: Any, callback: Any, *arguments: Any) -> None:
        try:
            result = getattr(self, operation)(*arguments)
        except Exception as error:
            callback.ice_exception(as_omero(error, f"{type(self).__name__}.{operation}"))
        else:
            callback.ice_response(*(() if operation in _VOID else (result,)))

    return call


# Operations without a result: Ice's callback then takes no argument.
_VOID = {
    "changePassword", "changePasswordWithOldPassword", "changeUserPassword", "addGroups", "removeGroups",
    "setDefaultGroup", "setGroupOwner", "unsetGroupOwner", "addGroupOwners", "removeGroupOwners", "updateExperimenter",
    "updateExperimenterWithPassword", "updateGroup", "updateSelf", "deleteExperimenter", "deleteGroup",
    "synchronizeLoginCache", "setAdminPrivileges", "setConfigValue", "setDN", "setFileId", "write", "passivate",
    "activate", "close", "createThumbnails", "createThumbnail", "resetDefaults", "setRenderingDefId", "saveObject",
    "saveCollection", "deleteObject", "indexObject", "createThumbnailsByLongestSideSet", "setInput", "setOutput",
}  # fmt: skip


def _unknown(interface: str, operation: str) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any) -> Any:
        raise usage(f"the stand-in has no {interface}.{operation}")

    return call


def as_omero(error: Exception, where: str) -> Exception:
    """Return the exception that goes over the wire, after noting what OMERO's own would not be."""
    if isinstance(error, omero.ServerError):
        log.info("%s: %s %s", where, type(error).__name__, error.message)
        return error
    log.exception("%s", where)
    return omero.InternalException(None, type(error).__name__, f"{where}: {error}")


def usage(message: str) -> Exception:
    """Return OMERO's exception for a call that makes no sense."""
    return omero.ApiUsageException(None, None, message)

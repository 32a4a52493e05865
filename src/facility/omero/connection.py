# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to OMERO that all modules on the OMERO host share: verified TLS, and one kind of error."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_ASK_SECONDS = 1.0
Answer = TypeVar("Answer")

CONNECTION_OPTIONS: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 4064},
    "user": {"type": "str", "default": "root"},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_file": {"type": "path", "required": True},
}


class OmeroError(Exception):
    """OMERO can't be asked, or refuses; the message names server, object and cure."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where OMERO is and who asks.

    Attributes:
        host: the name in the server's certificate.
        ca_file: PEM file with the authority that signed it.
    """

    host: str
    port: int
    user: str
    password: str
    ca_file: str


def server_of(params: Mapping[str, Any]) -> Server:
    """The server from a module's parameters."""
    return Server(params["host"], params["port"], params["user"], params["password"], params["ca_file"])


@contextlib.contextmanager
def open_session(server: Server) -> Iterator[Any]:
    """Log in and yield OMERO's ServiceFactory, then log out.

    Raises:
        OmeroError: as open_client.
    """
    with open_client(server) as client:
        yield client.getSession()


@contextlib.contextmanager
def open_client(server: Server) -> Iterator[Any]:
    """Log in and yield OMERO's client, then log out.

    Raises:
        OmeroError: when the server can't be reached, isn't the one that its certificate must name, or refuses.
    """
    try:
        import omero  # noqa: PLC0415 - only OMERO's own Python has it
        import omero.all  # noqa: PLC0415
    except ImportError as error:
        raise OmeroError(
            "this Python has no omero-py; run the module with OMERO's: "
            "vars: {ansible_python_interpreter: /opt/omero/server/venv/bin/python}"
        ) from error
    properties = {
        "omero.host": server.host,
        "omero.port": str(server.port),
        # Without these three OMERO's clients accept any certificate.
        "IceSSL.VerifyPeer": "1",
        "IceSSL.CheckCertName": "1",
        "IceSSL.CAs": server.ca_file,
        "IceSSL.VerifyDepthMax": "0",
    }
    with as_omero_error(f"{server.user}@{server.host}:{server.port}"):
        client = omero.client(properties)
        try:
            client.createSession(server.user, server.password)
            yield client
        finally:
            client.closeSession()


@contextlib.contextmanager
def as_omero_error(what: str) -> Iterator[None]:
    """Turn Ice's and OMERO's exceptions into one line about ``what``."""
    import Glacier2  # noqa: PLC0415
    import Ice  # noqa: PLC0415
    import omero  # noqa: PLC0415

    try:
        yield
    except Glacier2.PermissionDeniedException as error:
        raise OmeroError(f"{what}: OMERO refuses the log-in ({error.reason}); correct user or password") from error
    except Ice.SecurityException as error:
        reason = " ".join(error.reason.split())
        raise OmeroError(f"{what}: the certificate is not accepted ({reason}); correct host or ca_file") from error
    except (Ice.ConnectionRefusedException, Ice.ConnectTimeoutException, Ice.DNSException) as error:
        raise OmeroError(f"{what}: not reachable ({type(error).__name__}); is omero-server.service up?") from error
    except omero.ClientError as error:
        # OMERO's library sends no log-in without a password.
        raise OmeroError(f"{what}: {error}; correct user or password") from error
    except omero.ServerError as error:
        raise OmeroError(f"{what}: {type(error).__name__}: {error.message}") from error
    except Ice.Exception as error:
        raise OmeroError(f"{what}: {type(error).__name__}: {' '.join(str(error).split())}") from error


ALL_GROUPS = {"omero.group": "-1"}
"""The call context in which an administrator sees the data of every group."""


def call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a service; an error says ``what`` was to be done."""
    with as_omero_error(what):
        return function(*arguments)


def submit(session: Any, what: str, request: Any, seconds: float) -> None:
    """Have OMERO do a long request, as Delete2 or Chown2, in all groups, and wait for its end.

    Args:
        session: OMERO's ServiceFactory.
        what: is to be done, as "delete the probe's images".
        request: of omero.cmd.
        seconds: how long it may take.

    Raises:
        OmeroError: when OMERO refuses, or is not done in time.
    """
    import omero  # noqa: PLC0415

    handle = call(what, session.submit, request, ALL_GROUPS)
    answer = until(handle.getResponse, seconds, f"OMERO does not {what}: look at Blitz-0.log")
    handle.close()
    if isinstance(answer, omero.cmd.ERR):
        raise OmeroError(f"OMERO does not {what}: {answer.parameters or answer.name}")


def until(question: Callable[[], Answer], seconds: float, otherwise: str) -> Answer:
    """Ask again until the answer is true, and return it.

    Raises:
        OmeroError: when it takes longer; the message is ``otherwise``, and how long that was.
    """
    end = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > end:
            raise OmeroError(f"{otherwise} ({seconds:g} s)")
        time.sleep(_ASK_SECONDS)
    return answer

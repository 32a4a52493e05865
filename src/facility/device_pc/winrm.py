# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to one device PC: WS-Management through pywinrm, one shell a PC and run, one kind of error.

Windows 7 allows a user 5 shells and 15 operations, and counts operations of a shell until it is closed (pywinrm issue
124); so there is one shell at a time, closed whatever happens, and a new one after every few commands.
"""

from __future__ import annotations

import contextlib
import enum
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
import winrm.exceptions
from winrm.protocol import Protocol

from .command import MAXIMUM_LENGTH, Upload

Result = TypeVar("Result")

COMMANDS_A_SHELL = 10
"""Each keeps one of the 15 operations that Windows 7 grants a user, until its shell is closed."""
OPERATION_SECONDS = 15
"""How long the PC may keep one request for output open; a longer command is asked again."""
_UTF_8 = 65001
_QUOTAS = frozenset({2150859173, 2150859174})
"""ERROR_WSMAN_QUOTA_MAX_OPERATIONS and _MAX_SHELLS_USERS, with neighbours for the user's and the PC's limits."""
_NO_SHELL = 2150858843


class Kind(enum.Enum):
    """What went wrong between the controller and a PC."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TIME_OUT = "time-out"
    COMMAND_FAILED = "command failed"


class WinrmError(Exception):
    """A PC could not be asked or did not do what it was asked; the message names the PC and the cure.

    Attributes:
        kind: which of the five kinds of trouble.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Endpoint:
    """Where a PC listens and who asks.

    Attributes:
        host: name or address.
        port: 5986 is WinRM over HTTPS, 5985 over HTTP with NTLM's or Kerberos's own encryption.
        transport: ntlm, kerberos, basic or certificate.
        username: empty with a certificate.
        password: empty with a certificate, and with Kerberos when the controller has a ticket.
        certificate: path of the client's certificate (PEM), with transport certificate.
        private_key: path of its key.
        ca_file: path of the authorities that the PC's certificate is verified by; empty for the controller's own.
        scheme: https or http; http only with a transport that encrypts messages itself.
        connect_seconds: how long a PC may take to answer the door. One that is off must not hold up a night.
    """

    host: str
    port: int = 5986
    transport: str = "ntlm"
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: str = ""
    private_key: str = ""
    ca_file: str = ""
    scheme: str = "https"
    connect_seconds: float = 5

    def __post_init__(self) -> None:
        if self.scheme == "http" and self.transport not in {"ntlm", "kerberos"}:
            raise WinrmError(
                Kind.REFUSED,
                f"{self.host}: transport {self.transport} over http would show the password to the network: "
                "use https (port 5986), or ntlm or kerberos",
            )


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit status and what it wrote, in UTF-8."""

    status: int
    output: str
    error: str


class DevicePc:
    """A PC with a shell. Use it as a context manager: the shell is closed whatever happens.

    Attributes:
        clock_difference: the PC's clock minus the controller's in seconds, from the last answer; None before it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.clock_difference: float | None = None
        self._shell = ""
        self._commands = 0
        with _explained_errors(endpoint):
            self._protocol = _protocol(endpoint)
            session = self._protocol.transport.build_session()
        session.hooks["response"].append(self._note_clock)

    def __enter__(self) -> DevicePc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, command: str, stdin: bytes = b"", seconds: float = 60) -> Answer:
        """Run a line of cmd and wait for its end.

        Args:
            command: at most 8191 characters.
            stdin: what the command reads. Nobody on the PC sees it, unlike a command line.
            seconds: after these the command is ended.

        Raises:
            WinrmError: unreachable, refused, certificate or time-out; a status other than 0 is no error here.
        """
        if len(command) > MAXIMUM_LENGTH:
            raise ValueError(f"a command of {len(command)} characters: cmd takes {MAXIMUM_LENGTH}")
        with _explained_errors(self.endpoint):
            self._ensure_shell()
            self._commands += 1
            # Nothing from here on is tried again: the PC may have begun.
            command_id = self._protocol.run_command(self._shell, command, console_mode_stdin=not stdin)
            try:
                if stdin:
                    self._protocol.send_command_input(self._shell, command_id, stdin, end=True)
                return self._await_end(command_id, command, seconds)
            finally:
                with contextlib.suppress(Exception):
                    self._protocol.cleanup_command(self._shell, command_id)

    def must(self, command: str, what: str, stdin: bytes = b"", seconds: float = 60) -> Answer:
        """Run a line that has to succeed.

        Args:
            command: as for run.
            what: what would be true then, for the message.
            stdin: as for run.
            seconds: as for run.

        Raises:
            WinrmError: also when it ends with another status than 0.
        """
        answer = self.run(command, stdin, seconds)
        if answer.status:
            said = " ".join((answer.error or answer.output).split())[:300]
            raise WinrmError(
                Kind.COMMAND_FAILED,
                f"{self.endpoint.host}: not done: {what} (status {answer.status}: {said or 'silent'})",
            )
        return answer

    def upload(self, upload: Upload) -> None:
        """Bring a file beside its target, whole or not at all; place() of the upload then puts it in place.

        Raises:
            WinrmError: also when what arrived has another SHA-256.
        """
        for command, stdin in upload.commands():
            self.must(command, f"{upload.path} arrives", stdin)
        answer = self.run(upload.finish())
        if not upload.arrived(answer.output) or answer.status:
            self.run(upload.undo())
            raise WinrmError(
                Kind.COMMAND_FAILED,
                f"{self.endpoint.host}: {upload.path} did not arrive whole: is the PC's disk full, or does a virus "
                "scanner hold the file? It is as it was before",
            )

    def close(self) -> None:
        """Give the shell back; a PC that is gone meanwhile closes it itself."""
        shell, self._shell = self._shell, ""
        with contextlib.suppress(Exception):
            if shell:
                self._protocol.close_shell(shell)
        self._protocol.transport.close_session()

    def _ensure_shell(self) -> None:
        if self._shell and self._commands >= COMMANDS_A_SHELL:
            self._protocol.close_shell(self._shell, close_session=False)
            self._shell = ""
        if not self._shell:
            self._shell = _twice(lambda: str(self._protocol.open_shell(codepage=_UTF_8, noprofile=True)))
            self._commands = 0

    def _await_end(self, command_id: str, command: str, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        outputs, errors = bytearray(), bytearray()
        while True:
            with contextlib.suppress(winrm.exceptions.WinRMOperationTimeoutError):
                output, error, status, done = self._protocol.get_command_output_raw(self._shell, command_id)
                outputs += output
                errors += error
                if done:
                    return Answer(status, outputs.decode(errors="replace"), errors.decode(errors="replace"))
            if time.monotonic() > deadline:
                raise WinrmError(
                    Kind.TIME_OUT,
                    f"{self.endpoint.host}: ended after {seconds:.0f} s, it did not come to an end: {command[:80]}",
                )

    def _note_clock(self, response: requests.Response, *_: object, **__: object) -> None:
        # Windows' HTTP service dates each answer. To the second, which is enough to judge minutes.
        stamp = response.headers.get("Date")
        if stamp:
            with contextlib.suppress(ValueError):
                self.clock_difference = (parsedate_to_datetime(stamp) - datetime.now(UTC)).total_seconds()


def _protocol(endpoint: Endpoint) -> Protocol:
    protocol = Protocol(
        endpoint=f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}/wsman",
        transport=endpoint.transport,  # type: ignore[arg-type]
        username=endpoint.username or None,
        password=endpoint.password,
        cert_pem=endpoint.certificate or None,
        cert_key_pem=endpoint.private_key or None,
        # Without a file the machine's own store, not the one that requests brings along.
        ca_trust_path=endpoint.ca_file or ssl.get_default_verify_paths().capath,
        server_cert_validation="validate",
        message_encryption="always" if endpoint.scheme == "http" else "auto",
        operation_timeout_sec=OPERATION_SECONDS,
        read_timeout_sec=OPERATION_SECONDS + 10,
        # A proxy of the controller's environment is not the way to a PC next door.
        proxy=None,
    )
    # requests takes a pair as well: how long to knock, and how long to wait for an answer.
    protocol.transport.read_timeout_sec = (endpoint.connect_seconds, OPERATION_SECONDS + 10)  # type: ignore[assignment]
    return protocol


def _twice(act: Callable[[], Result]) -> Result:
    """Opening a shell is the one request that is safe to repeat: at worst an empty shell times out."""
    try:
        return act()
    except requests.exceptions.ConnectionError as error:
        if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ConnectTimeout) or _caused(
            error, OSError
        ):
            raise
        return act()


def _caused(error: BaseException, kind: type[OSError]) -> bool:
    """Whether nobody answered at all, as against a connection that was dropped."""
    text = str(error)
    return isinstance(error, kind) and any(sign in text for sign in ("Errno 111", "Errno 113", "NameResolution"))


@contextlib.contextmanager
def _explained_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn every way in which pywinrm and requests fail into a WinrmError that names the cure."""
    try:
        yield
    except WinrmError:
        raise
    except Exception as error:
        # Names of libraries' errors vary with the transport; what isn't known is an error of its own.
        failure = explained(endpoint, error)
        if failure is None:
            raise
        raise failure from error


def explained(endpoint: Endpoint, error: Exception) -> WinrmError | None:
    """Return what an error of pywinrm or requests means for this PC; None for one that is ours."""
    host = f"{endpoint.host}:{endpoint.port}"
    for kinds, explain in _EXPLANATIONS:
        if isinstance(error, kinds):
            return explain(host, endpoint, error)
    if type(error).__module__.split(".")[0] in {"spnego", "winrm", "requests_ntlm", "kerberos"}:
        return WinrmError(Kind.REFUSED, f"{host}: log-on as {endpoint.username} failed: {_short(error)}")
    return None


_FOREIGN = "its certificate is not of an authority in ca_file: issue one, or name the authority"


def _certificate(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    text = str(error)
    cures = {
        "expired": "its certificate has expired: issue a new one (docs/services/device-pcs.md, Certificates)",
        "not yet valid": "its certificate is not valid yet: is the clock of PC and controller right?",
        **dict.fromkeys(
            ("doesn't match", "mismatch"), "its certificate is for another name: give it one for this name"
        ),
        "ALERT_UNKNOWN_CA": "the PC does not accept the controller's certificate: its authority is not among the PC's",
        **dict.fromkeys(("self-signed", "self signed", "unable to get local issuer"), _FOREIGN),
    }
    for sign, cure in cures.items():
        if sign in text:
            return WinrmError(Kind.CERTIFICATE, f"{host}: {cure}")
    return WinrmError(
        Kind.CERTIFICATE, f"{host}: TLS failed ({_short(error)}): an old Windows needs TLS 1.2 switched on"
    )


def _connection(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    text = str(error)
    if "NameResolution" in text or "Name or service not known" in text or "getaddrinfo" in text:
        cure = f"the name {endpoint.host} is not known: mend the inventory or the DNS"
    elif "Connection refused" in text:
        cure = "nobody listens there: WinRM is off (run enable-winrm.cmd on the PC) or the port is another one"
    elif "timed out" in text or "No route" in text:
        cure = "no answer: the PC is off, asleep or behind a firewall"
    else:
        cure = f"the connection broke ({_short(error)}): run again"
    return WinrmError(Kind.UNREACHABLE, f"{host}: {cure}")


def _fault(host: str, endpoint: Endpoint, error: Any) -> WinrmError:
    code = error.wsman_fault_code
    if code in _QUOTAS:
        return WinrmError(
            Kind.REFUSED,
            f"{host}: too many shells or operations of {endpoint.username}: try again when others ended",
        )
    if code == _NO_SHELL:
        return WinrmError(Kind.UNREACHABLE, f"{host}: WinRM was restarted meanwhile: run again")
    if code == 5:
        return WinrmError(Kind.REFUSED, f"{host}: {endpoint.username} may log on but is no administrator there")
    return WinrmError(Kind.REFUSED, f"{host}: WinRM refused (code {code}): {_short(error.reason)}")


def _credentials(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    who = endpoint.username or "the certificate's account"
    return WinrmError(
        Kind.REFUSED,
        f"{host}: {who} is refused: the password is wrong, the account is locked, or WinRM there does not take "
        f"{endpoint.transport}",
    )


def _silence(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    return WinrmError(Kind.TIME_OUT, f"{host}: the PC answered the door and then fell silent: is it overloaded?")


def _http(host: str, endpoint: Endpoint, error: Any) -> WinrmError:
    return WinrmError(
        Kind.REFUSED, f"{host}: an HTTP answer {error.code}, which is not WinRM's: is it another service's port?"
    )


_EXPLANATIONS: tuple[tuple[tuple[type[Exception], ...], Callable[..., WinrmError]], ...] = (
    ((requests.exceptions.SSLError,), _certificate),
    ((requests.exceptions.ReadTimeout,), _silence),
    ((requests.exceptions.ConnectionError, requests.exceptions.Timeout), _connection),
    ((winrm.exceptions.InvalidCredentialsError, winrm.exceptions.AuthenticationError), _credentials),
    ((winrm.exceptions.WSManFaultError,), _fault),
    ((winrm.exceptions.WinRMTransportError,), _http),
)


def _short(error: object) -> str:
    return " ".join(str(error).split())[:200]

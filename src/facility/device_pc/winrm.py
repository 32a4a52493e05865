# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to one device PC: WS-Management through pywinrm, one shell a PC and run, one kind of error.

Windows 7 allows a user 5 shells and 15 operations, and counts operations of a shell until it is closed (pywinrm issue
124); so there is one shell at a time, closed whatever happens, and a new one after every few commands.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
import winrm.exceptions
from winrm.protocol import Protocol

from .command import MAXIMUM_LENGTH, Scratch, Upload
from .trouble import Endpoint, Kind, WinrmError, explained

Result = TypeVar("Result")

COMMANDS_A_SHELL = 10
"""Each keeps one of the 15 operations that Windows 7 grants a user, until its shell is closed."""
OPERATION_SECONDS = 15
"""How long the PC may keep one request for output open; a longer command is asked again."""
IDLE = "PT60S"
"""After this Windows closes a shell that nobody uses. It keeps one of a broken run for hours else, of a user's five."""
PC_SECONDS = 600
"""How long one PC may take for all that is wanted of it, farewell included."""
_FAREWELL_SECONDS = 3
_EMPTY_ANSWERS = 50
"""So many answers without output and without an end are none of WinRM's."""
# cmd looks for programs in the current folder first, and then along PATH, in which any software may have put a folder
# that users can write to.
_SAFE = r'cd /d "%SystemRoot%\System32"& '
_UTF_8 = 65001


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit status and what it wrote, in UTF-8."""

    status: int
    output: str
    error: str


class DevicePc:
    """A PC with a shell. Use it as a context manager: the shell is closed whatever happens, unless the PC is gone.

    Attributes:
        clock_difference: the PC's clock minus the controller's in seconds, from the last answer; None before it.
    """

    def __init__(self, endpoint: Endpoint, seconds: float = PC_SECONDS) -> None:
        """Begin; nothing is sent yet, unless messages have to be sealed.

        Args:
            endpoint: the PC.
            seconds: how long it may take for everything, from now on.
        """
        self.endpoint = endpoint
        self.clock_difference: float | None = None
        self._shell = ""
        self._commands = 0
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._gone: WinrmError | None = None
        with self._explained_errors():
            self._protocol = _protocol(endpoint)
            self._limit_request()
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
        line = f"{_SAFE}{command}"
        if len(line) > MAXIMUM_LENGTH:
            raise ValueError(f"a command of {len(line)} characters: cmd takes {MAXIMUM_LENGTH}")
        if self._gone:
            raise self._gone
        with self._explained_errors():
            self._ensure_shell()
            self._commands += 1
            self._limit_request()
            # Nothing from here on is tried again: the PC may have begun.
            command_id = self._protocol.run_command(self._shell, line, console_mode_stdin=not stdin)
            try:
                if stdin:
                    self._limit_request()
                    self._protocol.send_command_input(self._shell, command_id, stdin, end=True)
                return self._await_end(command_id, command, seconds)
            except winrm.exceptions.WinRMError:
                raise
            except requests.exceptions.RequestException:
                # Whoever fell silent would not hear the farewell either.
                command_id = ""
                raise
            finally:
                if command_id:
                    self._farewell(lambda: self._protocol.cleanup_command(self._shell, command_id))

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
        if not upload.is_whole(answer.output) or answer.status:
            raise WinrmError(
                Kind.COMMAND_FAILED,
                f"{self.endpoint.host}: {upload.path} did not arrive whole: is the PC's disk full, or does a virus "
                "scanner hold the file? It is as it was before",
            )

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """Have a folder of this run's own there, closed to all but administrators; it is gone afterwards.

        Raises:
            WinrmError: when it can't be made.
        """
        scratch = Scratch.new()
        self.must(f"{Scratch.remove_all()} & {scratch.make()}", "a closed folder is there for what arrives")
        try:
            yield scratch
        finally:
            with contextlib.suppress(WinrmError):
                self.run(scratch.remove())

    def close(self) -> None:
        """Give the shell back; one of a PC that is gone meanwhile ends by itself."""
        shell, self._shell = self._shell, ""
        if shell and not self._gone:
            self._farewell(lambda: self._protocol.close_shell(shell))
        self._protocol.transport.close_session()

    def _ensure_shell(self) -> None:
        if self._shell and self._commands >= COMMANDS_A_SHELL:
            self._limit_request()
            self._protocol.close_shell(self._shell, close_session=False)
            self._shell = ""
        if not self._shell:
            self._shell = _twice(self._open_shell)
            self._commands = 0

    def _open_shell(self) -> str:
        self._limit_request()
        return str(self._protocol.open_shell(codepage=_UTF_8, noprofile=True, idle_timeout=IDLE))

    def _await_end(self, command_id: str, command: str, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        outputs, errors = bytearray(), bytearray()
        empty = 0
        while True:
            self._limit_request()
            asked, output, error = time.monotonic(), b"", b""
            with contextlib.suppress(winrm.exceptions.WinRMOperationTimeoutError):
                output, error, status, done = self._protocol.get_command_output_raw(self._shell, command_id)
                outputs += output
                errors += error
                if done:
                    return Answer(status, outputs.decode(errors="replace"), errors.decode(errors="replace"))
            # WinRM keeps a request open until there is output, or its time is over.
            empty = 0 if output or error or time.monotonic() - asked > 0.5 else empty + 1
            if empty >= _EMPTY_ANSWERS:
                raise ValueError("again and again neither output nor an end")
            if time.monotonic() > min(deadline, self._deadline - _FAREWELL_SECONDS):
                raise WinrmError(
                    Kind.TIME_OUT,
                    f"{self.endpoint.host}: ended after {min(seconds, self._seconds):.0f} s, it did not come to an "
                    f"end: {command[:80]}",
                )

    def _limit_request(self, most: float = OPERATION_SECONDS + 10, keep: float = _FAREWELL_SECONDS) -> None:
        """Let the next request end with the PC's deadline at the latest, and time for a farewell before it."""
        left = self._deadline - keep - time.monotonic()
        if left <= 0:
            raise WinrmError(
                Kind.TIME_OUT,
                f"{self.endpoint.host}: not done within {self._seconds:.0f} s, which is all that one PC gets: is it "
                "overloaded?",
            )
        wait = min(left, most)
        self._protocol.operation_timeout_sec = max(1, min(OPERATION_SECONDS, int(wait)))
        # requests takes a pair as well: how long to knock, and how long to wait for an answer.
        self._protocol.transport.read_timeout_sec = (  # type: ignore[assignment]
            min(self.endpoint.connect_seconds, wait),
            wait,
        )

    def _farewell(self, act: Callable[[], None]) -> None:
        """Tell the PC that something is no longer needed; it finds out itself when it doesn't hear."""
        with contextlib.suppress(Exception):
            self._limit_request(_FAREWELL_SECONDS, keep=0)
            act()

    @contextlib.contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn whatever fails into a WinrmError that names the cure, and keep in mind that the PC is gone."""
        try:
            yield
        except Exception as error:
            failure = explained(self.endpoint, error)
            if failure.kind is not Kind.COMMAND_FAILED and not isinstance(error, WinrmError):
                self._gone = failure
            if failure is error:
                raise
            raise failure from error

    def _note_clock(self, response: requests.Response, *_: object, **__: object) -> None:
        # Windows' HTTP service dates each answer. To the second, which is enough to judge minutes.
        stamp = response.headers.get("Date")
        if stamp:
            with contextlib.suppress(ValueError):
                self.clock_difference = (parsedate_to_datetime(stamp) - datetime.now(UTC)).total_seconds()


def _protocol(endpoint: Endpoint) -> Protocol:
    return Protocol(
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

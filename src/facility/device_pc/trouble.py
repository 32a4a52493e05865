# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between the controller and a PC, in one kind of error whose message names the PC and the cure.

Whatever pywinrm, requests, their XML and codecs raise belongs to the one PC that was asked, and stops no other.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import winrm.exceptions

_QUOTAS = frozenset({2150859173, 2150859174, 2150859175, 2150859176, 2150859179})
"""ERROR_WSMAN_QUOTA_MAX_SHELLS, _OPERATIONS and their like, for a user's and for the PC's limits."""
_NO_SHELL = 2150858843


class Kind(enum.Enum):
    """What went wrong between the controller and a PC."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TIME_OUT = "time-out"
    COMMAND_FAILED = "command failed"
    NONSENSE = "nonsense"


class WinrmError(Exception):
    """A PC could not be asked or did not do what it was asked; the message names the PC and the cure.

    Attributes:
        kind: which of the six kinds of trouble.
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


def explained(endpoint: Endpoint, error: Exception) -> WinrmError:
    """Return what an error means for this PC, whoever raised it: an answer that nobody thought of is the PC's, too."""
    if isinstance(error, WinrmError):
        return error
    host = f"{endpoint.host}:{endpoint.port}"
    for kinds, explain in _EXPLANATIONS:
        if isinstance(error, kinds):
            return explain(host, endpoint, error)
    if "FIPS" in str(error):
        return WinrmError(
            Kind.REFUSED,
            f"{host}: this controller runs in FIPS mode, which forbids what NTLM needs: use transport kerberos or "
            "certificate",
        )
    # Names of libraries' errors vary with the transport.
    if type(error).__module__.split(".")[0] in {"spnego", "winrm", "requests_ntlm", "kerberos"}:
        return WinrmError(Kind.REFUSED, f"{host}: log-on as {endpoint.username} failed: {_short(error)}")
    return nonsense(host, error)


def nonsense(host: str, error: Exception) -> WinrmError:
    """Return what an error means that comes of a PC's answer and of nothing that is known to go wrong."""
    what = f"{type(error).__name__}: {_short(error)}".rstrip(": ")
    return WinrmError(
        Kind.NONSENSE,
        f"{host}: an answer that makes no sense ({what}): run again; if it stays, look which program has the port, and "
        "restart the service WinRM there",
    )


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


def _overload(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    return WinrmError(
        Kind.TIME_OUT,
        f"{host}: WinRM could not even begin in time: the PC is overloaded: run again when it has less to do",
    )


def _authority(host: str, endpoint: Endpoint, error: Exception) -> WinrmError:
    return WinrmError(
        Kind.CERTIFICATE,
        f"{host}: a file of the controller can't be read ({_short(error)}): set ca_file, certificate "
        "and private_key to files that are there",
    )


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
    # Only where nothing runs yet: while a command runs, it means that there is no output so far.
    ((winrm.exceptions.WinRMOperationTimeoutError,), _overload),
    ((winrm.exceptions.InvalidCredentialsError, winrm.exceptions.AuthenticationError), _credentials),
    ((winrm.exceptions.WSManFaultError,), _fault),
    ((winrm.exceptions.WinRMTransportError,), _http),
    # Of OSError's kind are requests' own errors, too: what it read and could not understand.
    ((requests.exceptions.RequestException,), lambda host, _, error: nonsense(host, error)),
    ((ConnectionError, TimeoutError), _connection),
    ((OSError,), _authority),
)


def _short(error: object) -> str:
    return " ".join(str(error).split())[:200]

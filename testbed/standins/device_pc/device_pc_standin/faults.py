# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults that a German Windows answers to WS-Management requests, with Microsoft's codes."""

from dataclasses import dataclass


class WSManFaultError(Exception):
    """A request is refused; its one argument is the fault."""

    def __init__(self, fault: "Fault") -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Fault:
    """Why a request is refused.

    Attributes:
        code: Microsoft's number.
        side: "Sender" when the request is to blame, else "Receiver".
        subcode: WS-Management's own name.
        message: text for people.
    """

    code: int
    side: str
    subcode: str
    message: str


TIMED_OUT = Fault(
    2150858793, "Receiver", "w:TimedOut",
    "Der WS-Verwaltungsdienst kann den Vorgang nicht innerhalb der in OperationTimeout angegebenen Zeit abschließen.",
)  # fmt: skip
NOT_THERE = Fault(
    2150858843, "Sender", "w:InvalidSelectors",
    "Die Anforderung für die Windows-Remoteshell ist fehlgeschlagen, da die Shell auf dem Server nicht gefunden "
    "wurde. Mögliche Ursachen: Die angegebene Shell-ID ist falsch, oder die Shell ist auf dem Server nicht mehr "
    "vorhanden. Geben Sie die richtige Shell-ID an, oder erstellen Sie eine neue Shell.",
)  # fmt: skip
TOO_MANY_SHELLS = Fault(
    2150859173, "Sender", "w:QuotaLimit",
    "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten. Die für diesen Benutzer zulässige Anzahl von 5 "
    "gleichzeitigen Shells wurde überschritten. Schließen Sie vorhandene Shells, oder erhöhen Sie das Kontingent.",
)  # fmt: skip
TOO_MANY_OPERATIONS = Fault(
    2150859174, "Sender", "w:QuotaLimit",
    "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten. Die für diesen Benutzer zulässige Anzahl von 15 "
    "gleichzeitigen Vorgängen wurde überschritten. Schließen Sie vorhandene Vorgänge, oder erhöhen Sie das Kontingent.",
)  # fmt: skip
NOT_XML = Fault(
    2150858819, "Sender", "w:SchemaValidationError",
    "Die Anforderung enthält kein gültiges XML und kann nicht verarbeitet werden.",
)  # fmt: skip
TOO_LARGE = Fault(
    2150858805, "Sender", "w:EncodingLimit",
    "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten, da sie die zulässige Größe überschreitet.",
)  # fmt: skip
UNKNOWN_RESOURCE = Fault(
    2150858811, "Sender", "w:DestinationUnreachable",
    "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten. Der Ressourcen-URI wird nicht unterstützt.",
)  # fmt: skip
UNKNOWN_ACTION = Fault(
    2150858752, "Sender", "wsa:ActionNotSupported",
    "Die Aktion wird von diesem Dienst nicht unterstützt.",
)  # fmt: skip
BAD_PARAMETER = Fault(87, "Sender", "w:InternalError", "Falscher Parameter.")
FILE_NOT_FOUND = Fault(2, "Receiver", "w:InternalError", "Das System kann die angegebene Datei nicht finden.")

# SPDX-License-Identifier: GPL-3.0-or-later
"""schtasks, as on a German Windows: /create /xml, /query, /run, /end, /change, /delete."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from . import wine
from .answers import Answer, Call
from .drive import unix_path
from .task_xml import TaskError, UnknownAccountError, decode, parse, read
from .tasks import Scheduler

_VALUES = {
    "create": {"tn", "xml", "ru", "rp", "s", "u", "p"},
    "query": {"tn", "fo", "s", "u", "p"},
    "run": {"tn", "s", "u", "p"},
    "end": {"tn", "s", "u", "p"},
    "delete": {"tn", "s", "u", "p"},
    "change": {"tn", "s", "u", "p", "ru", "rp"},
}
_FLAGS = {
    "create": {"f"}, "query": {"xml", "v", "nh"}, "run": {"i"}, "end": set(), "delete": {"f"},
    "change": {"enable", "disable"},
}  # fmt: skip
_NOT_FOUND = "FEHLER: Das System kann die angegebene Datei nicht finden."


class _RefusedError(Exception):
    """The call is refused; its arguments are the exit code and what is printed."""


def run(call: Call, scheduler: Scheduler) -> Answer:
    """Do what schtasks was called for."""
    try:
        verb, given = _read(call.arguments)
        if verb == "query":
            return _query(given, scheduler)
        act = {"create": _create, "delete": _delete, "change": _change}.get(verb, _run_or_end)
        return act(verb, given, call, scheduler)
    except KeyError:
        return Answer(1, err=_NOT_FOUND + "\r\n")
    except _RefusedError as error:
        code, text = error.args
        return Answer(code, err=f"{text}\r\n")


def _read(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """Return what is to be done and the options."""
    verb = arguments[0].lstrip("/-").lower() if arguments and arguments[0][:1] in "/-" else "query"
    rest = arguments[1:] if arguments and arguments[0][:1] in "/-" else arguments
    if verb not in _VALUES:
        raise _wrong(f"Ungültiges Argument/Option: '{arguments[0]}'.", "")
    given: dict[str, str] = {}
    words = iter(rest)
    for word in words:
        name = word[1:].lower() if word[:1] in "/-" else ""
        if name in _FLAGS[verb]:
            given[name] = ""
        elif name in _VALUES[verb]:
            value = next(words, None)
            if value is None:
                raise _wrong(f"Ungültige Syntax. Für '{word}' wird ein Wert erwartet.", verb)
            given[name] = value
        else:
            raise _wrong(f"Ungültiges Argument/Option: '{word}'.", verb)
    if {"s", "u", "p"} & given.keys():
        raise _RefusedError(1, "FEHLER: Der RPC-Server ist nicht verfügbar.")
    if "tn" not in given and verb != "query":
        raise _wrong("Ungültige Syntax. Die obligatorische Option 'tn' fehlt.", verb)
    return verb, given


def _create(verb: str, given: dict[str, str], call: Call, scheduler: Scheduler) -> Answer:
    name = given["tn"]
    if "xml" not in given:
        raise _wrong("Ungültige Syntax. Die obligatorische Option 'sc' fehlt.", verb)
    if any(letter in name for letter in '<>:/*?|"'):
        raise _RefusedError(1, "FEHLER: Die Syntax für den Dateinamen oder Verzeichnisnamen ist falsch.")
    try:
        data = unix_path(given["xml"], call.folder).read_bytes()
    except (OSError, ValueError) as error:
        raise _RefusedError(1, _NOT_FOUND) from error
    known = {entry.strip("\\").casefold() for entry in scheduler.names()}
    if "f" not in given and name.strip("\\").casefold() in known:
        # It asks, and standard input over WinRM answers nothing.
        question = f'WARNUNG: Der Aufgabenname "{name}" ist bereits vorhanden. Möchten Sie ihn ersetzen (J/N)?'
        raise _RefusedError(1, f"{question} \r\nFEHLER: Ungültige Eingabe.")
    try:
        scheduler.register(name, decode(data))
    except TaskError as error:
        text = "FEHLER: Die Aufgaben-XML enthält einen Wert, der falsch formatiert ist oder außerhalb des zulässigen "
        raise _RefusedError(1, f"{text}Bereichs liegt.\r\n{error}") from error
    except UnknownAccountError as error:
        text = "FEHLER: Zuordnungen von Kontennamen und Sicherheitskennungen wurden nicht durchgeführt."
        raise _RefusedError(1, text) from error
    return Answer(0, f'ERFOLGREICH: Die geplante Aufgabe "{name}" wurde erfolgreich erstellt.\r\n')


def _delete(_: str, given: dict[str, str], call: Call, scheduler: Scheduler) -> Answer:
    name = given["tn"]
    scheduler.definition(name)
    if "f" not in given:
        return Answer(1, err=f'WARNUNG: Soll die Aufgabe "{name}" wirklich entfernt werden (J/N)? \r\n')
    scheduler.delete(name)
    return Answer(0, f'ERFOLGREICH: Die geplante Aufgabe "{name}" wurde erfolgreich gelöscht.\r\n')


def _change(verb: str, given: dict[str, str], call: Call, scheduler: Scheduler) -> Answer:
    if ("enable" in given) == ("disable" in given):
        raise _wrong("Ungültige Syntax.", verb)
    scheduler.enable(given["tn"], enabled="enable" in given)
    return Answer(0, f'ERFOLGREICH: Die Parameter der geplanten Aufgabe "{given["tn"]}" wurden geändert.\r\n')


def _run_or_end(verb: str, given: dict[str, str], call: Call, scheduler: Scheduler) -> Answer:
    name = given["tn"]
    if verb == "end":
        scheduler.end(name)
        return Answer(0, f'ERFOLGREICH: Die geplante Aufgabe "{name}" wurde erfolgreich beendet.\r\n')
    try:
        scheduler.run(name)
    except PermissionError:
        return Answer(1, err="FEHLER: Die Aufgabe ist deaktiviert.\r\n")
    return Answer(0, f'ERFOLGREICH: Es wurde versucht, "{name}" auszuführen.\r\n')


def _query(given: dict[str, str], scheduler: Scheduler) -> Answer:
    names = scheduler.names()
    if "tn" in given:
        wanted = given["tn"].strip("\\").casefold()
        names = [name for name in names if name.strip("\\").casefold() == wanted]
        if not names:
            return Answer(1, err=_NOT_FOUND + "\r\n")
    if "xml" in given:
        # The declaration says UTF-16, whatever the console's code page is: so does Microsoft's.
        return Answer(0, "\r\n\r\n".join(scheduler.definition(name) for name in names) + "\r\n")
    form = given.get("fo", "table").lower()
    if form not in {"table", "list", "csv"}:
        raise _wrong(f"Ungültiger Wert für die Option /fo: '{given['fo']}'.", "query")
    rows = [_row(name, scheduler, verbose="v" in given) for name in names]
    if form == "csv":
        lines = [",".join(f'"{value}"' for value in row.values()) for row in rows]
        if rows and "nh" not in given:
            lines.insert(0, ",".join(f'"{title}"' for title in rows[0]))
    elif form == "list":
        lines = [f"{title + ':':<37}{value}" for row in rows for title, value in (*row.items(), ("", ""))]
    else:
        lines = ["  ".join(f"{value:<30}" for value in row.values()) for row in rows]
    return Answer(0, "\r\n".join(lines) + "\r\n")


def _row(name: str, scheduler: Scheduler, *, verbose: bool) -> dict[str, str]:
    zone = ZoneInfo(wine.ZONE)
    state, task = scheduler.state(name), read(parse(scheduler.definition(name)))
    planned = scheduler.next_run(name)
    status = "Wird ausgeführt" if scheduler.is_running(name) else "Bereit" if task.enabled else "Deaktiviert"
    row = {
        "Hostname": wine.computer_name(),
        "Aufgabenname": name,
        "Nächste Laufzeit": _local(planned, zone) if planned else "Nicht zutreffend",
        "Status": status,
    }
    if verbose:
        last = datetime.fromtimestamp(state.last_run, UTC) if state.last_run else None
        row |= {
            "Letzte Laufzeit": _local(last, zone) if last else "30.11.1999 00:00:00",
            "Letztes Ergebnis": str(state.last_result - (1 << 32) if state.last_result >> 31 else state.last_result),
            "Auszuführende Aufgabe": f"{task.command} {task.arguments}".strip(),
            "Status der geplanten Aufgabe": "Aktiviert" if task.enabled else "Deaktiviert",
            "Ausführen als Benutzer": task.principal,
        }
    return row


def _local(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%d.%m.%Y %H:%M:%S")


def _wrong(text: str, verb: str) -> _RefusedError:
    hint = f'Geben Sie "SCHTASKS /{verb.upper()} /?" ein, um die Syntax anzuzeigen.' if verb else ""
    return _RefusedError(0x80004005, f"FEHLER: {text}\r\n{hint}")

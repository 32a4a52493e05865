# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of people and of who was in which session, as other systems and spreadsheets give them: CSV and XLSX.

CSV comes in any of Excel's dialects. Nothing is guessed that could be wrong in silence: a date that may be two days, a
formula, or a column that nobody knows is a problem with its line. XLSX is read with openpyxl.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..people.entries import RegisterError, hint

LARGEST = 2_000_000
MOST_ROWS = 1_000
LONGEST_CELL = 500
_UNPACKED = 50_000_000
_ZIP = b"PK\x03\x04"
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+$)")
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a list has, and how its cells are read.

    Attributes:
        names: by column what it is called in files, read without case, blanks, hyphens and underscores; the column's
            own name is among it.
        needed: columns without which the list says nothing.
        days: columns of days.
        logins: columns of logins, which are written in lower case.
        words: by column what its values are called elsewhere, in lower case; a word that is not among it stays as it
            is, for the rules to refuse.
    """

    names: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]
    days: tuple[str, ...] = ()
    logins: tuple[str, ...] = ("login",)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(self.names)


_LOGIN = ("login", "account", "user", "username", "anmeldename", "benutzer", "kennung")
PEOPLE = Layout(
    {
        "login": _LOGIN,
        "given_name": ("givenname", "firstname", "vorname"),
        "family_name": ("familyname", "lastname", "surname", "nachname", "familienname"),
        "mail": ("mail", "email", "emailaddress", "mailadresse"),
        "kind": ("kind", "art"),
        "research_group": ("researchgroup", "group", "arbeitsgruppe", "gruppe", "ag"),
        "valid_from": ("validfrom", "from", "von", "beginn"),
        "valid_until": ("validuntil", "until", "end", "bis", "ende", "gültigbis"),
    },
    needed=("login", "given_name", "family_name", "mail"),
    days=("valid_from", "valid_until"),
)
SESSIONS = Layout(
    {
        "login": (*_LOGIN, "person"),
        "about": ("about", "what", "session", "briefing", "training", "requirement", "instrument", "worüber", "thema",
                  "unterweisung", "einweisung", "gerät"),
        "date": ("date", "day", "heldon", "datum", "tag"),
        "by": ("by", "givenby", "trainer", "durch", "gehaltenvon", "trainerin"),
        "result": ("result", "ergebnis"),
        "form": ("form",),
    },
    needed=("login", "about", "date", "by", "result"),
    days=("date",),
    logins=("login", "by"),
    words={
        "result": {"teilgenommen": "attended", "bestanden": "passed", "nicht bestanden": "failed"},
        "form": {"mündlich": "oral", "elektronisch": "electronic"},
    },
)  # fmt: skip

Row = tuple[int, dict[str, str]]
"""The line in the file, and its cells by column."""


def rows(content: bytes, layout: Layout) -> list[Row]:
    """The lines of a file, as its layout reads them.

    Raises:
        RegisterError: With all problems, each with its line.
    """
    if len(content) > LARGEST:
        raise RegisterError([f"the file is larger than {LARGEST // 1_000_000} MB: split it"])
    lines = list(_xlsx(content) if content.startswith(_ZIP) else _csv(content))
    if not lines:
        begin = ";".join(layout.columns[:2])
        raise RegisterError([f"the file is empty: begin with a line that names the columns, as {begin};…"])
    if len(lines) > MOST_ROWS + 1:
        raise RegisterError([f"the file has more than {MOST_ROWS} lines: split it"])
    number, header = lines[0]
    columns, problems = _columns(number, header, layout)
    found = []
    for line, cells in lines[1:]:
        if not any(cells):
            continue
        row, wrong = _row(line, cells, columns, layout)
        problems += wrong
        found.append((line, row))
    if problems:
        raise RegisterError(problems)
    return found


def written(listed: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    """Rows as CSV that every Excel reads as text and nobody's runs: a cell that looks like a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    for row in listed:
        cells = [row.get(column, "") for column in columns]
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells])
    return "\ufeff" + text.getvalue()


def _columns(line: int, header: Sequence[str], layout: Layout) -> tuple[list[str], list[str]]:
    known = {alias: column for column, aliases in layout.names.items() for alias in aliases}
    columns: list[str] = []
    problems = []
    for cell in header:
        column = known.get(re.sub(r"[\s_-]+", "", cell.casefold()), "")
        if not column and cell:
            problems.append(f'line {line}: unknown column "{cell}": {hint(cell.casefold(), known)}')
        elif column and column in columns:
            problems.append(f'line {line}: column "{cell}" is there twice: remove one')
        columns.append(column)
    problems += [f"line {line}: column {name} is missing: add it" for name in layout.needed if name not in columns]
    return columns, problems


def _row(
    line: int, cells: Sequence[str], columns: Sequence[str], layout: Layout
) -> tuple[dict[str, str], list[str]]:  # fmt: skip
    problems = []
    row = {}
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        problems.append(f"line {line}: has more cells than there are columns: look for a ; or , within a name")
    for column, cell in zip(columns, cells, strict=False):
        if not column or not cell:
            continue
        if _FORMULA.match(cell):
            problems.append(f'line {line}, {column}: "{cell[:40]}" is a formula: write what it gives')
        elif len(cell) > LONGEST_CELL:
            problems.append(f"line {line}, {column}: is longer than {LONGEST_CELL} characters")
        else:
            row[column] = _value(column, cell, layout)
    row["login"] = row.get("login", "")
    return row, problems


def _value(column: str, cell: str, layout: Layout) -> str:
    if column in layout.days:
        return _day(cell)
    if column in layout.logins:
        return cell.lower()
    if column in layout.words:
        return layout.words[column].get(cell.casefold(), cell.lower())
    return cell


def _day(cell: str) -> str:
    """A day as 2026-12-31; what is none of the two ways to write one stays, for the rules to refuse."""
    german = _GERMAN_DAY.fullmatch(cell)
    return f"{german[3]}-{int(german[2]):02}-{int(german[1]):02}" if german else cell


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _text(content)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [" ".join(cell.split()) if cell[:1] not in "\t\r" else cell for cell in cells]
    except csv.Error as error:
        raise RegisterError([f"line {reader.line_num}: is no CSV ({error}): save the file as CSV UTF-8"]) from None


def _text(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        # Windows' own alphabet, where a file is no UTF-8: what Excel writes as "CSV".
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise RegisterError(["the file is no text: save it as CSV UTF-8, or as XLSX"])


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - it takes a while, and few pages need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0] if unpacked < _UNPACKED else None
        lines = [] if sheet is None else list(sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=50))
    # A file that was made to break the reader breaks it in any way.
    except Exception as error:
        fault = f"the file is no XLSX that can be read ({type(error).__name__}): save it as CSV"
        raise RegisterError([fault]) from None
    if sheet is None:
        raise RegisterError(["the file unpacks to far more than such a list has: save it as CSV"])
    for number, row in enumerate(lines, start=1):
        yield number, [_cell(cell) for cell in row]


def _cell(cell: Any) -> str:  # noqa: ANN401 - openpyxl's
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())

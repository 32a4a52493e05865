# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of new people and of sessions: looked at as a whole, with all that is wrong, and recorded as a whole or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from ...people.entries import RegisterError
from .. import ledger, session_lists, tables
from ..ledger import Change
from ..log_in import staff_only
from ..tables import Layout, Row
from .acts import carry_out


@staff_only
def people(request: HttpRequest) -> HttpResponse:
    """New people: the form, its preview and the act."""

    def change(rows: Sequence[Row]) -> Change:
        new = [{"fact": "person", "id": ledger.new_id("person"), "kind": "researcher", **row} for _line, row in rows]
        return Change("new people from a list", new, lines=[f"line {line}" for line, _row in rows])

    return _list(request, "register/table.html", tables.PEOPLE, change)


@staff_only
def sessions(request: HttpRequest) -> HttpResponse:
    """Briefings and trainings that took place: the form, its preview and the act."""
    return _list(request, "register/session_table.html", tables.SESSIONS, session_lists.change)


def _list(
    request: HttpRequest, template: str, layout: Layout, of_rows: Callable[[Sequence[Row]], Change]
) -> HttpResponse:
    """A list of one layout; with step=problems the lines that make no sense, as a file."""
    content = _content(request)
    problems: list[str] = []
    rows: list[Row] = []
    try:
        rows = tables.rows(content, layout) if content else []
    except RegisterError as error:
        problems = error.problems
    if request.POST.get("step") == "problems":
        return _as_file(request.POST.get("all_problems", "").splitlines())

    def change() -> Change:
        if problems or not rows:
            raise RegisterError(problems or [_("Choose the file: CSV or XLSX.")])
        return of_rows(rows)

    kept = tables.written([row for _line, row in rows], layout.columns) if rows else ""
    cells = [[row.get(name, "") for name in layout.columns] for _line, row in rows]
    context = {"table": kept, "rows": cells, "columns": layout.columns, "line_end": "\n"}
    return carry_out(request, template, context, change, lambda _proposal: redirect("people"))


def _content(request: HttpRequest) -> bytes:
    if "file" in request.FILES:
        content: bytes = request.FILES["file"].read(tables.LARGEST + 1)
        return content
    return str(request.POST.get("table", "")).encode()


def _as_file(problems: list[str]) -> HttpResponse:
    lines = [{"problem": problem} for problem in problems]
    return HttpResponse(
        tables.written(lines, ["problem"]), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="problems.csv"'},
    )  # fmt: skip

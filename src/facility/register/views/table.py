# SPDX-License-Identifier: GPL-3.0-or-later
"""New people from a list: looked at as a whole, with every line that makes no sense, and recorded as a whole or not."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from ...people.entries import RegisterError
from .. import ledger, tables
from ..ledger import Change
from ..log_in import staff_only
from .acts import carry_out

_COLUMNS = ("login", "given_name", "family_name", "mail", "kind", "research_group", "valid_from", "valid_until")


@staff_only
def people(request: HttpRequest) -> HttpResponse:
    """The form, its preview and the act; with step=problems the lines that make no sense, as a file."""
    content = _content(request)
    problems: list[str] = []
    rows: list[tables.Row] = []
    try:
        rows = tables.people(content) if content else []
    except RegisterError as error:
        problems = error.problems
    if request.POST.get("step") == "problems":
        return _as_file(request.POST.get("all_problems", "").splitlines())

    def change() -> Change:
        if problems or not rows:
            raise RegisterError(problems or [_("Choose the file: CSV or XLSX.")])
        new = [{"fact": "person", "id": ledger.new_id("person"), "kind": "researcher", **row} for _line, row in rows]
        return Change("new people from a list", new, lines=[f"line {line}" for line, _row in rows])

    kept = tables.written([row for _line, row in rows], _COLUMNS) if rows else ""
    cells = [[row.get(name, "") for name in _COLUMNS] for _line, row in rows]
    context = {"table": kept, "all_problems": "\n".join(problems), "rows": cells, "columns": _COLUMNS}
    return carry_out(request, "register/table.html", context, change, lambda _proposal: redirect("people"))


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

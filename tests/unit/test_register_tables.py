# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of people come as Excel writes them, and what could be read wrongly in silence is refused with its line."""

import io
import re
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from facility.people.entries import RegisterError
from facility.register import tables

HEADER = ["login", "given_name", "family_name", "mail", "research_group", "valid_until"]
MUELLER = ["jmueller", "Jörg", "Müller-Lüdenscheidt", "j.mueller@example.org", "neuro", "2027-01-31"]
ROW = dict(zip(HEADER, MUELLER, strict=True))


def people(content):
    return tables.rows(content, tables.PEOPLE)


def csv(header=HEADER, row=MUELLER, delimiter=";", end="\r\n"):
    return f"{delimiter.join(header)}{end}{delimiter.join(row)}{end}"


def xlsx(*lines):
    book = Workbook()
    for line in lines:
        book.active.append(line)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_dialect_of_excel_gives_the_same_people(delimiter, encoding, end):
    assert people(csv(delimiter=delimiter, end=end).encode(encoding)) == [(2, ROW)]


def test_a_workbook_gives_the_same_people_with_its_own_days():
    assert people(xlsx(HEADER, [*MUELLER[:-1], date(2027, 1, 31)])) == [(2, ROW)]


def test_german_columns_days_and_empty_lines_are_understood():
    header = ["Anmeldename", "Vorname", "Nachname", "E-Mail", "Arbeitsgruppe", "Bis"]
    text = csv(header, [*MUELLER[:-1], "31.1.2027"]) + ";;;;;\r\n"
    assert people(text.encode()) == [(2, ROW)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "the file is no text"),
        (csv(row=["=cmd|' /C calc'!A0", *MUELLER[1:]]).encode(), "line 2, login: \"=cmd|' /C calc'!A0\" is a formula"),
        (csv(row=[MUELLER[0], "+1+1", *MUELLER[2:]]).encode(), "line 2, given_name"),
        (csv(row=[MUELLER[0], "@SUM(A1)", *MUELLER[2:]]).encode(), "is a formula"),
        (csv(["login", "vornamen", "family_name", "mail"]).encode(), 'column "vornamen": did you mean "vorname"?'),
        (csv(["login", "given_name", "family_name"]).encode(), "column mail is missing"),
        (csv(["login", "login", "given_name", "family_name", "mail"]).encode(), 'column "login" is there twice'),
        (csv(row=[*MUELLER, "more"]).encode(), "line 2: has more cells"),
        (csv(row=["x" * 501, *MUELLER[1:]]).encode(), "line 2, login: is longer than 500"),
        (b'login;given_name;family_name;mail\r\n"a;b;c;d', "is no CSV"),
        (b"x" * 2_000_001, "larger than 2 MB"),
        ((csv() + (";".join(MUELLER) + "\n") * 1000).encode(), "more than 1000 lines"),
        (b"PK\x03\x04 and no archive", "is no XLSX"),
        (xlsx(HEADER, ["=A1", *MUELLER[1:]]), "is a formula"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_people_is_refused_with_line_and_cure(content, words):
    with pytest.raises(RegisterError) as caught:
        people(content)
    assert words in str(caught.value)


def test_an_archive_that_unpacks_without_end_is_not_unpacked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    with pytest.raises(RegisterError, match="unpacks to far more"):
        people(packed.getvalue())


cells = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(cells, cells, cells, cells), max_size=5))
def test_what_is_written_is_read_back_or_refused_and_never_runs(rows):
    listed = [dict(zip(HEADER[:4], row, strict=True)) for row in rows]
    text = tables.written(listed, HEADER[:4])
    for line in text.removeprefix("\ufeff").splitlines()[1:]:
        assert not re.match(r'"?[=@]', line)
    try:
        read = people(text.encode())
    except RegisterError:
        return
    for _line, row in read:
        assert set(row) <= set(HEADER[:4])


def test_a_list_is_previewed_and_recorded_as_a_whole_or_not_at_all(browser):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from facility.register.models import Entry

    def send(text, step, **more):
        return browser.post("/new-people/", {"step": step, "file": SimpleUploadedFile("l.csv", text.encode()), **more})

    second = ["bnew", "Bea", "New", "b.new@example.org", "neuro", "2027-01-31"]
    good = csv() + ";".join(second) + "\r\n"
    before = Entry.objects.count()
    preview = send(good, "preview").content.decode()
    assert "Jörg Müller-Lüdenscheidt" in preview and Entry.objects.count() == before
    table = re.search(r'name="table" value="([^"]+)"', preview)[1]
    assert browser.post("/new-people/", {"step": "make", "table": table}).status_code == 302
    assert Entry.objects.count() == before + 2
    bad = send(good.replace("b.new@", "other@").replace("bnew", "cnew").replace("neuro;2027", "nuero;2027"), "make")
    assert bad.status_code == 422
    page = bad.content.decode()
    assert "line 2: " in page and "line 3: research_group" in page and "nuero" in page
    assert Entry.objects.count() == before + 2
    unread = send(good.replace("Bea", "=1+1"), "preview").content.decode()
    problems = re.search(r'name="all_problems" hidden>([^<]+)<', unread)[1]
    saved = browser.post("/new-people/", {"step": "problems", "all_problems": problems})
    assert saved["Content-Disposition"].startswith("attachment") and b"line 3" in saved.content

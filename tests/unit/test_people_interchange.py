# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as text: what is written is read back to the same decisions; what was touched is refused with its line."""

from __future__ import annotations

import json
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facility.people.access import decide
from facility.people.entries import RegisterError
from facility.people.fact_fields import KIND_OF_FACT, entry_of
from facility.people.facts import Facts
from facility.people.interchange import SCHEMA, _canonical, _sum, read_folder, read_lines, written
from tests.people_facts import attended, colleagues, day, days, histories, person, policy

IRINA = person("irina", "it_admin")


def some_facts() -> Facts:
    return Facts.of(
        [*colleagues(), person(given_name="Änne"), *attended("safety", day(3)), *attended("lamp", day(5), 2)]
    )


def refusal(text: str) -> str:
    with pytest.raises(RegisterError) as refused:
        read_lines(text, policy(), [IRINA])
    return refused.value.problems[0]


@given(histories(), days, days)
def test_an_export_read_back_gives_the_same_facts_and_decisions(facts, on, known_on):
    before = Facts.of(facts)
    after = read_lines(written(before), policy(), before.administrators)
    assert after == before
    for known in (before.known(), before.known(known_on)):
        again = after.known(known.day)
        assert [decide(who, known, policy(), on) for who in known.people.values()] == [
            decide(who, again, policy(), on) for who in again.people.values()
        ]


@given(histories(), st.randoms())
def test_the_same_facts_are_always_the_same_text(facts, random):
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert written(Facts.of(facts)) == written(Facts.of(shuffled))


def test_an_export_says_its_schema_first_is_sorted_and_has_no_administrator():
    lines = [json.loads(line) for line in written(some_facts()).splitlines()]
    assert lines[0]["schema"] == SCHEMA
    names = [(line["fact"], line["id"]) for line in lines[1:-1]]
    assert names == sorted(names)
    assert lines[-1]["facts"] == len(names)
    assert not any("irina" in json.dumps(line) for line in lines)
    assert "Änne" in written(some_facts())


@given(st.data())
def test_any_change_of_a_line_is_refused_with_a_line_s_number(data):
    text = written(some_facts())
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda one: one != text[at]))
    changed = text[:at] + letter + text[at + 1 :]
    number = text.count("\n", 0, at) + 1
    found = refusal(changed)
    assert found.startswith("export, line ")
    assert int(found.split("line ")[1].split(":")[0]) in {number, number + 1, number - 1, text.count("\n") + 1}


@given(st.data())
def test_an_export_that_was_cut_off_anywhere_is_refused(data):
    text = written(some_facts())
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    whole = cut.count("\n")
    assert refusal(cut).startswith(f"export, line {whole + 1}: ")


def test_a_line_that_was_changed_is_named_by_its_number():
    lines = written(some_facts()).splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if '"fact":"session"' in line)
    lines[number - 1] = lines[number - 1].replace("2026-01-04", "2026-07-04")
    assert refusal("".join(lines)).startswith(f"export, line {number}: isn't as it was written: ")


@pytest.mark.parametrize(
    "moved",
    [
        lambda lines: lines[:2] + lines[3:],
        lambda lines: [*lines[:2], lines[1], *lines[2:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    ],
)
def test_a_line_that_was_left_out_doubled_or_moved_is_found(moved):
    found = refusal("".join(moved(written(some_facts()).splitlines(keepends=True))))
    assert found.startswith(("export, line 3: isn't as", "export, line 2: isn't as"))


def made(*bodies) -> str:
    """Lines with right sums, as somebody makes them who knows how."""
    before, lines = "", []
    for body in bodies:
        before = _sum(before, body)
        lines.append(_canonical({**body, "sum": before}) + "\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "export, line 1: the last line is missing"),
        ("[]\n", "export, line 1: must be keys and values"),
        ("{\n", "export, line 1: is no JSON"),
        ("[" * 15_000 + "\n", "export, line 1: is no JSON"),
        ("x" * 2_000_000 + "\n", "export, line 1: is longer than 20000 characters"),
        (made({"schema": 2}, {"facts": 0}), "export, line 1: schema is 2, must be 1"),
        (made({"facts": 0}), "export, line 1: schema is None, must be 1"),
        (made({"schema": 1}, {"facts": 1}), "export, line 2: 0 facts are there, 1 were written"),
        (made({"schema": 1}, {"facts": 0}, {"facts": 0}), "export, line 3: comes after the last line"),
        (
            made({"schema": 1}, {"fact": "wish", "id": "x"}, {"facts": 1}),
            "export, line 2: is no fact that this version",
        ),
    ],
)
def test_what_is_no_export_is_refused_in_words(text, problem):
    assert refusal(text).startswith(problem)


def test_an_export_that_someone_made_anew_with_an_administrator_or_nonsense_is_refused_by_the_rules():
    rogue = {"fact": "person", **entry_of(person("eve", "staff")), "kind": "it_admin"}
    assert 'kind "it_admin" doesn\'t exist' in refusal(made({"schema": 1}, rogue, {"facts": 1}))
    block = {"fact": "block", "id": "b", "person": "irina", "from": "2026-01-01", "reason": "left",
             "recorded_by": "irina", "recorded_at": "2026-01-01"}  # fmt: skip
    assert "IT administrator, who is never changed" in refusal(made({"schema": 1}, block, {"facts": 1}))
    copy = {"fact": "person", **entry_of(person("irina", "staff", id="copy"))}
    assert 'login "irina" is also that of' in refusal(made({"schema": 1}, copy, {"facts": 1}))


# --- The folder of YAML -----------------------------------------------------------------------------------------------


def folder_with(tmp_path, **files):
    (tmp_path / "register/facts").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / f"register/facts/{name}.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / "register"


def test_the_folder_takes_the_same_entries_as_an_export(tmp_path):
    facts = attended("safety", day(3))
    texts = {
        f"f{number}": yaml.safe_dump({KIND_OF_FACT[type(fact)].key: [entry_of(fact)]})
        for number, fact in enumerate(facts)
    }
    people = [*colleagues(), person()]
    assert read_folder(folder_with(tmp_path, **texts), people, policy()) == Facts.of([*people, *facts])


def test_a_register_without_facts_has_its_people_alone(tmp_path):
    people = [*colleagues(), person()]
    assert read_folder(tmp_path, people, policy()) == Facts.of(people)
    assert read_folder(folder_with(tmp_path, empty="# nothing yet\n"), people, policy()) == Facts.of(people)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sessions: [\n", "facts/f.yml, line 2: "),
        ("- a\n", "facts/f.yml: must have keys at its top, of people, sessions, attendances"),
        ("session: []\n", 'facts/f.yml: unknown key "session": did you mean "sessions"?'),
        ("sessions: {a: b}\n", "facts/f.yml, sessions: must be a list, is dict: begin each entry with a dash"),
        ("sessions: [x]\n", 'facts/f.yml, sessions, entry 1: must be keys and values, is "x": write key: value'),
        ("sessions:\n  - {id: s}\n", 'facts/f.yml, sessions, entry 1 (id "s"): recorded_by is missing: add it'),
        ("sessions:\n  - {id: s, id: t}\n", 'facts/f.yml, line 2: "id" is given twice: mend the YAML there'),
        (b"people: [M\xfcller]\n", "facts/f.yml: is no UTF-8 text (byte 10): save it as UTF-8"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_place(tmp_path, text, problem):
    with pytest.raises(RegisterError) as refused:
        read_folder(folder_with(tmp_path, f=text), [person()], policy())
    assert refused.value.problems[0].startswith(problem)


def test_problems_of_all_files_are_named_at_once(tmp_path):
    folder = folder_with(tmp_path, a="sessions: [\n", b="sessions:\n  - {id: s}\n", c="wishes: []\n")
    with pytest.raises(RegisterError) as refused:
        read_folder(folder, [*colleagues(), person()], policy(), date(2026, 1, 1))
    assert {problem.split(",")[0].split(":")[0] for problem in refused.value.problems} == {
        "facts/a.yml", "facts/b.yml", "facts/c.yml",
    }  # fmt: skip

# SPDX-License-Identifier: GPL-3.0-or-later
"""The people register: what is good is returned complete, what is bad is refused with file, entry and cure."""

from __future__ import annotations

import datetime
from copy import deepcopy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facility.people import register
from facility.people.register import RegisterError

FILE = "register/people.yml"
FACILITY_FILE = "group_vars/all/facility.yml"
FACILITY = {
    "research_groups": [{"name": "neuro", "title": "Neuronal Circuits"}, {"name": "plant", "title": "Plant Cells"}],
    "instruments": [
        {"name": "confocal-1", "title": "Confocal 1", "host": "mic1", "location": "Room 1", "biosafety": "none"},
        {"name": "confocal-2", "title": "Confocal 2", "host": "mic2", "location": "Room 2", "biosafety": "S2"},
    ],
    "time_zone": "Europe/Berlin",
}


def researcher(**changes):
    person = {
        "login": "aadler",
        "given_name": "Anna",
        "family_name": "Adler",
        "mail": "anna.adler@neuro.example.org",
        "kind": "researcher",
        "research_group": "neuro",
        "valid_until": "2027-03-31",
    }
    return {key: value for key, value in {**person, **changes}.items() if value is not ...}


def staff(**changes):
    person = {
        "login": "sstein",
        "given_name": "Sabine",
        "family_name": "Stein",
        "mail": "s@example.org",
        "kind": "staff",
    }
    return {**person, **changes}


def problems(*people, facility=FACILITY):
    with pytest.raises(RegisterError) as refused:
        register.validated(FILE, {"people": list(people)}, facility)
    assert all("\n" not in problem for problem in refused.value.problems)
    return refused.value.problems


def facility_with(key, number, **changes):
    facility = deepcopy(FACILITY)
    entry = facility[key][number]
    entry.update(changes)
    facility[key][number] = {name: value for name, value in entry.items() if value is not ...}
    return facility


def test_a_good_register_is_returned_complete_and_sorted():
    result = register.validated(FILE, {"people": [staff(), researcher()]}, FACILITY)
    assert [person["login"] for person in result["people"]] == ["aadler", "sstein"]
    assert result["people"][0] == researcher()
    assert result["people"][1] == staff(research_group=None, valid_until=None)
    assert result["research_groups"] == FACILITY["research_groups"]
    assert result["instruments"] == FACILITY["instruments"]
    assert result["time_zone"] == "Europe/Berlin"


def test_a_date_that_yaml_has_parsed_already_is_as_good_as_text():
    result = register.validated(FILE, {"people": [researcher(valid_until=datetime.date(2027, 3, 31))]}, FACILITY)
    assert result["people"][0]["valid_until"] == "2027-03-31"


PERSON = f'{FILE}, entry 1 (login "aadler"): '


@pytest.mark.parametrize(
    ("person", "problem"),
    [
        (researcher(researchgroup="neuro"), 'unknown key "researchgroup": did you mean "research_group"?'),
        (
            researcher(shoe_size="42"),
            'unknown key "shoe_size": remove it; the keys are login, given_name, family_name, mail, kind, '
            "research_group, valid_until",
        ),
        (researcher(family_name=...), "family_name is missing: add it"),
        (researcher(family_name=None), "family_name is missing: add it"),
        (researcher(family_name=False), 'family_name "False" must be text, is true/false: write text, in quotes'),
        (researcher(given_name=12), 'given_name "12" must be text, is a number: write text, in quotes'),
        (researcher(mail=["a@b.org"]), "mail \"['a@b.org']\" must be text, is a list: write text, in quotes"),
        (researcher(given_name=" "), 'given_name " " is empty: fill it in, or remove the key'),
        (
            researcher(given_name="Anna\n"),
            'given_name "Anna " has blanks at an end or control characters: remove them',
        ),
        (researcher(mail="anna at home"), 'mail "anna at home" is no mail address: write it like name@example.org'),
        (researcher(kind="Researcher"), 'kind "Researcher" doesn\'t exist: did you mean "researcher"?'),
        (researcher(kind="boss"), 'kind "boss" doesn\'t exist: one of researcher, staff, it_admin'),
        (
            researcher(research_group="nuero"),
            'research_group "nuero" doesn\'t exist: did you mean "neuro"? '
            f"(or add it to facility_research_groups in {FACILITY_FILE})",
        ),
        (
            researcher(research_group="xyz"),
            'research_group "xyz" doesn\'t exist: one of neuro, plant '
            f"(or add it to facility_research_groups in {FACILITY_FILE})",
        ),
        (researcher(research_group=...), "a researcher needs research_group: one of neuro, plant"),
        (
            researcher(valid_until=...),
            "a researcher needs valid_until: the last day of the account, like 2026-12-31",
        ),
        (
            researcher(kind="staff"),
            "a person of kind staff has no research_group: remove it, or set kind: researcher",
        ),
        (researcher(valid_until="2027-02-30"), 'valid_until "2027-02-30" is no date: write a day like 2026-12-31'),
        (researcher(valid_until="31.12.2027"), 'valid_until "31.12.2027" is no date: write a day like 2026-12-31'),
        (
            researcher(valid_until="20271231"),
            'valid_until "20271231" is no date of this form: write a day like 2026-12-31',
        ),
        (
            researcher(valid_until=datetime.datetime(2027, 1, 1)),  # noqa: DTZ001 - as YAML reads it
            'valid_until "2027-01-01 00:00:00" is no date: write a day like 2026-12-31',
        ),
        (
            researcher(valid_until=2027),
            'valid_until "2027" must be text, is a number: write a day like 2026-12-31',
        ),
    ],
)
def test_each_bad_value_is_refused_with_file_entry_and_cure(person, problem):
    assert problems(person) == [PERSON + problem]


@pytest.mark.parametrize("login", ["Aadler", "1adler", "a adler", "ädler", "a" * 21, "adler.", "a/b", "-a"])
def test_a_login_that_some_system_would_not_take_is_refused(login):
    cure = "is no login: use 1 to 20 of a-z 0-9 . _ -, beginning with a letter"
    assert problems(researcher(login=login)) == [f'{FILE}, entry 1 (login "{login}"): login "{login}" {cure}']


def test_a_person_can_not_take_over_a_built_in_account():
    assert problems(researcher(login="administrator")) == [
        f'{FILE}, entry 1 (login "administrator"): login "administrator" is a built-in account\'s name: choose another'
    ]


def test_two_people_with_one_login_or_one_mail_are_refused_whatever_the_case():
    twice = problems(staff(), researcher(), researcher(mail="other@example.org"))
    assert twice == [
        f'{FILE}, entry 3 (login "aadler"): login "aadler" is also that of entry 2 (login "aadler"): '
        "give one of them another login"
    ]
    mails = problems(researcher(), staff(mail="Anna.Adler@neuro.example.org"))
    assert mails == [
        f'{FILE}, entry 2 (login "sstein"): mail "Anna.Adler@neuro.example.org" is also that of entry 1 '
        '(login "aadler"): give one of them another mail'
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, f"{FILE}: is empty: list the facility's people under people:"),
        ({}, f"{FILE}: has no people: list the facility's people under people:"),
        ({"people": None}, f"{FILE}: has no entries: add at least one"),
        ({"people": []}, f"{FILE}: has no entries: add at least one"),
        ({"people": {"aadler": {}}}, f"{FILE}: must be a list, is dict: begin each entry with a dash"),
        ({"people": ["aadler"]}, f'{FILE}, entry 1: must be keys and values, is "aadler": write key: value'),
        (
            [researcher()],
            f"{FILE}: must have the key people: at its top: write people: with one list entry a person",
        ),
        (
            {"poeple": [researcher()]},
            f'{FILE}: unknown key "poeple": did you mean people?',
        ),
    ],
)
def test_an_empty_or_misshapen_register_is_refused(document, problem):
    with pytest.raises(RegisterError) as refused:
        register.validated(FILE, document, FACILITY)
    assert refused.value.problems[0] == problem


@pytest.mark.parametrize(
    ("facility", "problem"),
    [
        (
            facility_with("instruments", 1, host=...),
            'facility_instruments, entry 2 (name "confocal-2"): host is missing: add it',
        ),
        (
            facility_with("instruments", 1, host="mic1"),
            'facility_instruments, entry 2 (name "confocal-2"): host "mic1" is also that of entry 1 '
            '(name "confocal-1"): give one of them another host',
        ),
        (
            facility_with("instruments", 1, name="confocal-1"),
            'facility_instruments, entry 2 (name "confocal-1"): name "confocal-1" is also that of entry 1 '
            '(name "confocal-1"): give one of them another name',
        ),
        (
            facility_with("instruments", 0, biosafety="S3"),
            'facility_instruments, entry 1 (name "confocal-1"): biosafety "S3" doesn\'t exist: one of none, S1, S2',
        ),
        (
            facility_with("instruments", 0, bio_safety="S2"),
            'facility_instruments, entry 1 (name "confocal-1"): unknown key "bio_safety": did you mean "biosafety"?',
        ),
        (
            facility_with("research_groups", 1, name="Plant"),
            'facility_research_groups, entry 2 (name "Plant"): name "Plant" is no name: '
            "use 1 to 40 of a-z 0-9 -, beginning with a letter",
        ),
        ({**FACILITY, "instruments": []}, "facility_instruments: has no entries: add at least one"),
    ],
)
def test_bad_facility_data_is_refused_with_its_place(facility, problem):
    assert problems(researcher(), facility=facility) == [f"{FACILITY_FILE}, {problem}"]


@pytest.mark.parametrize("zone", [None, "", "Berlin", 1, "../etc/passwd"])
def test_a_time_zone_that_does_not_exist_is_refused(zone):
    found = problems(researcher(), facility={**FACILITY, "time_zone": zone})
    assert found == [f'{FACILITY_FILE}: facility_time_zone "{zone}" is no time zone: write it like Europe/Berlin']


def test_all_problems_are_told_at_once():
    found = problems(
        researcher(mail="x", valid_until="never"), staff(kind="chief"), researcher(login="bb", mail="b@b.org")
    )
    assert len(found) == 3
    assert [problem.split(":")[0] for problem in found] == [
        f'{FILE}, entry 1 (login "aadler")',
        f'{FILE}, entry 1 (login "aadler")',
        f'{FILE}, entry 2 (login "sstein")',
    ]


def test_a_missing_file_is_refused_with_its_folder(tmp_path):
    with pytest.raises(RegisterError, match=r"^register/people.yml: there is no such file in .*: create it, or"):
        register.read(tmp_path / "register", FACILITY)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("people:\n  - login: [aadler\n", "line 3"),
        ("people:\n  - login: a\n    mail: b\n\tkind: staff\n", "line 4"),
        ("people:\n  - login: aadler\n    mail: a@b.org\n    mail: c@d.org\n", 'line 4: "mail" is given twice'),
        ("people: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(tmp_path, text, place):
    (tmp_path / "people.yml").write_text(text, encoding="utf-8")
    with pytest.raises(RegisterError) as refused:
        register.read(tmp_path, FACILITY)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{tmp_path.name}/people.yml, line")
    assert place in problem
    assert problem.endswith("mend the YAML there")


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "people.yml").write_bytes("people: [Müller]".encode("latin-1"))
    with pytest.raises(RegisterError, match=r"is no UTF-8 text .*: save it as UTF-8"):
        register.read(tmp_path, FACILITY)


def test_dates_in_the_file_stay_as_they_are_written(tmp_path):
    text = yaml.safe_dump({"people": [researcher()]}).replace("'2027-03-31'", "2027-02-30")
    assert "valid_until: 2027-02-30" in text
    (tmp_path / "people.yml").write_text(text, encoding="utf-8")
    with pytest.raises(RegisterError, match='valid_until "2027-02-30" is no date'):
        register.read(tmp_path, FACILITY)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries({}, optional={key: ANYTHING | st.just(value) for key, value in researcher().items()})


@given(ANYTHING | st.fixed_dictionaries({"people": st.lists(NEARLY | ANYTHING, max_size=3)}))
def test_whatever_is_in_the_file_it_is_returned_complete_or_refused_but_never_crashes(document):
    try:
        people = register.validated(FILE, document, FACILITY)["people"]
    except RegisterError as error:
        assert error.problems
        assert all(problem.startswith(FILE) for problem in error.problems)
    else:
        assert people
        assert all(set(person) == set(researcher()) for person in people)


def test_the_example_facility_has_thirty_people_in_five_groups_and_six_instruments(repository):
    example = repository / "inventories" / "example"
    variables = yaml.safe_load((example / "group_vars/all/facility.yml").read_text(encoding="utf-8"))
    keys = ("research_groups", "instruments", "time_zone")
    result = register.read(example / "register", {key: variables[f"facility_{key}"] for key in keys})
    kinds = [person["kind"] for person in result["people"]]
    assert (kinds.count("researcher"), kinds.count("staff"), kinds.count("it_admin")) == (25, 4, 1)
    assert len({person["research_group"] for person in result["people"]} - {None}) == 5
    assert [instrument["biosafety"] for instrument in result["instruments"]].count("S2") == 2
    assert [person["login"] for person in result["people"] if (person["valid_until"] or "9") < "2026-07-01"] == [
        "oolsen"
    ]


def test_register_info_returns_the_register_and_fails_with_every_problem(run_module, tmp_path):
    arguments = {"path": str(tmp_path), "facility": FACILITY}
    (tmp_path / "people.yml").write_text(yaml.safe_dump({"people": [researcher()]}), encoding="utf-8")
    good = run_module("register_info", arguments)
    assert good["people"][0]["login"] == "aadler"
    assert not good["changed"]
    (tmp_path / "people.yml").write_text(yaml.safe_dump({"people": [researcher(mail="x", kind="y")]}), encoding="utf-8")
    bad = run_module("register_info", arguments)
    assert bad["failed"]
    assert len(bad["problems"]) == 2
    assert bad["msg"] == "\n".join(bad["problems"])

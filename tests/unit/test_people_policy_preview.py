# SPDX-License-Identifier: GPL-3.0-or-later
"""Another policy is looked at before it holds: whom it shuts out or lets in, at which door, from which day."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facility.people import policy as policies
from facility.people.access import PPMS, decide
from facility.people.entries import RegisterError
from facility.people.facts import Facts
from facility.people.policy_preview import policy_in, preview
from tests.people_facts import DAYS, FIRST, colleagues, facility, histories, person, policy, strict_policy
from tests.register_site import logged_in

STRICT = facility(door_demands={"wiki": ["safety"], "share": ["safety"], "omero": ["safety", "house"]})
NO_LAMP = facility(instruments=[one for one in facility()["instruments"] if one["name"] != "lamp"])


def as_file(described):
    return yaml.safe_dump({f"facility_{key}": value for key, value in described.items()}, allow_unicode=True).encode()


def shifts(facts, after, today=FIRST):
    known = Facts.of(facts).known()
    found = preview(known, policy(), policies.validated(after), today)
    return [(one.door, one.day, one.opens, [who.login for who in one.people]) for one in found]


def test_a_stricter_door_shuts_out_who_lacks_what_it_demands_at_once():
    assert ("wiki", FIRST, False, ["anna", "sabine", "thomas"]) in shifts([*colleagues(), person()], STRICT)


def test_the_same_policy_changes_nothing_for_anybody():
    assert shifts([*colleagues(), person()], facility()) == []


def test_an_instrument_that_is_gone_shuts_out_whoever_could_log_on():
    assert shifts([*colleagues(), person()], NO_LAMP) == [("log-on:lamp", FIRST, False, ["thomas"])]


@given(histories(), st.integers(0, DAYS))
def test_each_day_within_a_month_agrees_with_the_two_decisions(history, number):
    """A naive look, day by day, finds the same first days."""
    today = FIRST + timedelta(days=number)
    known = Facts.of(history).known()
    expected = set()
    for who in known.people.values():
        said = set()
        for ahead in range(31):
            day = today + timedelta(days=ahead)
            was, becomes = (decide(who, known, one, day).doors for one in (policy(), strict_policy()))
            for door in was:
                opens = becomes[door].open
                if not door.startswith(PPMS) and was[door].open != opens and (door, opens) not in said:
                    said.add((door, opens))
                    expected.add((door, day, opens, who.login))
    found = preview(known, policy(), strict_policy(), today)
    assert {(one.door, one.day, one.opens, who.login) for one in found for who in one.people} == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "is no UTF-8"),
        (b"facility_time_zone: Mars\nfacility_instruments: ]", "policy.yml, line 2: is no YAML"),
        (b"[1]", "must be keys and values"),
        (b"facility_name: Example", "nothing else of a policy"),
        (b"x" * 500_001, "larger than 500 kB"),
        (as_file(facility(time_zone="Mars")), "time_zone"),
        (as_file(facility(door_demands={"share": ["safty"]})), 'did you mean "safety"?'),
        (b'{"facility": 5, "administrators": []}', "give facility.yml"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_cure(content, words):
    with pytest.raises(RegisterError) as caught:
        policy_in(content, "policy.yml")
    assert words in str(caught.value)


def test_the_policy_beside_the_register_is_read_as_well():
    laid = json.dumps({"facility": STRICT, "administrators": []}).encode()
    assert policy_in(laid, "policy.json").doors == policy_in(as_file(STRICT), "facility.yml").doors


def sent(described):
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = described if isinstance(described, bytes) else as_file(described)
    return {"file": SimpleUploadedFile("facility.yml", content)}


@pytest.fixture
def administrator(site):
    """The browser of an IT administrator."""
    from django.contrib.auth.models import User

    User.objects.create(username="root1", is_staff=True, is_superuser=True)
    return logged_in("root1")


def test_an_administrator_sees_whom_a_policy_shuts_out_and_nothing_of_it_is_kept(administrator):
    from facility.register.models import Act, Entry
    from tests.register_site import database

    before = (Entry.objects.count(), Act.objects.count())
    marked = {
        **STRICT,
        "requirements": [{**STRICT["requirements"][0], "title": "marked-title"}, *STRICT["requirements"][1:]],
    }
    page = " ".join(administrator.post("/policy/", sent(marked)).content.decode().split())
    assert "<h2>Wiki</h2> <ul><li>shuts out 5 people from 2026-06-15" in page
    assert "Adler, Änne</a>" in page
    assert (Entry.objects.count(), Act.objects.count()) == before
    kept = [file for file in database().parent.rglob("*") if file.is_file() and b"marked-title" in file.read_bytes()]
    assert kept == []
    assert "Nobody is shut out or let in." in administrator.post("/policy/", sent(facility())).content.decode()


def test_a_policy_that_makes_no_sense_is_refused_in_the_page_with_all_problems(administrator):
    answer = administrator.post("/policy/", sent(facility(time_zone="Mars", door_demands={"share": ["safty"]})))
    assert answer.status_code == 422
    assert "Mars" in answer.content.decode() and "safty" in answer.content.decode()
    assert administrator.post("/policy/").status_code == 422


def test_staff_who_do_not_deploy_policies_get_no_page_of_them(browser):
    assert browser.get("/policy/").status_code == 403
    assert browser.post("/policy/", sent(STRICT)).status_code == 403
    assert "/policy/" not in browser.get("/people/").content.decode()


@pytest.fixture
def desk(site, monkeypatch):
    from typer.testing import CliRunner

    from facility.people import cli
    from facility.register import desk

    monkeypatch.setattr(cli, "_read", desk._inventory)
    monkeypatch.setattr(cli, "today_in", lambda _policy: date(2026, 6, 15))
    return lambda *arguments, **more: CliRunner().invoke(desk.app, list(arguments), **more)


def test_the_command_says_how_many_from_when_and_who(desk, tmp_path):
    file = tmp_path / "facility.yml"
    file.write_bytes(as_file(STRICT))
    done = desk("policy", "preview", str(file))
    assert "wiki: shuts out 5 people today (2026-06-15): aadler, bbaer, ccosta, stefan, thomas" in done.output
    listed = json.loads(desk("policy", "preview", "-", "--json", input=file.read_bytes()).output)
    assert listed[0] == {"door": "wiki", "from": "2026-06-15", "opens": False,
                         "people": ["aadler", "bbaer", "ccosta", "stefan", "thomas"]}  # fmt: skip
    file.write_bytes(as_file(facility()))
    assert desk("policy", "preview", str(file)).output == "Nobody is shut out or let in up to 2026-07-15.\n"


def test_the_command_refuses_what_is_no_policy(desk, tmp_path):
    missing = desk("policy", "preview", str(tmp_path / "none.yml"))
    assert missing.exit_code == 1 and "can't be read" in missing.output
    refused = desk("policy", "preview", "-", "--json", input=b"[1]")
    assert refused.exit_code == 1 and json.loads(refused.output)["problems"]

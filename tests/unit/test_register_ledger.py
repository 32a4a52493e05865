# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done with the register's facts, and what can't be done even past the pages."""

import json
import sqlite3
import threading
from contextlib import closing

import pytest

from facility.people.entries import RegisterError
from tests.register_site import database


def brief(*logins, requirement="safety", day="2026-06-15", **more):
    form = {"laser": "electronic"}.get(requirement, "oral")
    result = "passed" if form == "electronic" else "attended"
    return [
        {"fact": "session", "id": f"s-{requirement}-{day}", "requirement": requirement, "date": day, "by": "thomas",
         "form": form, "state": "held", **more},
        *({"fact": "attendance", "id": f"a-{requirement}-{day}-{login}", "session": f"s-{requirement}-{day}",
           "person": login, "result": result} for login in logins),
    ]  # fmt: skip


def make(actor, *entries, **more):
    from facility.register.ledger import Change, make

    return make(actor, Change("test", list(entries), **more))


def count():
    from facility.register.models import Entry

    return Entry.objects.count()


@pytest.mark.usefixtures("site")
def test_a_briefing_of_several_people_opens_their_doors_and_is_previewed_as_it_then_is():
    from facility.register.ledger import Change, propose

    before = count()
    proposal = propose("stefan", Change("test", brief("aadler", "bbaer")))
    assert count() == before
    made = make("stefan", *brief("aadler", "bbaer"))
    assert [effect.doors for effect in made.effects] == [effect.doors for effect in proposal.effects]
    assert [effect.person.login for effect in made.effects] == ["aadler", "bbaer"]
    assert made.effects[0].doors["share"] == ("denied", "allowed")
    assert "omero" not in made.effects[0].doors


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (brief("nobody"), 'person "nobody" doesn\'t exist'),
        (brief("aadler", day="2026-06-16"), "what is to come has state: planned"),
        (brief("aadler", by="aadler"), 'by "aadler" is no member of the staff'),
        (brief("aadler", requirement="paper"), "is met by a document"),
        (brief("aadler", form="electronic"), "ends with a test"),
        (brief("thomas"), "nobody trains or briefs themselves"),
        (brief("aadler", day="2026-02-30"), "2026-02-30"),
        (brief("aadler", note="x" * 20_000), "note"),
        ([{"fact": "person", "login": "aadler", "given_name": "A", "family_name": "B", "mail": "n@example.org",
           "kind": "staff"}], 'login "aadler" is also that of'),
        ([{"fact": "person", "login": "root2", "given_name": "A", "family_name": "B", "mail": "n@example.org",
           "kind": "it_admin"}], "kind"),
        ([{"fact": "block", "person": "root1", "from": "2026-06-15", "reason": "misuse"}], "is an IT administrator"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_nothing_is_recorded(entries, words):
    from facility.register import audit

    before = count(), audit.head()
    with pytest.raises(RegisterError) as caught:
        make("stefan", *entries)
    assert words in str(caught.value)
    assert (count(), audit.head()) == before


@pytest.mark.usefixtures("site")
def test_a_researcher_who_got_past_the_pages_records_nothing():
    with pytest.raises(RegisterError, match="no member of the staff"):
        make("aadler", *brief("bbaer"))


@pytest.mark.usefixtures("site")
def test_revoking_shuts_what_it_opened_and_stays_readable():
    from facility.register.ledger import ConflictError
    from facility.register.models import Entry

    make("stefan", *brief("aadler"))
    made = make("thomas", revoked=["a-safety-2026-06-15-aadler"], reason="she was not there")
    assert made.effects[0].doors["share"] == ("allowed", "denied")
    row = Entry.objects.get(id="a-safety-2026-06-15-aadler")
    assert (row.revoked_by, row.revoke_reason) == ("thomas", "she was not there")
    with pytest.raises(ConflictError):
        make("stefan", revoked=["a-safety-2026-06-15-aadler"], reason="again")
    with pytest.raises(RegisterError, match="reason"):
        make("stefan", revoked=["s-safety-2026-06-15"], reason=" ")


@pytest.mark.usefixtures("site")
def test_revoking_a_session_touches_all_who_were_in_it():
    make("stefan", *brief("aadler", "bbaer"))
    ids = ["s-safety-2026-06-15", "a-safety-2026-06-15-aadler", "a-safety-2026-06-15-bbaer"]
    made = make("stefan", revoked=ids, reason="the wrong day")
    assert [(one.person.login, one.doors["share"]) for one in made.effects] == [
        ("aadler", ("allowed", "denied")), ("bbaer", ("allowed", "denied")),
    ]  # fmt: skip


@pytest.mark.usefixtures("site")
def test_the_same_form_sent_twice_is_recorded_once():
    from facility.register.ledger import ConflictError

    make("stefan", *brief("aadler"))
    before = count()
    with pytest.raises(ConflictError):
        make("stefan", *brief("aadler"))
    assert count() == before


@pytest.mark.usefixtures("site")
def test_an_old_fact_that_a_stricter_policy_forbids_stops_nobody_s_work(monkeypatch, tmp_path):
    from django.conf import settings

    from tests.people_facts import facility
    from tests.register_site import ADMINISTRATOR

    make("stefan", *brief("aadler", requirement="s2", day="2026-06-01"), {
        "fact": "document", "id": "d1", "session": "s-s2-2026-06-01", "sha256": "ab" * 32, "type": "pdf", "size": 9,
        "issued_on": "2026-06-01"})  # fmt: skip
    stricter = facility()
    stricter["requirements"][2] = {**stricter["requirements"][2], "form": "electronic"}
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"facility": stricter, "administrators": [ADMINISTRATOR]}))
    changed = type(settings.FACILITY).__dataclass_fields__
    new = type(settings.FACILITY)(**{
        name: getattr(settings.FACILITY, name) for name in changed if name != "policy_file"
    }, policy_file=file)  # fmt: skip
    monkeypatch.setattr(settings, "FACILITY", new)
    assert make("stefan", *brief("aadler")).effects[0].doors["share"] == ("denied", "allowed")
    with pytest.raises(RegisterError, match="must be electronic"):
        make("stefan", *brief("bbaer", requirement="s2"))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM register_entry WHERE id = 'a-safety-2026-06-15-aadler'",
        "UPDATE register_entry SET body = '{}' WHERE login = 'aadler'",
        "UPDATE register_entry SET recorded_by = 'thomas' WHERE login = 'aadler'",
        "UPDATE register_entry SET revoked_by = NULL, revoked_at = NULL WHERE id = 's-laser-2026-06-15'",
        "DELETE FROM register_act",
        'UPDATE register_act SET payload = \'{"who": "thomas"}\'',
        "UPDATE register_act SET hash = 'x'",
    ],
)
def test_the_database_refuses_what_the_pages_never_do(statement):
    make("stefan", *brief("aadler"), *brief("aadler", requirement="laser"))
    make("stefan", revoked=["a-laser-2026-06-15-aadler", "s-laser-2026-06-15"], reason="slip")
    with closing(sqlite3.connect(database())) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE register_entry SET body = json_set(body, '$.result', 'passed') WHERE kind = 'attendance'",
         "fact a-safety-2026-06-15-aadler: is not as it was recorded"),
        ("DELETE FROM register_entry WHERE kind = 'attendance'", "1 facts that were recorded are missing"),
        ("INSERT", "fact new: is not as it was recorded, or never was"),
        ("UPDATE register_act SET payload = replace(payload, 'stefan', 'thomas')", "does not say what it said"),
        ("DELETE FROM register_act WHERE number = 1", "act 1: is missing"),
        ("UPDATE register_act SET at = '2026-01-01 00:00:00' WHERE number = 2", "act 2: does not follow"),
    ],
)  # fmt: skip
def test_whoever_owns_the_file_and_drops_the_triggers_is_found_out(tampering, words):
    from django.core.management import CommandError, call_command

    make("stefan", *brief("aadler"))
    call_command("audit")
    with closing(sqlite3.connect(database())) as connection:
        for name in ("entry_is_kept", "entry_is_revoked_once", "act_is_kept", "act_is_fixed"):
            connection.execute(f"DROP TRIGGER {name}")
        if tampering == "INSERT":
            columns = [row[1] for row in connection.execute("PRAGMA table_info(register_entry)")]
            values = ", ".join({"id": "'new'"}.get(one, one) for one in columns)
            tampering = f"INSERT INTO register_entry SELECT {values} FROM register_entry WHERE kind = 'attendance'"
        connection.execute(tampering)
        connection.commit()
    with pytest.raises(CommandError) as caught:
        call_command("audit")
    assert words in str(caught.value)


@pytest.mark.usefixtures("site")
def test_many_who_record_at_once_lose_nothing():
    from django.db import connections

    from facility.register import audit

    failed = []

    def record(worker):
        try:
            for number in range(10):
                make("stefan", {"fact": "session", "id": f"s{worker}-{number}", "requirement": "house",
                                "date": "2026-06-15", "by": "thomas", "form": "oral", "state": "held"})  # fmt: skip
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    before = count()
    threads = [threading.Thread(target=record, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert count() == before + 60
    assert audit.head()[0] == 61
    assert list(audit.faults()) == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""People choose their passwords with a code that works once; nobody learns from the pages whom the register knows."""

import re
from datetime import timedelta

import pytest

from tests.register_site import logged_in

NEW = "Four-Words-And-1-Digit"
CODE = re.compile(r"(?:[A-Z2-7]{5}-){5}[A-Z2-7]")


class Directory:
    """What the directory does with passwords; scenario register asks a real one."""

    def __init__(self):
        self.passwords = {}
        self.refuses = None

    def put(self, login, new):
        if self.refuses:
            raise self.refuses
        self.passwords[login] = new

    def change(self, login, old, new):
        from facility.register.passwords import RefusedError

        if self.passwords.get(login) != old:
            raise RefusedError("wrong")
        self.put(login, new)


@pytest.fixture
def directory(site, monkeypatch):
    from dataclasses import replace

    from django.conf import settings

    directory = Directory()
    monkeypatch.setattr("facility.register.passwords.put", directory.put)
    monkeypatch.setattr("facility.register.passwords.change", directory.change)
    told = {
        "password_unit": "OU=R,DC=x", "mail_server": "relay.example.org", "mail_from": "f@example.org",
        "address": "https://register1/",
    }  # fmt: skip
    monkeypatch.setattr(settings, "FACILITY", replace(settings.FACILITY, **told))
    # At once, so that a test sees what came of it.
    monkeypatch.setattr("facility.register.notices.later", lambda work: work())
    return directory


@pytest.fixture
def outbox(directory, settings_with_mail_in_memory):
    from django.core import mail

    mail.outbox = []
    return mail.outbox


@pytest.fixture
def settings_with_mail_in_memory(site, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")


def stranger():
    from django.test import Client

    return Client()


def slip_of(login):
    page = logged_in("stefan", staff=True).post(f"/people/{login}/invite/", {"how": "slip"})
    assert page.status_code == 200
    return CODE.search(page.content.decode())[0]


def choose(code, new=NEW, repeated=None, **headers):
    form = {"code": code, "new": new, "repeated": new if repeated is None else repeated}
    return stranger().post("/password/", form, headers=headers)


def test_a_slip_lets_somebody_choose_a_password_once(directory):
    code = slip_of("aadler")
    assert choose(code).status_code == 302
    assert directory.passwords == {"aadler": NEW}
    assert choose(code, "Another-Password-2").status_code == 422
    assert directory.passwords == {"aadler": NEW}
    assert "Has set a password" in logged_in("stefan", staff=True).get("/people/aadler/").content.decode()


def test_a_code_is_read_as_people_type_it(directory):
    code = slip_of("aadler")
    assert choose(f" {code.replace('-', ' ').lower().replace('o', '0').replace('i', '1')} ").status_code == 302


def test_a_code_is_kept_nowhere(directory):
    from tests.register_site import database

    code = slip_of("aadler")
    held = b"".join(file.read_bytes() for file in database().parent.glob("register.sqlite3*"))
    assert b"aadler" in held
    for spelt in (code, code.replace("-", "")):
        assert spelt.encode() not in held


def test_a_later_code_makes_the_earlier_one_worthless(directory):
    first, second = slip_of("aadler"), slip_of("aadler")
    assert choose(first).status_code == 422
    assert choose(second).status_code == 302


@pytest.mark.parametrize(("purpose", "life"), [("activate", timedelta(days=7)), ("forgotten", timedelta(minutes=30))])
def test_a_code_ends_by_itself(directory, monkeypatch, purpose, life):
    from django.utils import timezone

    from facility.register import codes

    code = codes.make("aadler", "stefan", purpose)
    now = timezone.now()
    monkeypatch.setattr("facility.register.codes.timezone.now", lambda: now + life + timedelta(seconds=1))
    assert choose(code).status_code == 422
    monkeypatch.setattr("facility.register.codes.timezone.now", lambda: now + life - timedelta(minutes=1))
    assert choose(code).status_code == 302


@pytest.mark.parametrize("code", ["", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A", "' OR 1=1 --", "ä" * 99, "%s", "\ud800"])
def test_what_is_no_code_sets_nothing(directory, code):
    slip_of("aadler")
    answer = choose(code.encode("utf-8", "replace").decode())
    assert answer.status_code == 422
    assert "not valid" in answer.content.decode()
    assert directory.passwords == {}


@pytest.mark.parametrize(
    ("new", "repeated", "said"),
    [("Short-1", None, "too short"), (NEW, "Other-Words-1-More", "not the same"), ("x" * 300, None, "too short")],
)
def test_a_password_that_will_not_do_leaves_the_code_valid(directory, new, repeated, said):
    code = slip_of("aadler")
    answer = choose(code, new, repeated)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert new not in answer.content.decode().replace(code, "")
    assert choose(code).status_code == 302


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("kinds", "too few kinds"),
        ("used", "had it before"),
        ("policy", "does not take it"),
        ("account", "not there yet"),
    ],
)
def test_what_the_directory_refuses_is_told_with_its_cure_and_the_code_stays_valid(directory, why, said):
    from facility.register.passwords import RefusedError

    code = slip_of("aadler")
    directory.refuses = RefusedError(why)
    answer = choose(code)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    directory.refuses = None
    assert choose(code).status_code == 302


def test_a_directory_that_is_down_costs_no_code(directory):
    from facility.register.log_in import DirectoryError

    code = slip_of("aadler")
    directory.refuses = DirectoryError("connection refused")
    answer = choose(code, **{"Accept-Language": "de"})
    assert answer.status_code == 503
    assert "antwortet nicht" in answer.content.decode()
    directory.refuses = None
    assert choose(code).status_code == 302


@pytest.mark.parametrize("login", ["thomas", "root1", "nobody"])
def test_no_code_is_made_for_staff_administrators_or_nobody(directory, login):
    answer = logged_in("stefan", staff=True).post(f"/people/{login}/invite/", {"how": "slip"})
    assert answer.status_code == 302
    from facility.register.models import Code

    assert not Code.objects.exists()


def test_who_has_become_staff_since_can_no_longer_use_a_code(directory):
    from facility.register.ledger import Change, make
    from facility.register.models import Entry

    code = slip_of("aadler")
    old = Entry.objects.get(kind="person", login="aadler", revoked_by=None)
    entry = {**old.body, "fact": "person", "login": "aadler", "kind": "staff", "replaces": old.id}
    del entry["research_group"]
    make("stefan", Change("change person", [entry], [old.id], "works here now"))
    assert choose(code).status_code == 422
    assert directory.passwords == {}


def test_researchers_hand_out_no_codes(directory):
    assert logged_in("bbaer").post("/people/aadler/invite/", {"how": "slip"}).status_code == 403


def test_a_mail_brings_the_code_behind_the_hash_and_another_one_tells_of_the_change(directory, outbox):
    logged_in("stefan", staff=True).post("/people/aadler/invite/", {"how": "mail"})
    (mail,) = outbox
    assert mail.to == ["aadler@example.org"]
    code = re.search(r"https://register1/password/#(\S+)", mail.body)[1]
    assert choose(code).status_code == 302
    assert "was changed" in outbox[1].subject
    assert outbox[1].to == ["aadler@example.org"]
    for one in outbox:
        assert NEW not in one.body


@pytest.mark.parametrize("asked", ["aadler", "AADLER ", "aadler@example.org", "Aadler@Example.org"])
def test_who_has_forgotten_the_password_gets_a_link(directory, outbox, asked):
    stranger().post("/password/forgotten/", {"who": asked})
    (mail,) = outbox
    assert mail.to == ["aadler@example.org"]
    assert choose(mail.body.split("#")[1].split()[0]).status_code == 302
    assert directory.passwords == {"aadler": NEW}


def test_the_answer_tells_nobody_whom_the_register_knows(directory, outbox):
    def answer(who):
        page = stranger().post("/password/forgotten/", {"who": who})
        return page.status_code, re.sub(r'value="\w{64}"', "", page.content.decode())

    known = answer("aadler")
    for who in ("nobody", "thomas", "root1", "", "*", "x@example.org", "a" * 5000):
        assert answer(who) == known
    assert len(outbox) == 1


def test_nobody_s_mailbox_is_filled_from_outside(directory, outbox):
    for _ in range(8):
        stranger().post("/password/forgotten/", {"who": "aadler"})
    assert len(outbox) == 3


def test_a_change_needs_the_old_password_and_ends_all_other_log_ins(directory):
    directory.passwords["aadler"] = "Old-Words-And-1"
    mine, other = logged_in("aadler"), logged_in("aadler")
    form = {"old": "wrong", "new": NEW, "repeated": NEW}
    refused = mine.post("/password/change/", form)
    assert refused.status_code == 422
    assert "until now is wrong" in refused.content.decode()
    assert other.get("/me/").status_code == 200
    assert mine.post("/password/change/", {**form, "old": "Old-Words-And-1"}).status_code == 302
    assert directory.passwords == {"aadler": NEW}
    assert mine.get("/me/").status_code == 200
    assert other.get("/me/").status_code == 302


def test_a_password_chosen_with_a_code_ends_all_log_ins(directory):
    thief = logged_in("aadler")
    assert choose(slip_of("aadler")).status_code == 302
    assert thief.get("/me/").status_code == 302


@pytest.mark.parametrize(("used", "left"), [("activate", "forgotten"), ("forgotten", "activate")])
def test_a_new_password_ends_the_codes_that_were_not_used(directory, used, left):
    from facility.register import codes

    directory.passwords["aadler"] = "Old-Words-And-1"
    other, code = codes.make("aadler", "stefan", left), codes.make("aadler", "stefan", used)
    assert choose(code).status_code == 302
    assert choose(other).status_code == 422
    last = codes.make("aadler", "stefan", left)
    form = {"old": NEW, "new": NEW + "2", "repeated": NEW + "2"}
    assert logged_in("aadler").post("/password/change/", form).status_code == 302
    assert choose(last).status_code == 422
    assert directory.passwords == {"aadler": NEW + "2"}


def test_the_audit_names_who_handed_out_a_code_and_still_holds(directory):
    from facility.register import audit
    from facility.register.models import Act

    choose(slip_of("aadler"))
    told = [audit.payload_of(act) for act in Act.objects.order_by("number")][-2:]
    assert [(one["who"], one["act"], one["people"]) for one in told] == [
        ("stefan", "code to activate", ["aadler"]),
        ("aadler", "set password", ["aadler"]),
    ]
    assert list(audit.faults()) == []


def test_without_a_unit_no_page_offers_a_code(site):
    assert "Print a slip" not in logged_in("stefan", staff=True).get("/people/aadler/").content.decode()

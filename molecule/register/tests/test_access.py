# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets into the register, and who doesn't; who loses it again."""

import re
import time
from typing import NamedTuple

import django
import pytest
from django.urls import get_resolver

from tests.scenario import wait_until

SAMPLES = {"str": "rita", "slug": "rita", "int": "1", "path": "rita", "uuid": "00000000-0000-0000-0000-000000000001"}
RECHECK = 4


class Address(NamedTuple):
    path: str
    for_staff: bool


def addresses(patterns, before=""):
    """Every address that the register knows, with somebody's login or a number where one belongs."""
    for entry in patterns:
        route = str(entry.pattern)
        for name, converter in entry.pattern.converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
            route = route.replace(f"<{kind}:{name}>", SAMPLES[kind]).replace(f"<{name}>", SAMPLES["str"])
        if hasattr(entry, "url_patterns"):
            yield from addresses(entry.url_patterns, before + route)
        else:
            yield Address(before + route, getattr(entry.callback, "staff_only", False))


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """All addresses of the program in this checkout."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "key").write_text("k" * 50)
    files = {"database": "db", "policy_file": "p", "secret_key_file": "key", "export_token_file": "t"}
    text = "".join(f'{key} = "{folder / name}"\n' for key, name in files.items())
    (folder / "register.toml").write_text(f'hosts = ["x"]\n{text}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACILITY_REGISTER", str(folder / "register.toml"))
        patch.setenv("DJANGO_SETTINGS_MODULE", "facility.register.settings")
        django.setup()
        yield list(addresses(get_resolver().url_patterns))


def test_staff_get_in_through_groups_in_groups(logged_in):
    people = logged_in("sten").open("people/")
    assert people.status == 200
    assert "Reader, Rita" in people.text
    # Whatever stands in a name is text.
    assert "O&#x27;Neill &amp; Söhne" in people.text


def test_an_administrator_gets_in(logged_in):
    assert logged_in("ida").open("people/").status == 200


def test_a_stranger_is_asked_to_log_in_everywhere(visitor, known):
    for_staff = [address.path for address in known if address.for_staff]
    assert len(for_staff) > 1
    for path in for_staff:
        answer = visitor.open(path)
        assert answer.status == 302 or (answer.status == 405 and "Reader" not in answer.text), path
        assert answer.headers.get("Location", "/log-in/").startswith("/log-in/"), path


def test_a_researcher_is_refused_on_every_address_of_staff(logged_in, known):
    rita = logged_in("rita")
    for path, for_staff in known:
        for form in (None, {"x": "y"}):
            answer = rita.open(path, form)
            # What is everybody's tells nothing of others.
            assert "Söhne" not in answer.text, path
            assert "Sten" not in answer.text, path
            if for_staff:
                # 405: nothing is sent there at all. 403 also to a form without its token.
                assert answer.status in {403, 405}, (path, form)
            if for_staff and form is None:
                assert answer.status == 403 or rita.open(path).status == 405, path


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("sten", "wrong"),
        ("sten", ""),
        ("*", "Secret-of-sten"),
        ("sten)(cn=*", "Secret-of-sten"),
        ("nobody", "Secret-of-nobody"),
        ("dora", "Secret-of-dora"),
        ("olga", "Secret-of-olga"),
        ("svc-register", ""),
    ],
)
def test_wrong_passwords_and_accounts_that_have_ended_do_not_get_in(visitor, login, password):
    assert not visitor.log_in(login, password)
    assert visitor.open("people/").status == 302


def test_a_form_without_its_token_is_refused(visitor):
    assert visitor.open("log-in/", {"username": "sten", "password": "Secret-of-sten"}).status == 403


def test_who_leaves_staff_loses_the_pages_within_the_time_that_was_set(logged_in, directory):
    lena = logged_in("lena")
    assert lena.open("people/").status == 200
    directory.run_expect([0], "samba-tool group removemembers facility-staff lena")
    try:
        began = time.monotonic()
        wait_until(lambda: lena.open("people/").status == 403, "Lena is refused")
        assert time.monotonic() - began < RECHECK + 4
    finally:
        directory.run_expect([0], "samba-tool group addmembers facility-staff lena")


def test_whose_account_is_disabled_is_logged_out(logged_in, directory):
    lena = logged_in("lena")
    directory.run_expect([0], "samba-tool user disable lena")
    try:
        wait_until(lambda: lena.open("people/").status == 302, "Lena is logged out", RECHECK + 10)
    finally:
        directory.run_expect([0], "samba-tool user enable lena")


def test_who_logs_out_is_out(logged_in):
    sten = logged_in("sten")
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', sten.open("people/").text)[1]
    assert sten.open("log-out/", {"csrfmiddlewaretoken": token}).status == 302
    assert sten.open("people/").status == 302


def test_a_directory_that_does_not_answer_is_named_and_nobody_is_thrown_out(logged_in, visitor, directory_down):
    answer = visitor.try_password("sten", "Secret-of-sten")
    assert "directory" in answer.text.lower()
    assert "wrong" not in answer.text
    assert answer.status == 503


def test_who_is_logged_in_stays_so_while_the_directory_is_down(logged_in, directory, request):
    sten = logged_in("sten")
    request.getfixturevalue("directory_down")
    time.sleep(RECHECK + 1)
    assert sten.open("people/").status == 200


def test_after_that_people_get_in_again(logged_in):
    assert logged_in("sten").open("people/").status == 200

# SPDX-License-Identifier: GPL-3.0-or-later
"""OMERO.web takes no password from an address, and nothing large from a stranger."""

import pytest
from django.http import HttpResponse

pytestmark = pytest.mark.usefixtures("site")


def answer(address="/webclient/", session=None, **sent):
    from django.test import RequestFactory

    from facility.omero.web_limits import Refusals

    request = RequestFactory().generic("POST" if sent else "GET", address, **sent)
    request.session = session or {}
    return Refusals(lambda _request: HttpResponse("through"))(request)


@pytest.mark.parametrize(
    "query",
    [
        "username=a&password=b",
        "server=1&user%6eame=a&password=b",
        "password=b",
        "username=&username=a",
        "USERNAME=&username=a",
    ],
)
@pytest.mark.parametrize("page", ["/webclient/", "/webadmin/", "/api/v0/m/projects/", "/webgateway/render_image/1/"])
def test_a_name_or_password_in_an_address_is_refused_on_every_page(page, query):
    refused = answer(f"{page}?{query}")
    assert refused.status_code == 400
    assert b"with the form" in refused.content


def test_a_request_is_taken_whole_before_it_is_answered():
    from django.test import RequestFactory

    from facility.omero.web_limits import Refusals

    for session, answered in (({}, 413), ({"connector": {"server_id": "1"}}, 200)):
        request = RequestFactory().post("/webclient/", b"x" * 3_000_000, content_type="application/octet-stream")
        request.session = session
        assert Refusals(lambda _request: HttpResponse("through"))(request).status_code == answered
        assert request.read() == b""


def test_a_sender_who_goes_away_breaks_nothing():
    from facility.core.request_body import read_rest

    class Gone:
        def read(self, _size):
            raise OSError("Connection reset by peer")

    read_rest(Gone())


@pytest.mark.parametrize("address", ["/webclient/?url=%2Fusername", "/webclient/login/", "/api/v0/m/images/?limit=5"])
def test_other_addresses_go_through(address):
    assert answer(address).content == b"through"


def test_a_stranger_sends_little_and_who_is_logged_in_sends_what_they_must():
    form = {"data": b"username=a&password=b", "content_type": "application/x-www-form-urlencoded"}
    large = {"data": b"x" * 1_000_001, "content_type": "application/octet-stream"}
    assert answer(**form).content == b"through"
    assert answer(**large).status_code == 413
    assert answer(**large, session={"connector": {"server_id": "1"}}).content == b"through"
    assert answer(**form, HTTP_TRANSFER_ENCODING="chunked").status_code == 413
    assert answer(**form, CONTENT_LENGTH="many").status_code == 413

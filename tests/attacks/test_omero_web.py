# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger and somebody with a stolen password can do to OMERO's pages."""

from __future__ import annotations

import pytest

from tests.attacks.web import ELSEWHERE

DEFAULTS = [
    ("root", "omero"),
    ("root", "root"),
    ("root", ""),
    ("guest", "guest"),
    ("guest", ""),
    ("public", "public"),
    ("admin", "admin"),
    ("omero", "omero"),
    ("monitor", ""),
]
CLOSED = [
    "/webclient/",
    "/webclient/userdata/",
    "/webclient/api/images/",
    "/webclient/api/experimenters/",
    "/webadmin/",
    "/webadmin/experimenters/",
    "/webgateway/render_image/1/",
    "/webgateway/render_thumbnail/1/",
    "/webgateway/imgData/1/",
    "/webgateway/archived_files/download/1/",
    "/webgateway/proj/list/",
    "/webclient/script_ui/1/",
    "/webclient/active_group/",
    "/api/v0/m/projects/",
    "/api/v0/m/images/",
    "/api/v0/m/experimenters/",
    "/admin/",
    "/.git/config",
    "/nginx_status",
    "/static/../../etc/passwd",
    "/static/..%2f..%2fetc/passwd",
    "/static../OMERO.py",
    "/static//etc/passwd",
    "/static/",
    "/etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/webclient/../../etc/passwd",
    "/var/log/OMEROweb.log",
    "/debug/",
    "/__debug__/",
]
PAGES = ["/webclient/", "/webadmin/", "/api/v0/m/projects/", "/webgateway/render_image/1/", "/webclient/login/"]
SPELT = [
    "username={0}&password={1}",
    "user%6Eame={0}&p%61ssword={1}",
    "username=&username={0}&password={1}",
    "+username={0}&password={1}",
]
FORM = "/webclient/login/"


@pytest.fixture
def stranger(visit):
    return visit("omero1")


def logged_in(visitor):
    return visitor.open("/webclient/").status_code == 200


def log_in(visitor, login, password, page=FORM):
    return visitor.send(page, {"server": "1", **visitor.hidden(page), "username": login, "password": password})


@pytest.mark.parametrize(("login", "password"), DEFAULTS)
def test_no_default_account_logs_in(stranger, login, password):
    answer = log_in(stranger, login, password)
    assert answer.status_code == 200
    assert not logged_in(stranger)


@pytest.mark.parametrize("path", CLOSED)
def test_a_stranger_is_shown_the_form_or_nothing(stranger, path):
    answer = stranger.open(path)
    assert answer.status_code in {302, 400, 403, 404}, answer.text
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith(("/webclient/login/", f"{stranger.root}/webclient/login/"))
    assert "root:x:" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("spelt", SPELT)
def test_a_name_in_an_address_logs_nobody_in_however_it_is_spelt(stranger, facility, page, spelt):
    stranger.open(f"{page}?server=1&{spelt.format('aadler', facility.password_of('aadler'))}")
    assert not logged_in(stranger)


def test_a_form_from_another_site_logs_nobody_in(stranger, facility):
    form = {"server": "1", "username": "aadler", "password": facility.password_of("aadler")}
    assert stranger.send(FORM, form).status_code == 403
    token = stranger.hidden(FORM)["csrfmiddlewaretoken"]
    answer = stranger.send(
        FORM, {**form, "csrfmiddlewaretoken": token}, {"Referer": ELSEWHERE, "Origin": ELSEWHERE[:-1]}
    )
    assert answer.status_code == 403
    assert not logged_in(stranger)


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_another_host_s_name_is_not_believed(stranger, header):
    answer = stranger.open("/webclient/", {header: "elsewhere.example.com"})
    assert "elsewhere.example.com" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("target", [ELSEWHERE, "//elsewhere.example.com/", "https:elsewhere.example.com"])
def test_a_log_in_leads_nowhere_else(stranger, facility, target):
    answer = log_in(stranger, "aadler", facility.password_of("aadler"), f"{FORM}?url={target}")
    assert answer.status_code == 302, "the log-in itself failed"
    assert "elsewhere" not in answer.headers["Location"]

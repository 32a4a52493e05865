# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets into OMERO.web, and for how long."""

import pytest

testinfra_hosts = ["podman://omero1.omero.test"]


def test_a_stranger_is_shown_the_form_and_nothing_else(visitor, answering):
    answering()
    status, text = visitor.open("/")
    assert status == 200
    assert 'name="password"' in text
    for path in ("/webclient/", "/webclient/userdata/", "/figure/"):
        assert 'name="password"' in visitor.open(path)[1], path
    for path in ("/webclient/api/images/", "/api/v0/m/images/", "/webgateway/render_thumbnail/1/"):
        status, text = visitor.open(path)
        assert status in {403, 404} or 'name="password"' in text, path


def test_a_person_logs_in_with_the_form(carla, visitor):
    assert visitor.type_in(carla.login, carla.password)
    assert "Carla Käl" in visitor.open("/webclient/userdata/")[1]


def test_a_program_logs_in_over_the_api_and_is_told_who_it_is(carla, browser):
    assert browser.context["userName"] == carla.login
    assert browser.context["groupName"] == f"lab-{carla.login}"
    assert browser.context["isAdmin"] is False


def test_wrong_passwords_are_refused(carla, visitor):
    for login, password in ((carla.login, "wrong"), (carla.login, ""), ("nobody", "guess"), ("guest", "guest")):
        status, answer = visitor.log_in(login, password)
        assert status in {400, 403}, (login, answer)
        assert not visitor.is_in()


def test_a_log_in_from_another_site_s_page_is_refused(carla, visitor):
    visitor.open("/webclient/login/")
    form = {"server": 1, "username": carla.login, "password": carla.password}
    assert visitor.open("/webclient/login/", form)[0] == 403
    token = {cookie.name: cookie.value for cookie in visitor.cookies}["csrftoken"]
    elsewhere = {"X-CSRFToken": token, "Referer": "https://elsewhere.example.org/"}
    assert visitor.open("/api/v0/login/", form, elsewhere)[0] == 403
    assert not visitor.is_in()


def test_cookies_travel_encrypted_only_and_are_hidden_from_scripts(browser):
    cookies = {cookie.name: cookie for cookie in browser.cookies}
    assert cookies["sessionid"].secure
    assert cookies["sessionid"].has_nonstandard_attr("HttpOnly")
    assert cookies["csrftoken"].secure
    assert all(cookie.domain == "omero1.omero.test" for cookie in cookies.values())


def test_who_logs_out_is_out(carla, visitor):
    assert visitor.log_in(carla.login, carla.password)[0] == 200
    assert visitor.is_in()
    token = {cookie.name: cookie.value for cookie in visitor.cookies}["csrftoken"]
    visitor.open("/webclient/logout/", {"csrfmiddlewaretoken": token})
    assert not visitor.is_in()


def test_a_log_in_outlives_omero_web_and_ends_with_its_redis(host, browser, answering):
    assert browser.is_in()
    host.run_expect([0], "systemctl restart omero-web")
    answering()
    assert browser.is_in()
    host.run_expect([0], "systemctl restart redis-server@omero-web")
    answering()
    assert not browser.is_in()


PAGES = ["/webclient/", "/webadmin/", "/api/v0/m/projects/", "/webgateway/render_image/1/", "/webclient/login/"]
SPELT = ["username={0}&password={1}", "user%6Eame={0}&p%61ssword={1}", "username=&username={0}&password={1}"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("spelt", SPELT)
def test_a_name_in_an_address_logs_nobody_in_however_it_is_spelt(host, carla, visitor, page, spelt):
    status, text = visitor.open(f"{page}?server=1&{spelt.format(carla.login, carla.password)}")
    assert status == 400
    assert "Log in with the form" in text
    assert not visitor.is_in()
    assert carla.password not in host.run("cat /var/log/nginx/access.log").stdout


def test_a_stranger_fills_no_disk(host, visitor):
    status, _text = visitor.open("/webclient/", {"x": "y" * 20_000_000})
    assert status == 413
    assert "tmpfs" in host.check_output(
        "nsenter --target $(systemctl show --property MainPID --value nginx) --mount findmnt -T /var/lib/nginx/body"
    )
    assert visitor.open("/webclient/", {"x": "y" * 120_000_000})[0] == 413

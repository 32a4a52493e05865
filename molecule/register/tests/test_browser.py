# SPDX-License-Identifier: GPL-3.0-or-later
"""Staff at work, in a browser with scripts, styles and cookies."""


def test_staff_log_in_and_see_the_people(browser):
    browser.visit("https://register1.register.test/")
    assert browser.title == "Log in · Scenario's facility"
    browser.fill("#id_username", "sten")
    browser.fill("#id_password", "Secret-of-sten")
    browser.press("main button")
    assert browser.reads("td", "Reader, Rita")
    assert browser.reads("td", "O'Neill & Söhne, Björn")
    browser.keep_picture("register-people")
    browser.fill("#q", "reader neuro")
    browser.press("main button")
    assert "Söhne" not in browser.text
    browser.press("td a")
    assert browser.reads("h1", "Rita Reader")
    browser.keep_picture("register-person")
    assert browser.complaints == []
    browser.press("header button")
    assert browser.sees("#id_password")


def test_who_reads_german_is_answered_in_german(logged_in, host):
    said = logged_in("sten").open("people/", headers={"Accept-Language": "de"}).text
    assert '<html lang="de">' in said
    assert "Abmelden" in said
    # Translations are root's, like the program.
    assert host.check_output("stat -c %U:%a /opt/register/locale/de/LC_MESSAGES/django.mo") == "root:644"


def test_a_wrong_password_is_told_and_what_was_typed_stays(browser):
    browser.visit("https://register1.register.test/people/")
    browser.fill("#id_username", "sten")
    browser.fill("#id_password", "wrong")
    browser.press("main button")
    assert browser.reads("[role=alert]", "wrong")
    browser.keep_picture("register-log-in")
    browser.fill("#id_password", "Secret-of-sten")
    browser.press("main button")
    # Where they wanted to go.
    assert browser.reads("h1", "People")

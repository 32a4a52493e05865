# SPDX-License-Identifier: GPL-3.0-or-later
"""Researchers choose their passwords themselves, in a real directory; and what a stolen register could do there."""

import base64
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.scenario import wait_until

PAGE = "https://register1.register.test/password/"
MAILS = "/var/spool/relay/new"
BASE = "DC=register,DC=test"


class Passwords:
    """The pages about passwords, as who comes without a log-in uses them."""

    def __init__(self, visitor, logged_in):
        self._visitor = visitor
        self._logged_in = logged_in

    def send(self, visitor, path, form):
        """Send a page's form; wait where others have tried too often."""
        while True:
            token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', visitor.open(path).text)[1]
            answer = visitor.open(path, {**form, "csrfmiddlewaretoken": token})
            if answer.status != 429:
                return answer
            time.sleep(1)

    def invite(self, login, how="slip", sten=None):
        """Staff hand over a code."""
        sten = sten or self._logged_in("sten")
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', sten.open(f"people/{login}/").text)[1]
        return sten.open(f"people/{login}/invite/", {"how": how, "csrfmiddlewaretoken": token})

    def slip(self, login):
        return re.search(r"(?:[A-Z2-7]{5}-){5}[A-Z2-7]", self.invite(login).text)[0]

    def choose(self, code, new):
        return self.send(self._visitor, "password/", {"code": code, "new": new, "repeated": new})

    def change(self, visitor, old, new):
        return self.send(visitor, "password/change/", {"old": old, "new": new, "repeated": new})


@pytest.fixture
def passwords(visitor, logged_in):
    return Passwords(visitor, logged_in)


@pytest.fixture(autouse=True)
def as_before(directory):
    """Rita's password is what other tests know, and every mail was another test's."""
    directory.run(f"rm -f {MAILS}/*")
    yield
    directory.run_expect([0], "samba-tool user setpassword rita --newpassword=Secret-of-rita")
    directory.run_expect([0], "samba-tool user unlock rita")


@pytest.fixture
def mails(directory):
    """What the relay has taken."""

    def mails(count=1):
        listed = f"ls {MAILS} 2>/dev/null"
        wait_until(lambda: len(directory.run(listed).stdout.split()) >= count, f"{count} mails are there")
        return directory.check_output(f"cat {MAILS}/*")

    return mails


def test_a_slip_opens_the_account_once_and_the_person_is_told_by_mail(passwords, visitor, mails):
    code = passwords.slip("rita")
    assert passwords.choose(code, "Chosen-by-Rita-1").status == 302
    assert visitor.log_in("rita", "Chosen-by-Rita-1")
    assert passwords.choose(code, "Chosen-by-thief-1").status == 422
    assert "was changed" in mails()


def test_the_old_password_opens_nothing_any_more(passwords, authority, visitor):
    assert passwords.choose(passwords.slip("rita"), "Chosen-by-Rita-2").status == 302
    assert not visitor.log_in("rita", "Secret-of-rita")


def test_who_has_forgotten_the_password_gets_a_link_by_mail(passwords, visitor, mails):
    answer = passwords.send(visitor, "password/forgotten/", {"who": "Rita@register.test"})
    assert answer.status == 200
    code = re.search(rf"{PAGE}#([A-Z2-7-]+)", mails().replace("=\n", ""))[1]
    assert passwords.choose(code, "Chosen-by-Rita-3").status == 302
    assert visitor.log_in("rita", "Chosen-by-Rita-3")


def test_staff_can_have_the_link_sent(passwords, mails):
    assert passwords.invite("rita", "mail").status == 302
    assert f"{PAGE}#" in mails().replace("=\n", "")


def test_a_relay_that_is_away_is_told(passwords, logged_in, directory):
    sten = logged_in("sten")
    directory.run_expect([0], "systemctl stop relay")
    try:
        assert passwords.invite("rita", "mail", sten).status == 302
        assert "does not take it" in sten.open("people/rita/").text
    finally:
        directory.run_expect([0], "systemctl start relay")


def test_a_change_asks_the_directory_for_the_old_password_and_its_history(passwords, logged_in, visitor):
    rita = logged_in("rita")
    assert passwords.change(rita, "guess", "Chosen-by-Rita-4").status == 422
    assert passwords.change(rita, "Secret-of-rita", "Chosen-by-Rita-4").status == 302
    assert visitor.log_in("rita", "Chosen-by-Rita-4")
    again = passwords.change(rita, "Chosen-by-Rita-4", "Secret-of-rita")
    assert again.status == 422
    assert "had it before" in again.text


def test_staff_change_their_own_password(passwords, logged_in, visitor, directory):
    sten = logged_in("sten")
    try:
        assert passwords.change(sten, "Secret-of-sten", "Chosen-by-Sten-1").status == 302
        assert visitor.log_in("sten", "Chosen-by-Sten-1")
    finally:
        directory.run_expect([0], "samba-tool user setpassword sten --newpassword=Secret-of-sten")


def test_the_directory_s_own_rule_is_told_and_the_code_stays_valid(passwords, directory):
    directory.run_expect([0], "samba-tool domain passwordsettings set --complexity=on")
    code = passwords.slip("rita")
    try:
        answer = passwords.choose(code, "chosen by somebody")
        assert answer.status == 422
        assert "too few kinds" in answer.text
    finally:
        directory.run_expect([0], "samba-tool domain passwordsettings set --complexity=off")
    assert passwords.choose(code, "Chosen-by-Rita-5").status == 302


def test_a_locked_account_is_unlocked_with_the_new_password(passwords, visitor, directory):
    directory.run_expect([0], "samba-tool domain passwordsettings set --account-lockout-threshold=2")
    try:
        for guess in ("one", "two", "three"):
            visitor.log_in("rita", guess)
        assert not visitor.log_in("rita")
        assert passwords.choose(passwords.slip("rita"), "Chosen-by-Rita-6").status == 302
        assert visitor.log_in("rita", "Chosen-by-Rita-6")
    finally:
        directory.run_expect([0], "samba-tool domain passwordsettings set --account-lockout-threshold=0")


def test_a_directory_that_is_down_costs_no_code(passwords, request):
    code = passwords.slip("rita")
    directory_down = request.getfixturevalue("directory_down")
    assert directory_down is None
    answer = passwords.choose(code, "Chosen-by-Rita-7")
    assert answer.status == 503
    assert "does not answer" in answer.text


def test_somebody_whose_account_is_not_there_yet_is_told_to_wait(passwords):
    answer = passwords.choose(passwords.slip("bert"), "Chosen-by-Bert-1")
    assert answer.status == 422
    assert "not there yet" in answer.text


@pytest.mark.parametrize("login", ["sten", "ida"])
def test_no_slip_is_printed_for_staff_or_administrators(logged_in, login):
    sten = logged_in("sten")
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', sten.open("people/").text)[1]
    answer = sten.open(f"people/{login}/invite/", {"how": "slip", "csrfmiddlewaretoken": token})
    assert answer.status == 302
    assert ("IT administrators set" if login == "sten" else "exist") in sten.open("people/").text


def test_guessing_codes_is_slowed_down(visitor):
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', visitor.open("password/").text)[1]
    form = {"code": "A" * 26, "new": "Chosen-by-thief-1", "repeated": "Chosen-by-thief-1", "csrfmiddlewaretoken": token}
    answers = [visitor.open("password/", form).status for _ in range(40)]
    assert answers.count(429) > 10
    wait_until(lambda: visitor.open("password/", form).status != 429, "who waits may try again")


def test_neither_codes_nor_passwords_are_in_logs_processes_or_files(passwords, host, directory):
    code = passwords.slip("rita")
    assert passwords.choose(code, "Chosen-by-Rita-8").status == 302
    for word in (code, code.replace("-", ""), "Chosen-by-Rita-8"):
        assert word not in host.run("journalctl --no-pager").stdout
        assert host.run(f"grep -rlF -e {word} /var/log /var/lib/register /tmp").stdout == ""
    assert "rita has set a password with a code" in host.run("journalctl -u register --no-pager").stdout


@pytest.mark.parametrize(
    "change",
    [
        "dn: CN=Sten Staff,OU=People,{base}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {word}\n",
        "dn: CN=Ida Admin,OU=People,{base}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {word}\n",
        "dn: CN=Administrator,CN=Users,{base}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {word}\n",
        "dn: CN=Rita Reader,OU=Researchers,OU=People,{base}\nchangetype: modify\nreplace: mail\nmail: thief@x.test\n",
        "dn: CN=Rita Reader,OU=Researchers,OU=People,{base}\nchangetype: modify\nreplace: accountExpires\n"
        "accountExpires: 0\n",
        "dn: CN=Rita Reader,OU=Researchers,OU=People,{base}\nchangetype: modify\nreplace: userAccountControl\n"
        "userAccountControl: 512\n",
        "dn: CN=facility-it,OU=Groups,{base}\nchangetype: modify\nadd: member\n"
        "member: CN=Rita Reader,OU=Researchers,OU=People,{base}\n",
        "dn: CN=Sten Staff,OU=People,{base}\nchangetype: modrdn\nnewrdn: CN=Sten Staff\ndeleteoldrdn: 1\n"
        "newsuperior: OU=Researchers,OU=People,{base}\n",
        "dn: CN=new,OU=Researchers,OU=People,{base}\nchangetype: add\nobjectClass: user\nsAMAccountName: new\n",
        "dn: CN=Rita Reader,OU=Researchers,OU=People,{base}\nchangetype: delete\n",
    ],
    ids=["staff", "it", "administrator", "mail", "expiry", "enable", "group", "move", "make", "delete"],
)
def test_a_stolen_register_can_only_set_passwords_of_researchers(directory, secret, change):
    word = base64.b64encode('"Thiefs-Word-1"'.encode("utf-16-le")).decode()
    text = change.format(base=BASE, word=word)
    bind = f"CN=svc-register,OU=Service Accounts,{BASE}"
    command = f"ldapmodify -x -H ldaps://dc1.register.test -D '{bind}' -w '{secret('bind')}' <<'END'\n{text}END"
    done = directory.run(f"LDAPTLS_CACERT=/etc/facility/tls/ca.crt {command}")
    assert done.rc == 50 or "Insufficient access" in done.stderr, done.stderr


def test_whose_account_has_expired_loses_the_pages(logged_in, directory):
    lena = logged_in("lena")
    directory.run_expect([0], "samba-tool user setexpiry lena --days=-1")
    try:
        wait_until(lambda: lena.open("people/").status == 302, "Lena is logged out", 14)
    finally:
        directory.run_expect([0], "samba-tool user setexpiry lena --noexpiry")


def test_what_runs_out_is_mailed_by_the_host_itself(host, mails):
    extend = "facility person extend rita --by sten --reason changed --record --until"
    soon = datetime.now(UTC).date() + timedelta(days=10)
    host.run_expect([0], f"{extend} {soon}")
    try:
        host.run_expect([0], "systemctl start register-remind")
        told = mails()
        assert "To: rita@register.test" in told
        assert f"{soon}" in told
        # Each once.
        host.run_expect([0], "systemctl start register-remind")
        assert mails() == told
    finally:
        host.run_expect([0], f"{extend} 2099-12-31")

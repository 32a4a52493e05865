# SPDX-License-Identifier: GPL-3.0-or-later
"""Reminders leave through a real mail server with TLS, each once, and one refused address stops nobody else's."""

import email
import email.policy
import socket
import ssl
from datetime import date, timedelta

import pytest
from aiosmtpd.controller import Controller

from tests.certificates import certificate
from tests.register_site import TODAY

BRIEFING = [
    {"fact": "session", "id": "s1", "requirement": "safety", "date": "2026-04-20", "by": "thomas", "form": "oral",
     "state": "held"},
    {"fact": "attendance", "session": "s1", "person": "aadler", "result": "attended"},
    {"fact": "attendance", "session": "s1", "person": "bbaer", "result": "attended"},
]  # fmt: skip
# Both briefings of 20 April end on 20 June.
NEAR = date(2026, 6, 17)


class Relay:
    """What a site's relay does: it takes mails, and refuses some addresses."""

    def __init__(self):
        self.mails = []
        self.refused = set()
        self.hangs_up = False

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's names
        if address in self.refused:
            return "550 no such user"
        if self.hangs_up and self.mails:
            return "421 closing"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        assert session.ssl is not None
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def sent_to(self):
        return [mail["To"] for mail in self.mails]


@pytest.fixture
def relay(tmp_path, site, monkeypatch):
    from dataclasses import replace

    from django.conf import settings

    from facility.register.ledger import Change, make

    pem = certificate(tmp_path, "relay", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    handler = Relay()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="localhost", port=port, tls_context=context, require_starttls=True)
    controller.start()
    told = {"mail_server": "localhost", "mail_port": port, "mail_ca_file": pem, "mail_from": "facility@example.org",
            "address": "https://register1.example.org/", "mail_digest": ("staff@example.org",)}  # fmt: skip
    monkeypatch.setattr(settings, "FACILITY", replace(settings.FACILITY, **told))
    monkeypatch.setattr(settings, "EMAIL_HOST", "localhost")
    monkeypatch.setattr(settings, "EMAIL_PORT", port)
    monkeypatch.setattr(settings, "DEFAULT_FROM_EMAIL", "facility@example.org")
    make("stefan", Change("test", BRIEFING))
    yield handler
    controller.stop()


def remind(day=NEAR):
    from facility.register import mail

    return mail.remind(day)


def test_each_gets_one_mail_about_what_runs_out_and_none_the_next_night(relay):
    assert remind() == (2, [])
    assert relay.sent_to == ["aadler@example.org", "bbaer@example.org"]
    mail = relay.mails[0]
    assert mail["From"] == "facility@example.org" and "Small facility" in mail["Subject"]
    text = mail.get_content()
    assert "Dear Änne Adler" in text and "2026-06-20  safety briefing" in text
    assert "https://register1.example.org/me/" in text
    assert remind() == (0, [])
    assert remind(NEAR + timedelta(days=1)) == (0, [])


def test_an_address_that_the_relay_refuses_is_said_and_tried_again(relay):
    relay.refused = {"aadler@example.org"}
    taken, problems = remind()
    assert taken == 1 and relay.sent_to == ["bbaer@example.org"]
    assert "aadler@example.org: the relay refuses the mail" in problems[0]
    relay.refused = set()
    assert remind() == (1, [])
    assert relay.sent_to == ["bbaer@example.org", "aadler@example.org"]


def test_a_relay_that_is_away_or_hangs_up_loses_and_doubles_nothing(relay, monkeypatch):
    from django.conf import settings

    port = settings.EMAIL_PORT
    monkeypatch.setattr(settings, "EMAIL_PORT", 1)
    taken, problems = remind()
    assert taken == 0 and "2 mails wait for the next run" in problems[0]
    monkeypatch.setattr(settings, "EMAIL_PORT", port)
    relay.hangs_up = True
    taken, problems = remind()
    assert taken == 1 and len(problems) == 1
    relay.hangs_up = False
    assert remind() == (1, [])
    assert sorted(relay.sent_to) == ["aadler@example.org", "bbaer@example.org"]


def test_a_relay_that_is_somebody_else_gets_nothing(relay, tmp_path, monkeypatch):
    from dataclasses import replace

    from django.conf import settings

    other = tmp_path / "other"
    other.mkdir()
    stranger = certificate(other, "stranger", "localhost")
    monkeypatch.setattr(settings, "FACILITY", replace(settings.FACILITY, mail_ca_file=stranger))
    taken, problems = remind()
    assert taken == 0 and "certificate" in problems[0].lower()
    assert relay.mails == []


def test_the_staff_get_a_list_each_monday(relay):
    assert TODAY.weekday() == 0
    assert remind(TODAY)[0] == 3
    digest = relay.mails[-1]
    assert digest["To"] == "staff@example.org"
    assert "2026-06-20  Adler, Änne: safety briefing" in digest.get_content()
    assert remind(TODAY) == (0, [])


def test_without_a_relay_nobody_is_reminded_and_that_is_said(site, capsys):
    from django.core.management import call_command

    call_command("remind")
    assert "mail_server is empty" in capsys.readouterr().out

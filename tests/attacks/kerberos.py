# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos as an attacker speaks it: questions without a password, and tickets to crack at home.

Impacket's own question for a ticket lacks the checksum without which Samba refuses it, so it is put together here.
"""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from impacket.krb5 import constants
from impacket.krb5.asn1 import AP_REQ, AS_REP, AS_REQ, TGS_REP, TGS_REQ, Authenticator, seq_set, seq_set_iter
from impacket.krb5.crypto import Key, make_checksum
from impacket.krb5.kerberosv5 import KerberosError, getKerberosTGT, sendReceive
from impacket.krb5.types import KerberosTime, Principal, Ticket
from pyasn1.codec.der import decoder, encoder

from tests.attacks.facility import CONTROLLER, DOMAIN

REALM = DOMAIN.upper()
NAME = constants.PrincipalNameType
MESSAGE = constants.ApplicationTagNumbers
# RC4 first: it is cracked fastest.
CIPHERS = (23, 18, 17)
AS_REP_TAG = 0x6B
SHA1_WITH_AES256 = 16
TGS_REQ_AUTHENTICATOR, TGS_REQ_CHECKSUM = 7, 6
"""Key usages 7 and 6 of RFC 4120, 7.5.1."""


def _principal(name: str) -> Principal:
    kind = NAME.NT_SRV_INST if "/" in name else NAME.NT_PRINCIPAL
    return Principal(name, type=kind.value)


def _body(message: Any, service: str) -> Any:
    body = seq_set(message, "req-body")
    body["kdc-options"] = constants.encodeFlags([])
    seq_set(body, "sname", _principal(service).components_to_asn1)
    body["realm"] = REALM
    body["till"] = KerberosTime.to_asn1(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))
    body["nonce"] = secrets.randbits(31)
    seq_set_iter(body, "etype", CIPHERS)
    return body


def answered_without_password(login: str) -> bool:
    """Say whether the controller hands out something encrypted with a login's password to who did not show it."""
    question = AS_REQ()
    question["pvno"] = 5
    question["msg-type"] = MESSAGE.AS_REQ.value
    seq_set(_body(question, f"krbtgt/{REALM}"), "cname", _principal(login).components_to_asn1)
    try:
        # No exception where a password is demanded, but that as the answer.
        answer: bytes = sendReceive(encoder.encode(question), REALM, CONTROLLER)
    except KerberosError:
        return False
    return answer[0] == AS_REP_TAG


def wrong_password(login: str) -> None:
    """Try a wrong password."""
    try:
        getKerberosTGT(_principal(login), "guess", REALM, b"", b"", kdcHost=CONTROLLER)
    except KerberosError:
        return
    raise AssertionError(f"{login} has the password of an attack")


class Session:
    """Somebody who has shown a password, and asks for tickets."""

    def __init__(self, login: str, password: str) -> None:
        """Log in."""
        self._login = login
        granted, self._cipher, _, self._key = getKerberosTGT(
            _principal(login), password, REALM, b"", b"", kdcHost=CONTROLLER
        )
        self._granted = Ticket()
        self._granted.from_asn1(decoder.decode(granted, asn1Spec=AS_REP())[0]["ticket"])

    def ticket(self, service: str) -> int | None:
        """Return the cipher of a ticket for a service or account, or None where none is given."""
        question = TGS_REQ()
        question["pvno"] = 5
        question["msg-type"] = MESSAGE.TGS_REQ.value
        tagged = encoder.encode(_body(question, service))
        # The checksum is of what stands in the tag, behind one byte of kind and those of its length.
        body = tagged[2 + (tagged[1] & 0x7F if tagged[1] & 0x80 else 0) :]
        question["padata"][0]["padata-type"] = constants.PreAuthenticationDataTypes.PA_TGS_REQ.value
        question["padata"][0]["padata-value"] = self._shown(body)
        try:
            answer = sendReceive(encoder.encode(question), REALM, CONTROLLER)
        except KerberosError:
            return None
        return int(decoder.decode(answer, asn1Spec=TGS_REP())[0]["ticket"]["enc-part"]["etype"])

    def _shown(self, body: bytes) -> bytes:
        key: Key = self._key
        now = datetime.datetime.now(datetime.UTC)
        author = Authenticator()
        author["authenticator-vno"] = 5
        author["crealm"] = REALM
        seq_set(author, "cname", _principal(self._login).components_to_asn1)
        checksum = seq_set(author, "cksum")
        checksum["cksumtype"] = SHA1_WITH_AES256
        checksum["checksum"] = make_checksum(SHA1_WITH_AES256, key, TGS_REQ_CHECKSUM, body)
        author["cusec"] = now.microsecond
        author["ctime"] = KerberosTime.to_asn1(now)
        shown = AP_REQ()
        shown["pvno"] = 5
        shown["msg-type"] = MESSAGE.AP_REQ.value
        shown["ap-options"] = constants.encodeFlags([])
        seq_set(shown, "ticket", self._granted.to_asn1)
        shown["authenticator"]["etype"] = self._cipher.enctype
        shown["authenticator"]["cipher"] = self._cipher.encrypt(
            key, TGS_REQ_AUTHENTICATOR, encoder.encode(author), None
        )
        return bytes(encoder.encode(shown))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What Active Directory stores in forms of its own: times, intervals, DNS records; and how names are escaped."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta, timezone

import ldap.dn
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.directory import dns_record as dns
from facility.directory import filetime as times
from facility.directory import names

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - zones are drawn
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
LABELS = st.from_regex(r"[a-z]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
BASE = "DC=imaging,DC=example,DC=org"


@given(MOMENTS)
def test_a_moment_survives_the_way_through_filetime(moment):
    back = times.from_filetime(times.to_filetime(moment.isoformat()))
    assert datetime.fromisoformat(back) == moment
    assert times.same_moment(back) == back


@given(st.integers(10, 0x7FFFFFFFFFFFFFFE))
def test_every_filetime_can_be_read_and_loses_less_than_a_microsecond(ticks):
    shown = times.from_filetime(ticks)
    assert shown == "never" or 0 <= ticks - times.to_filetime(shown) < 10


def test_the_epoch_and_a_known_day_are_where_microsoft_says():
    assert times.to_filetime("1970-01-01T00:00:00Z") == 116444736000000000
    assert times.from_filetime(134273304000000000) == "2026-06-30T22:00:00Z"
    assert times.to_filetime("2026-07-01T00:00:00+02:00") == 134273304000000000
    assert datetime.fromisoformat(times.from_filetime(116444736000000000)) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("ticks", [0, 0x7FFFFFFFFFFFFFFF])
def test_both_of_the_directory_s_nevers_are_never(ticks):
    assert times.from_filetime(ticks) == "never"
    assert times.same_moment("Never") == "never"


@pytest.mark.parametrize("text", ["2026-12-31", "2026-12-31T12:00:00", "tomorrow", "", "2026-02-30T00:00:00Z"])
def test_a_moment_without_offset_or_sense_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"write it like 2026-12-31T23:59:59\+01:00, or never"):
        times.to_filetime(text)


@given(st.integers(0, 9999))
def test_intervals_count_in_their_unit(days):
    assert times.interval(-days * times.TICKS_PER_DAY, times.TICKS_PER_DAY) == days
    assert times.interval(times.INTERVAL_NEVER, times.TICKS_PER_DAY) == 0


@given(NAMES)
def test_an_escaped_name_parses_back_to_itself(name):
    parsed = ldap.dn.str2dn(names.child("CN", name, BASE))
    assert [(rdn[0][0], rdn[0][1]) for rdn in parsed] == [
        ("CN", name),
        ("DC", "imaging"),
        ("DC", "example"),
        ("DC", "org"),
    ]


@given(NAMES)
def test_normalising_twice_is_normalising_once_and_case_does_not_matter(name):
    dn = names.child("CN", name, BASE)
    once = names.normalised(dn)
    assert names.normalised(once) == once
    assert names.normalised(dn.replace("CN=", "cn=").replace("DC=", "dc=")) == once


def test_different_spellings_of_one_dn_are_the_same():
    assert names.normalised(r"CN=Adler\, Anna, OU=People,DC=Example") == names.normalised(
        r"cn=Adler\2C Anna,ou=people,dc=example"
    )


@given(NAMES)
def test_a_filter_holds_for_its_own_value_and_nothing_breaks_out_of_it(name):
    condition = names.equals("cn", name)
    inner = condition[len("(cn=") : -1]
    assert not set(inner) & set("()*\0")
    assert bytes(inner, "utf-8").count(b"\\") == sum(name.count(character) for character in "()*\\\0")


def test_the_domain_is_the_end_of_a_dn():
    dn = f"CN=aadler,OU=people,{BASE}"
    assert names.domain_part(dn) == BASE
    assert names.dns_domain(dn) == "imaging.example.org"
    with pytest.raises(ValueError, match="write it like OU=people,DC=example,DC=org"):
        names.domain_part("people")


RECORDS = st.builds(
    dns.DnsRecord,
    type=st.integers(0, 0xFFFF),
    data=st.binary(max_size=300),
    ttl=st.integers(0, 0xFFFFFFFF),
    serial=st.integers(0, 0xFFFFFFFF),
    rank=st.integers(0, 255),
    flags=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
)


@given(RECORDS)
def test_a_dns_record_survives_its_binary_form(record):
    assert dns.decoded(dns.encoded(record)) == record


@given(st.binary(max_size=60))
def test_bytes_that_are_no_dns_record_are_refused_and_others_come_back_whole(raw):
    try:
        record = dns.decoded(raw)
    except ValueError:
        return
    again = dns.encoded(record)
    assert again[:16] == raw[:16]  # the reserved field behind it isn't kept
    assert again[20:] == raw[20:]


@given(st.ip_addresses(v=4))
def test_an_address_survives(address: ipaddress.IPv4Address):
    assert dns.value_of("A", dns.data_of("A", str(address))) == str(address)


@given(HOSTS, st.sampled_from(["CNAME", "PTR"]))
def test_a_host_name_survives(host, kind):
    assert dns.value_of(kind, dns.data_of(kind, f"{host}.")) == host


def test_records_look_as_samba_writes_them():
    address = dns.DnsRecord(dns.TYPES["A"], dns.data_of("A", "10.42.99.11"), ttl=900)
    assert dns.encoded(address).hex() == "0400010005f00000010000000000038400000000000000000a2a630b"
    assert dns.data_of("CNAME", "dc1.scratch.test").hex() == "1203036463310773637261746368047465737400"


@pytest.mark.parametrize(
    ("kind", "value", "cure"),
    [
        ("A", "10.42.0", "write it like 192.0.2.1"),
        ("A", "fe80::1", "write it like 192.0.2.1"),
        ("CNAME", "", "write it like wiki1.example.org"),
        ("PTR", ".", "write it like wiki1.example.org"),
    ],
)
def test_a_value_that_does_not_suit_its_type_is_refused(kind, value, cure):
    with pytest.raises(ValueError, match=cure):
        dns.data_of(kind, value)

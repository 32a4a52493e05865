# SPDX-License-Identifier: GPL-3.0-or-later
"""How a unit is locked in: the list, and the unit's exceptions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.core.sandbox import DIRECTIVES, SANDBOX, Kind, SandboxError, sandbox

TEXTS = st.text(alphabet="~@/%aZ0_.:-", min_size=1, max_size=6)


def values_of(kind: Kind):
    """What a directive takes."""
    lists = st.lists(TEXTS, min_size=0 if kind.empty else 1, max_size=3)
    several = st.lists(st.lists(TEXTS, min_size=1, max_size=2), min_size=1, max_size=2)
    return st.one_of(
        *[st.booleans()] * kind.switch,
        *[st.sampled_from(sorted(kind.words))] * bool(kind.words),
        *[lists, several] * kind.items,
    )


EXCEPTIONS = st.fixed_dictionaries(
    {},
    optional={
        name: values_of(kind) | (st.none() if name in SANDBOX else st.nothing()) for name, kind in DIRECTIVES.items()
    },
)


def parsed(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_a_unit_without_exceptions_has_the_list():
    found = parsed(sandbox({}))
    assert list(found) == list(SANDBOX)
    assert found["CapabilityBoundingSet"] == [""], "no capability"
    assert found["ProtectSystem"] == ["strict"]
    assert found["PrivateTmp"] == ["true"]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]


def test_a_unit_says_what_it_has_otherwise_besides_and_not():
    found = parsed(
        sandbox(
            {
                "ReadWritePaths": ["/srv/x", "-/srv/y"],
                "CapabilityBoundingSet": ["CAP_CHOWN"],
                "ProtectHome": "read-only",
                "MemoryDenyWriteExecute": None,
                "SystemCallFilter": [["@system-service"], ["~@privileged", "@resources"]],
                "SystemCallErrorNumber": "EPERM",
            }
        )
    )
    assert found["ReadWritePaths"] == ["/srv/x -/srv/y"]
    assert found["CapabilityBoundingSet"] == ["CAP_CHOWN"]
    assert found["ProtectHome"] == ["read-only"]
    assert "MemoryDenyWriteExecute" not in found
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert found["SystemCallErrorNumber"] == ["EPERM"]
    assert found["PrivateDevices"] == ["true"]


@given(EXCEPTIONS)
def test_what_a_unit_says_nothing_of_is_as_in_the_list(chosen):
    found, usual = parsed(sandbox(chosen)), parsed(sandbox({}))
    assert set(found) == (set(usual) | set(chosen)) - {name for name, value in chosen.items() if value is None}
    assert all(found[name] == usual[name] for name in set(usual) - set(chosen))


@given(EXCEPTIONS)
def test_each_line_is_one_directive_with_a_value_that_was_given(chosen):
    for line in sandbox(chosen).splitlines():
        name, _, value = line.partition("=")
        assert name in DIRECTIVES
        given_value = chosen.get(name, SANDBOX.get(name))
        assert value == str(given_value).lower() or value == given_value or set(value.split()) <= _texts(given_value)


def _texts(value: object) -> set[str]:
    return {text for line in value for text in ([line] if isinstance(line, str) else line)}


def test_the_list_holds_what_its_directives_take():
    assert set(SANDBOX) <= set(DIRECTIVES)
    assert sandbox(dict(SANDBOX)) == sandbox({})


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        ({"ProtectHomes": True}, "ProtectHomes is no directive.*write ProtectHome$"),
        ({"Restart": "always"}, "Restart is no directive.*put it into the unit itself"),
        ({"ProtectProc": None}, "ProtectProc is not in the list.*remove it"),
        ({"PrivateTmp": "yes"}, "PrivateTmp can't be 'yes': write true or false$"),
        ({"PrivateTmp": 1}, "PrivateTmp can't be 1"),
        ({"ProtectSystem": "tight"}, r'write true or false or "full" or "strict"$'),
        ({"ReadWritePaths": "/srv/x"}, "ReadWritePaths can't be '/srv/x': write a list of texts"),
        ({"ReadWritePaths": []}, "ReadWritePaths can't be"),
        ({"ReadWritePaths": ["/srv/x", ""]}, "ReadWritePaths can't be"),
        ({"ReadWritePaths": ["/srv/x /srv/y"]}, "each without spaces"),
        ({"ReadWritePaths": ["/srv/x\nUser=root"]}, "each without spaces"),
        ({"ReadWritePaths": ["/srv/x", None]}, "ReadWritePaths can't be"),
        ({"ReadWritePaths": True}, "ReadWritePaths can't be True"),
        ({"ReadWritePaths": {"/srv/x": True}}, "ReadWritePaths can't be"),
        ({"SystemCallFilter": [["@system-service"], []]}, "SystemCallFilter can't be"),
        ({"SystemCallFilter": [["@system-service"], "@mount"]}, "SystemCallFilter can't be"),
        ({"SystemCallErrorNumber": "EWRONG"}, "SystemCallErrorNumber can't be 'EWRONG'"),
    ],
)
def test_a_mistake_is_named_with_its_cure(wrong, cure):
    with pytest.raises(SandboxError, match=cure):
        sandbox(wrong)


@pytest.mark.parametrize("wrong", ["ProtectHome=true", ["ProtectHome"], None])
def test_exceptions_are_a_mapping(wrong):
    with pytest.raises(SandboxError, match="a mapping of directives to values"):
        sandbox(wrong)


def test_the_filter_is_the_same(filters):
    assert filters.sandbox({"ProtectHome": None}) == sandbox({"ProtectHome": None})
    assert not re.search("ProtectHome=", filters.sandbox({"ProtectHome": None}))

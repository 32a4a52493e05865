# SPDX-License-Identifier: GPL-3.0-or-later
"""What pgBackRest 2.45 says is understood. The texts are the real tool's."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup import pgbackrest
from facility.backup.pgbackrest import PgbackrestError, info, parsed, wal_arrival

REAL = (
    '[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000003",'
    '"min":"000000010000000000000001"}],"backup":[{"archive":{"start":"000000010000000000000002","stop":'
    '"000000010000000000000002"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},'
    '"error":false,"info":{"delta":30821233,"repository":{"delta":4075936,"size":4075936},"size":30821233},'
    '"label":"20261126-013211F","lsn":{"start":"0/2000028","stop":"0/2000100"},"prior":null,"reference":null,'
    '"timestamp":{"start":1795656731,"stop":1795656737},"type":"full"}],"cipher":"none","db":[{"id":1,"repo-key":1,'
    '"system-id":7712286762721999132,"version":"15"}],"name":"omero","repo":[{"cipher":"none","key":1,"status":'
    '{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]'
)
MISSING = (
    '[{"archive":[],"backup":[],"cipher":"none","db":[],"name":"nix","repo":[{"cipher":"none","key":1,"status":{"code":1,'
    '"message":"missing stanza path"}}],"status":{"code":1,"lock":{"backup":{"held":false}},"message":'
    '"missing stanza path"}}]'
)


def test_a_stanza_has_its_backups_and_its_log():
    (stanza,) = parsed(REAL)
    assert (stanza.name, stanza.ok, stanza.archive) == ("omero", True, "15-1")
    assert stanza.newest_wal == "000000010000000000000003"
    (backup,) = stanza.backups
    assert (backup.type, backup.stop, backup.bytes, backup.error) == ("full", 1795656737, 30821233, False)


def test_a_stanza_that_is_not_there_says_so():
    (stanza,) = parsed(MISSING)
    assert not stanza.ok
    assert stanza.message == "missing stanza path"
    assert stanza.backups == ()


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_anything_else_is_refused_and_nothing_else_is_raised(text):
    try:
        parsed(text)
    except PgbackrestError as error:
        assert "pgBackRest 2.45" in str(error)


def test_log_came_in_when_its_file_was_written(tmp_path):
    (stanza,) = parsed(REAL)
    folder = tmp_path / "archive/omero/15-1/0000000100000000"
    folder.mkdir(parents=True)
    for name, time in (("000000010000000000000003-7af3.gz", 500), ("000000010000000000000002-0345.gz", 900)):
        (folder / name).write_text("x")
        os.utime(folder / name, (0, time))
    assert wal_arrival(tmp_path, stanza) == 500
    assert wal_arrival(tmp_path, parsed(MISSING)[0]) is None
    with pytest.raises(PgbackrestError, match="give the group"):
        wal_arrival(tmp_path / "nowhere", stanza)


def program(tmp_path, monkeypatch, text: str) -> str:
    file = tmp_path / "pgbackrest"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    monkeypatch.setattr(pgbackrest.info, "__defaults__", ("", pgbackrest.CONFIG, str(file)))
    return str(file)


def test_what_it_complains_of_is_told_with_a_cure(tmp_path, monkeypatch):
    complaint = "ERROR: [055]: unable to open missing file '/nonexistent' for read"
    file = program(tmp_path, monkeypatch, f'echo "{complaint}" >&2; exit 55')
    with pytest.raises(PgbackrestError, match=r"unable to open missing file .* mend /nonexistent"):
        info(config="/nonexistent", program=file)
    with pytest.raises(PgbackrestError, match="install the package"):
        info(program=str(tmp_path / "none"))


def test_the_module_tells_it_all(tmp_path, monkeypatch, run_module):
    program(tmp_path, monkeypatch, f"echo '{REAL}'")
    told = run_module("pgbackrest_info", {"stanza": "omero"})
    assert told["stanzas"][0]["backups"][0]["label"] == "20261126-013211F"
    assert told["changed"] is False

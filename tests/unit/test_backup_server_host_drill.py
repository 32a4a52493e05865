# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that is restored onto a host of its own: noted when it begins and ends, and told when it never ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facility.backup.server import host_drill, state
from facility.backup.server.config import Config, HostDrillConfig

NOW = 1_800_000_000.0
HOUR = 3600
OMERO = HostDrillConfig("omero", days=8, hours=12)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "x"
    return Config(tmp_path, file, tmp_path, file, tmp_path, tmp_path, host_drills=(OMERO,))


def outcome(config: Config, now: float):
    return host_drill.outcome(OMERO, state.read(config.state / state.HOST_DRILL_FILE).get("omero", {}), now)


def test_a_drill_that_ended_is_known_with_what_it_brought_back(config):
    host_drill.begin(config, "omero", NOW)
    host_drill.end(config, "omero", json.dumps({"ok": True, "files": 7}), NOW + 300)
    found = outcome(config, NOW + HOUR)
    assert (found.ok, found.time) == (True, NOW + 300)
    told = state.read(config.state / state.HOST_DRILL_FILE)["omero"]["result"]
    assert (told["files"], told["seconds"]) == (7, 300)


def test_a_drill_that_never_ended_has_failed_when_its_hours_are_over(config):
    host_drill.begin(config, "omero", NOW)
    assert outcome(config, NOW + HOUR) is None
    found = outcome(config, NOW + 13 * HOUR)
    assert not found.ok
    assert "never came to its end" in found.message


def test_while_one_is_under_way_the_last_one_counts(config):
    host_drill.begin(config, "omero", NOW)
    host_drill.end(config, "omero", '{"ok": false, "message": "2 files are missing"}', NOW + 60)
    host_drill.begin(config, "omero", NOW + HOUR)
    assert outcome(config, NOW + 2 * HOUR).message == "2 files are missing"
    host_drill.end(config, "omero", '{"ok": true}', NOW + 2 * HOUR)
    assert outcome(config, NOW + 100 * HOUR).ok


def test_a_repeated_one_that_broke_off_is_told_although_the_last_was_good(config):
    host_drill.begin(config, "omero", NOW)
    host_drill.end(config, "omero", '{"ok": true}', NOW + 60)
    host_drill.begin(config, "omero", NOW + HOUR)
    assert not outcome(config, NOW + 14 * HOUR).ok


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ok": "yes"}', "ok"])
def test_a_result_that_is_none_is_refused_and_changes_nothing(config, text):
    host_drill.begin(config, "omero", NOW)
    before = state.read(config.state / state.HOST_DRILL_FILE)
    with pytest.raises(host_drill.HostDrillError, match="JSON object"):
        host_drill.end(config, "omero", text, NOW + 1)
    assert state.read(config.state / state.HOST_DRILL_FILE) == before


def test_an_end_without_a_beginning_and_an_unknown_service_are_refused(config):
    with pytest.raises(host_drill.HostDrillError, match="has begun"):
        host_drill.end(config, "omero", '{"ok": true}')
    with pytest.raises(host_drill.HostDrillError, match="choose of omero"):
        host_drill.begin(config, "wiki")

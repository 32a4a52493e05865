# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures are in Prometheus' text format, whatever the labels hold, and no digit is lost."""

from __future__ import annotations

import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.backup.client import metrics as client
from facility.backup.server import metrics as server
from facility.core.textfile_metrics import Metric, rendered, write
from facility.drive.settle import metrics as settle

METRICS = {
    "size_bytes": Metric("Size."),
    "acts_total": Metric("Acts.", kind="counter"),
    "age_seconds": Metric("Age.", label="stanza"),
}
# The format's own rule for a line with a value.
LINE = re.compile(r'([a-z_]+)(?:\{([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (\S+)')


def test_a_figure_has_its_meaning_its_kind_and_its_value():
    text = rendered(METRICS, {"size_bytes": 1234567890123, "acts_total": 3, "age_seconds": {"b": 0.5, "a": 1}})
    assert text.splitlines() == [
        "# HELP size_bytes Size.", "# TYPE size_bytes gauge", "size_bytes 1234567890123.0",
        "# HELP acts_total Acts.", "# TYPE acts_total counter", "acts_total 3.0",
        "# HELP age_seconds Age.", "# TYPE age_seconds gauge",
        'age_seconds{stanza="a"} 1.0', 'age_seconds{stanza="b"} 0.5',
    ]  # fmt: skip
    assert text.endswith("\n")


@given(st.dictionaries(st.text(), st.floats(allow_nan=False), min_size=1))
def test_every_label_and_number_comes_back(values):
    found = {}
    for line in rendered(METRICS, {"age_seconds": values}).split("\n")[2:-1]:
        match = LINE.fullmatch(line)
        assert match, line
        key = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), match[3])
        found[key] = float(match[4])
    assert found == values


def test_a_figure_that_nobody_described_is_refused():
    with pytest.raises(KeyError, match="unknown"):
        rendered(METRICS, {"unknown": 1})


@pytest.mark.parametrize("values", [{"age_seconds": 1}, {"size_bytes": {"a": 1}}])
def test_a_value_that_does_not_fit_its_label_is_refused(values):
    with pytest.raises(ValueError, match="label"):
        rendered(METRICS, values)


def test_everybody_may_read_the_file(tmp_path):
    write(tmp_path / "a.prom", METRICS, {"size_bytes": 1})
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["a.prom"]


@pytest.mark.parametrize("metrics", [client.METRICS, server.METRICS, settle.METRICS])
def test_names_end_as_prometheus_wants_it_and_meanings_are_one_line(metrics):
    assert metrics
    for name, metric in metrics.items():
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", name)
        assert name.endswith("_total") == (metric.kind == "counter"), name
        assert "\n" not in metric.meaning
        assert "\\" not in metric.meaning

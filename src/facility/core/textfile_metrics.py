# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures in Prometheus' text format, for the node exporter's folder of text files.

https://github.com/prometheus/docs/blob/main/content/docs/instrumenting/exposition_formats.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .replace_file import replace_file

Values = Mapping[str, float | Mapping[str, float]]
"""By the metric's name: a number, or a number for each value of the metric's label."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure means, in one line; its kind; the name of its label, "" without one."""

    meaning: str
    kind: Literal["gauge", "counter"] = "gauge"
    label: str = ""


def rendered(metrics: Mapping[str, Metric], values: Values) -> str:
    """The text of a file, in the order of the values.

    Raises:
        KeyError: for a value whose metric isn't described.
        ValueError: for a number where the metric has a label, and the reverse.
    """
    lines = []
    for name, value in values.items():
        metric = metrics[name]
        if isinstance(value, Mapping) != bool(metric.label):
            raise ValueError(f"{name} {'has' if metric.label else 'has no'} label, which its value doesn't fit")
        lines += [f"# HELP {name} {metric.meaning}", f"# TYPE {name} {metric.kind}"]
        if isinstance(value, Mapping):
            lines += [f'{name}{{{metric.label}="{_escaped(key)}"}} {_number(value[key])}' for key in sorted(value)]
        else:
            lines.append(f"{name} {_number(value)}")
    return "\n".join([*lines, ""])


def write(file: Path, metrics: Mapping[str, Metric], values: Values) -> None:
    """Replace a file of figures, which everybody may read.

    Raises:
        OSError: when that fails; then the old one is there.
    """
    replace_file(file, rendered(metrics, values), sync=False)


def _number(value: float) -> str:
    # All digits of sizes and times: the shortest text that gives the same number again.
    return repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

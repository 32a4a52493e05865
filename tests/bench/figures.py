# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, what it is compared with and whether it is within its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from testbed.steps import table


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Attributes:
        name: what the person reads.
        unit: of value, baseline and limit.
        value: the measurement; the median where it was repeated. None: it could not be taken, ``remark`` says why.
        baseline: the same work without our code, or the same host without the load, in this run.
        baseline_is: what the baseline is.
        limit: the value must not be above it.
        ratio: value per baseline, for the same amount of work.
        runs: all single measurements behind the median.
        fault: why the limit counts as missed although the value is below it; "" if nothing is wrong.
        remark: what one must know to read it.
    """

    name: str
    unit: str
    limit: float
    value: float | None = None
    baseline: float | None = None
    baseline_is: str = ""
    ratio: float | None = None
    runs: Sequence[float] = field(default_factory=tuple)
    fault: str = ""
    remark: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the limit was kept; None if nothing was measured."""
        return None if self.value is None else self.value <= self.limit and not self.fault

    def verdict(self) -> str:
        """The same in words."""
        if self.reached is None:
            return f"not measured: {self.remark}"
        if self.reached:
            return "reached"
        why = self.fault or self.remark
        return f"missed ({why})" if why else "missed"

    def as_json(self) -> dict[str, Any]:
        """The figure with its verdict, for build/bench.json."""
        return {**asdict(self), "runs": list(self.runs), "reached": self.reached}


def figures_table(figures: Sequence[Figure]) -> str:
    """One row a figure."""
    head = ("figure", "measured", "limit", "verdict", "baseline", "ratio", "baseline is")
    return table([head, *(_row(figure) for figure in figures)])


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        _amount(figure.value, figure.unit),
        f"{figure.limit:g} {figure.unit}",
        figure.verdict(),
        _amount(figure.baseline, figure.unit),
        "-" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.baseline_is or "-",
    )


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"

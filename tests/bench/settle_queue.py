# SPDX-License-Identifier: GPL-3.0-or-later
"""How long one person's image waits behind another's queue of 20,000 files, with OMERO at the pace of a real server.

Alone: ``PYTHONPATH=src python -m tests.bench.settle_queue``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import Figure, figures_table
from tests.faults.layout import OMERO, PYTHON, Layout, prepared
from tests.faults.run import Process

QUEUE = 20_000
# What a real OMERO.server needs for an import (docs/services/omero.md).
PACE = 15.0
LATE_SECONDS = 120
PATIENCE = 600
MANY, ONE = "aadler", "bbaer"


def figures() -> list[Figure]:
    """The one figure; needs root, since settle runs as its own user on files of other people."""
    layout = prepared((MANY, ONE), {"quiet_seconds": 2.0, "written_quiet_seconds": 2.0, "monitor_max_age": 15.0})
    as_omero = ["setpriv", f"--reuid={OMERO}", f"--regid={OMERO}", "--clear-groups", PYTHON]
    omero = [*as_omero, str(layout.base / "lib" / "omero_stand_in.py"), str(layout.base), "--pace", str(PACE)]
    services = Process(layout, "settle", layout.settle), Process(layout, "importer", lambda: omero)
    try:
        for service in services:
            service.start()
        _until(layout, (layout.folder("DropBox") / ONE).is_dir)
        alone = _imported(layout, _write(layout, ONE, "alone.tif"))
        for number in range(QUEUE):
            _write(layout, MANY, f"{number}.tif")
        _until(layout, lambda: len(_imports(layout)) > 1)
        behind = _imported(layout, _write(layout, ONE, "behind.tif"))
    finally:
        for service in services:
            service.end()
        layout.remove()
    return [
        Figure(
            f"settle: one image behind {QUEUE} files of another person, later than alone", "s", LATE_SECONDS,
            behind - alone, alone, f"the same image alone, at {PACE:.0f} s an import", behind / alone, (alone, behind),
        ),
    ]  # fmt: skip


def _write(layout: Layout, login: str, name: str) -> tuple[str, float]:
    path = layout.folder("incoming") / login / name
    path.write_bytes(os.urandom(1000))
    os.chown(path, layout.person(login), layout.person(login))
    return f"{login}/{Path(name).stem}/{name}", time.monotonic()


def _imported(layout: Layout, written: tuple[str, float]) -> float:
    """How long it takes until OMERO has the image."""
    path, began = written
    _until(layout, lambda: path in _imports(layout))
    return time.monotonic() - began


def _imports(layout: Layout) -> set[str]:
    store = layout.folder("store") / "imports.jsonl"
    return {json.loads(line)["path"] for line in store.read_text().splitlines()} if store.exists() else set()


def _until(layout: Layout, condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError((layout.base / "settle.log").read_text()[-2000:])
        time.sleep(0.1)


if __name__ == "__main__":
    print(figures_table(figures()))
    sys.exit(0)

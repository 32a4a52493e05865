# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus' node exporter reads."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HELP = {
    "backup_run_ok": "Whether the last run of the backup stored everything.",
    "backup_run_timestamp_seconds": "End of the last good run.",
    "backup_run_seconds": "How long the last run took.",
    "backup_run_files": "Files that the last run has seen.",
    "backup_run_added_bytes": "What the last run brought to the repository.",
}


def write(file: Path, values: Mapping[str, float]) -> None:
    """Replace the metrics file."""
    library: Any = importlib.import_module("prometheus_client")
    registry = library.CollectorRegistry()
    for name, meaning in _HELP.items():
        if name in values:
            library.Gauge(name, meaning, registry=registry).set(values[name])
    library.write_to_textfile(str(file), registry)
    file.chmod(0o644)

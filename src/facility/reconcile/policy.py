# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run may mend: reconcile.yml of an inventory, by the names of playbooks. Without the file nothing is mended.

mend: [base, wiki]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

FILE = "reconcile.yml"
_KEYS = ("mend",)


class PolicyError(Exception):
    """The policy can't be used; one line a problem, with its cure."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The playbooks whose drift is mended; what of others drifted is reported."""

    mend: frozenset[str] = frozenset()


def read(folder: Path, services: Sequence[str]) -> Policy:
    """The policy of an inventory's folder.

    Args:
        folder: The inventory's.
        services: Names of the playbooks that are compared.

    Raises:
        PolicyError: With all problems.
    """
    file = folder / FILE
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{file}: can't be read: {' '.join(str(error).split())}") from None
    if document is None:
        return Policy()
    if not isinstance(document, dict):
        raise PolicyError(f"{file}: must be keys and values: write mend: [wiki]")
    problems = [f"{file}: {key}: unknown key: known are {', '.join(_KEYS)}" for key in document if key not in _KEYS]
    mend = document.get("mend", [])
    if not isinstance(mend, list):
        problems.append(f"{file}: mend: must be a list of playbooks: {', '.join(services)}")
        mend = []
    for name in mend:
        if name not in services:
            close = get_close_matches(str(name), services, n=1)
            cure = f"did you mean {close[0]}?" if close else f"known are {', '.join(services)}"
            problems.append(f"{file}: mend: {name} is no playbook of site.yml: {cure}")
    if problems:
        raise PolicyError("\n".join(problems))
    return Policy(frozenset(mend))

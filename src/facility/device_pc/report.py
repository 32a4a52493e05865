# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over all device PCs comes to: who answered, and whether a person is needed. Knows no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .trouble import Kind

_NOT_ANSWERED = {kind.value for kind in Kind} - {Kind.COMMAND_FAILED.value}


def device_answered(agents: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the PCs that a later task may ask, too: one that is off or silent would cost its time again.

    Args:
        agents: options of PCs, as of the filter device_agents.
        found: what ppms_agent_info returned for them, in the same order.
    """
    return [agent for agent, one in zip(agents, found, strict=True) if one["kind"] not in _NOT_ANSWERED]


def device_status(
    found: Sequence[Mapping[str, Any]], problems: Sequence[str] = (), failed: Sequence[str] = ()
) -> dict[str, Any]:
    """Return whether all PCs are as wished at the end of a run.

    Args:
        found: what ppms_agent_info returned at the run's beginning; what it would change is changed by now.
        problems: what later tasks could not do, a line each.
        failed: PCs that should have been changed and could not be.

    Returns:
        well: whether nobody is needed.
        text: one line to read; hosts: who needs a person.
    """
    hosts = [one["host"] for one in found if one["problems"] and not one["changed"]]
    hosts += [host for host in failed if host not in hosts]
    if not hosts and not problems:
        return {"well": True, "hosts": [], "text": f"all as wished: {len(found)} device PCs"}
    shown = ", ".join(hosts[:10]) + (f" and {len(hosts) - 10} more" if len(hosts) > 10 else "")
    parts = [f"{len(hosts)} of {len(found)} device PCs ({shown})"] if hosts else []
    parts += [f"{len(problems)} faults of drive or log-on"] if problems else []
    return {"well": False, "hosts": hosts, "text": f"some need a person: {'; '.join(parts)}. The cures are above"}

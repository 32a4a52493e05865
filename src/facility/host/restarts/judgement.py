# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services somebody must be told of. Pure; times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WINDOW_SECONDS = 3600
LOOKS = 3
"""Looks within the window before each of which it restarted; they are five minutes apart, so that it lasted for ten."""
AGAIN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Service:
    """A service that systemd starts again by itself, as it is now.

    Attributes:
        restarts: how often systemd did so since somebody started it.
        failed: it has given up.
        tells: its own OnFailure tells somebody when it gives up.
    """

    name: str
    restarts: int = 0
    failed: bool = False
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a service.

    Attributes:
        restarts: as seen the last time.
        looks: when a look found that it had restarted since the look before, within the window.
        told: when somebody was told; 0: never, or it is over.
    """

    restarts: int = 0
    looks: tuple[float, ...] = ()
    told: float = 0


def judge(services: Iterable[Service], known: Mapping[str, Memory], now: float) -> tuple[list[str], dict[str, Memory]]:
    """Whom to tell of, and what to remember until the next look.

    Args:
        services: all of them.
        known: what the last look remembered, by the service's name.
        now: this look's time.
    """
    tell, remembered = [], {}
    for one in services:
        before = known.get(one.name, Memory())
        # A count that is less begins anew: somebody has started it.
        since = one.restarts - before.restarts if one.restarts >= before.restarts else one.restarts
        looks = tuple(look for look in (*before.looks, *([now] if since else [])) if now - WINDOW_SECONDS < look <= now)
        bad = len(looks) >= LOOKS or (one.failed and not one.tells)
        told = before.told if bad else 0
        # One of the future, as a clock that was put back leaves it, is none.
        if bad and not (0 <= now - told < AGAIN_SECONDS):
            tell.append(one.name)
            told = now
        if one.restarts or looks or told:
            remembered[one.name] = Memory(one.restarts, looks, told)
    return tell, remembered

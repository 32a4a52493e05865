# SPDX-License-Identifier: GPL-3.0-or-later
"""Do something with many PCs at once: threads in one process, for a PC mostly waits.

A PC that is off or falls silent holds up no other one, and what a PC does is told as soon as it is known.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .trouble import Kind, WinrmError, nonsense

Result = TypeVar("Result")
Params = Mapping[str, Any]

PATIENCE = 2.0
"""After so many seconds a PC keeps no other one waiting; one that is well has answered by then."""
GRACE = 3.0
"""A PC ends its own deadline; one that hands out its answer byte by byte never comes to that."""
MOST = 256
"""Threads, however many PCs are silent."""


def each(
    pcs: Sequence[Params],
    act: Callable[[Params], Result],
    excuse: Callable[[Params, WinrmError], Result],
    *,
    threads: int,
    seconds: float,
    told: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Do something with many PCs at once.

    Args:
        pcs: options of the connection, one mapping a PC.
        act: what is done with one; it should end within so many seconds.
        excuse: what becomes of a PC that raised something, or is not done in time.
        threads: how many PCs are seen to at a time, besides those that keep others waiting.
        seconds: how long one PC may take.
        told: is called with each result when it comes, in this thread.

    Returns:
        The results in the order of pcs.
    """
    ended: queue.SimpleQueue[tuple[int, Result]] = queue.SimpleQueue()
    waiting, began = deque(range(len(pcs))), dict[int, float]()
    results: dict[int, Result] = {}

    def visit(number: int) -> None:
        try:
            result = act(pcs[number])
        except WinrmError as error:
            result = excuse(pcs[number], error)
        except Exception as error:  # whatever a PC answers, it is that PC's problem
            result = excuse(pcs[number], nonsense(str(pcs[number]["host"]), error))
        ended.put((number, result))

    def keep(number: int, result: Result) -> None:
        if began.pop(number, None) is not None:
            results[number] = result
            told(result)

    while len(results) < len(pcs):
        now = time.monotonic()
        for number in [number for number, start in began.items() if now - start > seconds + GRACE]:
            keep(number, excuse(pcs[number], _late(pcs[number], seconds)))
        free = max(1, threads) - sum(now - start < PATIENCE for start in began.values())
        for _ in range(min(free, len(waiting), MOST - len(began))):
            number = waiting.popleft()
            began[number] = now
            # One that never ends must not keep the process from its end.
            threading.Thread(target=visit, args=(number,), daemon=True).start()
        with contextlib.suppress(queue.Empty):
            keep(*ended.get(timeout=0.1))
            while True:
                keep(*ended.get_nowait())
    return [results[number] for number in range(len(pcs))]


def _late(params: Params, seconds: float) -> WinrmError:
    return WinrmError(
        Kind.TIME_OUT,
        f"{params['host']}: not done within {seconds:.0f} s, which is all that one PC gets: is it overloaded?",
    )
